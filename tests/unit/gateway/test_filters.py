from hypothesis import given
from hypothesis.strategies import booleans, builds, lists, sampled_from

from bascule.gateway.feed import ChangeKind, ListenFilter
from bascule.gateway.filters import NOTHING, common, filter_of, topics

NAMES = lists(sampled_from(["a", "b", "c"])).map(tuple)
FILTERS = builds(
    ListenFilter,
    tools_list_changed=booleans(),
    prompts_list_changed=booleans(),
    resources_list_changed=booleans(),
    resource_subscriptions=NAMES,
    task_ids=NAMES,
)


def test_topics_name_each_thing_once_and_in_order():
    wanted = ListenFilter(
        prompts_list_changed=True, resource_subscriptions=("b", "a", "b"), task_ids=("t",)
    )

    assert topics(wanted) == [
        (ChangeKind.PROMPTS, ""),
        (ChangeKind.RESOURCE, "b"),
        (ChangeKind.RESOURCE, "a"),
        (ChangeKind.TASK, "t"),
    ]


@given(FILTERS)
def test_a_filter_is_what_its_topics_say(wanted: ListenFilter):
    assert topics(filter_of(topics(wanted))) == topics(wanted)


@given(FILTERS, FILTERS)
def test_what_is_common_is_in_both_and_in_the_order_of_the_first(
    wanted: ListenFilter, granted: ListenFilter
):
    both = topics(common(wanted, granted))

    assert both == [topic for topic in topics(wanted) if topic in topics(granted)]


def test_nothing_has_no_topics():
    assert topics(NOTHING) == []

import json

from bascule.catalogue.subscriptions import Found, Subscription
from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind
from bascule.gateway.feed import Change, ChangeKind, ListenFilter
from fakes.catalogue import TENANT, make_principal
from fakes.feeds import NEWS, FakeLease, FakeRights, resource, task


def subscription(rights: FakeRights, endpoint: Endpoint = EVERYTHING) -> Subscription:
    return Subscription(lambda: rights, make_principal(), endpoint)


def change(kind: ChangeKind, key: str = "", *, upstream: str = "docs", params: bytes = b"{}"):
    return Change(TENANT, upstream, kind, key, params)


def lease() -> FakeLease:
    return FakeLease(ListenFilter(), waits=False)


def test_an_upstreams_changed_list_is_told_though_ours_is_the_same():
    note = subscription(FakeRights()).accepts(change(ChangeKind.TOOLS))

    assert note is not None
    assert note == (ChangeKind.TOOLS, b"{}")


def test_a_changed_list_of_an_upstream_that_is_out_of_sight_is_not_told():
    rights = FakeRights()
    rights.seen = frozenset({"jobs"})

    assert subscription(rights).accepts(change(ChangeKind.TOOLS)) is None


def test_our_own_list_is_told_to_have_changed_only_where_the_caller_sees_another():
    rights = FakeRights()
    subscribed = subscription(rights)
    swap = change(ChangeKind.TOOLS, upstream="")
    assert subscribed.accepts(swap) is None

    rights.prints[ChangeKind.TOOLS] = 7

    assert subscribed.accepts(swap) is not None
    assert subscribed.accepts(swap) is None


def test_an_updated_resource_is_told_by_the_uri_alone():
    subscribed = subscription(FakeRights())
    subscribed.find(Found(NEWS, resource(NEWS)))

    note = subscribed.accepts(
        change(ChangeKind.RESOURCE, NEWS, params=b'{"uri":"x","_meta":{"secret":1}}')
    )

    assert note is not None
    assert json.loads(note.params) == {"uri": NEWS}


def test_a_resource_of_the_same_uri_at_another_upstream_is_another():
    subscribed = subscription(FakeRights())
    subscribed.find(Found(NEWS, resource(NEWS)))

    assert subscribed.accepts(change(ChangeKind.RESOURCE, NEWS, upstream="evil")) is None


def test_what_the_caller_may_no_longer_read_is_no_longer_told():
    rights = FakeRights()
    subscribed = subscription(rights)
    subscribed.find(Found(NEWS, resource(NEWS)))

    rights.forbidden.add(NEWS)

    assert subscribed.accepts(change(ChangeKind.RESOURCE, NEWS)) is None


def test_a_task_is_told_under_the_callers_id():
    subscribed = subscription(FakeRights())
    subscribed.find(Found("mine", task("t-1")))
    params = b'{"taskId":"t-1","status":"completed","_meta":{"x":1}}'

    note = subscribed.accepts(change(ChangeKind.TASK, "t-1", upstream="jobs", params=params))

    assert note is not None
    assert json.loads(note.params) == {"taskId": "mine", "status": "completed"}


def test_a_note_that_is_none_of_a_task_is_dropped():
    subscribed = subscription(FakeRights())
    subscribed.find(Found("mine", task("t-1")))

    assert subscribed.accepts(change(ChangeKind.TASK, "t-1", upstream="jobs", params=b"7")) is None


def test_what_is_lost_is_told_no_more_and_its_lease_released():
    subscribed = subscription(FakeRights())
    held = lease()
    subscribed.find(Found(NEWS, resource(NEWS)))
    subscribed.hold("docs", NEWS, held)

    assert subscribed.lose(NEWS) == [(ChangeKind.RESOURCE, NEWS)]
    assert subscribed.lose(NEWS) == []
    assert held.released == 1
    assert subscribed.accepts(change(ChangeKind.RESOURCE, NEWS)) is None


def test_a_topic_that_is_still_wanted_under_another_name_is_kept():
    subscribed = subscription(FakeRights())
    subscribed.find(Found("first", task("t-1", "jobs")))
    subscribed.find(Found("second", task("t-1", "docs")))

    assert subscribed.lose("first") == []
    assert subscribed.lose("second") == [(ChangeKind.TASK, "t-1")]


def test_a_lease_is_replaced_by_the_next_of_its_name():
    subscribed = subscription(FakeRights())
    first, second, other = lease(), lease(), lease()
    subscribed.hold("docs", "", first)
    subscribed.hold("docs", "", second)
    subscribed.hold("jobs", "", other)
    assert (first.released, second.released, other.released) == (1, 0, 0)

    subscribed.release_all()
    subscribed.release_all()

    assert (first.released, second.released, other.released) == (1, 1, 1)


def test_a_subscription_stands_as_long_as_its_caller_and_its_slice():
    rights = FakeRights()
    subscribed = subscription(rights, Endpoint(EndpointKind.BUNDLE, "booking"))
    assert subscribed.stands()

    rights.removed.add("booking")
    assert not subscribed.stands()

    rights.removed.clear()
    rights.gone.add("ann")
    assert not subscribed.stands()

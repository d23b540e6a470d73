import asyncio

from bascule.catalogue.agreements import locate, own_lists, settle, share_out
from bascule.catalogue.subscriptions import Found, Subscription
from bascule.gateway.call import EVERYTHING
from bascule.gateway.errors import UpstreamUnreachable
from bascule.gateway.feed import ChangeKind, ListenFilter
from bascule.gateway.filters import topics
from fakes.catalogue import make_principal
from fakes.feeds import ALL_LISTS, NEWS, FakeRights, listen_call, resource, task


def soon() -> float:
    return asyncio.get_running_loop().time() + 5


async def test_what_the_caller_may_not_read_or_does_not_own_is_not_found():
    rights = FakeRights()
    rights.tasks["mine"] = task("t-1")
    wanted = ListenFilter(resource_subscriptions=("file:///secret", NEWS), task_ids=("mine", "its"))

    found = await locate(rights, listen_call(wanted), wanted, soon())

    assert sorted(found) == sorted([Found(NEWS, resource(NEWS)), Found("mine", task("t-1"))])


async def test_a_slow_look_up_hinders_no_other():
    rights = FakeRights()
    never = asyncio.Event()

    async def hang(uri: str) -> None:
        if uri == "file:///slow":
            await never.wait()

    rights.on_look = hang
    wanted = ListenFilter(resource_subscriptions=("file:///slow", NEWS))
    deadline = asyncio.get_running_loop().time() + 0.01

    assert await locate(rights, listen_call(wanted), wanted, deadline) == [
        Found(NEWS, resource(NEWS))
    ]


async def test_an_upstream_that_cannot_be_asked_has_nothing():
    rights = FakeRights()

    async def fail(uri: str) -> None:
        if uri != NEWS:
            raise UpstreamUnreachable("dead")

    rights.on_look = fail
    wanted = ListenFilter(resource_subscriptions=("file:///dead", NEWS))

    found = await locate(rights, listen_call(wanted), wanted, soon())

    assert [one.name for one in found] == [NEWS]


def test_lists_are_listened_for_at_every_upstream_in_sight_and_the_rest_where_it_is():
    rights = FakeRights()
    subscription = Subscription(lambda: rights, make_principal(), EVERYTHING)
    found = [Found(NEWS, resource(NEWS)), Found("mine", task("t-1"))]

    shares = share_out(rights, subscription, ListenFilter(tools_list_changed=True), found)

    tools = (ChangeKind.TOOLS, "")
    assert shares == {
        "docs": [tools, (ChangeKind.RESOURCE, NEWS)],
        "jobs": [tools, (ChangeKind.TASK, "t-1")],
    }


def test_without_lists_only_those_who_own_something_are_asked():
    rights = FakeRights()
    subscription = Subscription(lambda: rights, make_principal(), EVERYTHING)

    assert list(share_out(rights, subscription, ListenFilter(), [Found(NEWS, resource(NEWS))])) == [
        "docs"
    ]


def test_changes_of_lists_that_are_looked_at_here_are_told_whatever_upstreams_say():
    rights = FakeRights()
    rights.capabilities["docs"] = b'{"prompts":{}}'
    subscription = Subscription(lambda: rights, make_principal(), EVERYTHING)

    own = own_lists(rights, subscription)

    assert own == {(ChangeKind.TOOLS, ""), (ChangeKind.PROMPTS, "")}
    assert settle(ALL_LISTS, own, [], {}) == ListenFilter(
        tools_list_changed=True, prompts_list_changed=True
    )


def test_what_no_upstream_agreed_to_is_left_out_and_the_callers_order_kept():
    wanted = ListenFilter(
        resources_list_changed=True, resource_subscriptions=("b", "a", "c"), task_ids=("mine",)
    )
    found = [Found(name, resource(name)) for name in ("a", "b", "c")]
    found.append(Found("mine", task("t-1")))
    agreed = {
        "docs": ListenFilter(resource_subscriptions=("a", "b")),
        "jobs": ListenFilter(resources_list_changed=True, task_ids=("t-1",)),
    }

    told = settle(wanted, [], found, agreed)

    assert told == ListenFilter(
        resources_list_changed=True, resource_subscriptions=("b", "a"), task_ids=("mine",)
    )
    assert topics(told)


def test_a_resource_is_not_granted_because_another_upstream_agreed_to_its_uri():
    wanted = ListenFilter(resource_subscriptions=(NEWS,))
    agreed = {"evil": wanted}

    assert settle(wanted, [], [Found(NEWS, resource(NEWS))], agreed) == ListenFilter()

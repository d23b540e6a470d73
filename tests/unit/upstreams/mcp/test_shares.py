import asyncio

import pytest

from bascule.gateway.feed import ChangeKind, ListenFilter
from bascule.gateway.filters import NOTHING, topics
from bascule.upstreams.mcp.shares import Share, Shares

TOOLS = ListenFilter(tools_list_changed=True)


def uris(*names: str) -> ListenFilter:
    return ListenFilter(resource_subscriptions=names)


def no_change() -> None: ...


async def give_up(share: Share) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await share.granted()


async def test_what_two_want_is_listened_for_until_both_are_gone():
    shares = Shares(no_change, 10)
    first, second = shares.take(uris("a", "b")), shares.take(uris("b"))

    first.release()
    first.release()
    assert shares.topics == ((ChangeKind.RESOURCE, "b"),)

    second.release()
    assert len(shares) == 0
    assert not shares._waiting


async def test_every_change_of_what_is_wanted_is_told():
    told: list[int] = []
    shares = Shares(lambda: told.append(1), 10)

    shares.take(TOOLS).release()

    assert len(told) == 2


async def test_a_share_is_granted_what_was_agreed_of_what_it_wants():
    shares = Shares(no_change, 10)
    share = shares.take(uris("a", "b"))

    shares.answer(shares.topics, topics(uris("b", "c")))

    assert await share.granted() == uris("b")


async def test_a_share_that_was_not_asked_for_yet_goes_on_waiting():
    shares = Shares(no_change, 10)
    shares.take(uris("a"))
    late = shares.take(uris("a", "b"))

    shares.answer(topics(uris("a")), topics(uris("a")))

    await give_up(late)


async def test_what_was_promised_before_it_was_agreed_to_is_named():
    shares = Shares(no_change, 10)
    hasty, patient = shares.take(uris("a", "x")), shares.take(uris("b"))
    await give_up(hasty)

    promised = shares.answer(shares.topics, topics(uris("a", "b")))

    assert promised == [(ChangeKind.RESOURCE, "a")]
    assert await patient.granted() == uris("b")


async def test_more_than_may_be_listened_for_is_not_granted_but_lists_are():
    shares = Shares(no_change, 2)
    first = shares.take(uris("a", "b"))
    second = shares.take(ListenFilter(tools_list_changed=True, resource_subscriptions=("b", "c")))
    shares.answer(shares.topics, shares.topics)

    assert await first.granted() == uris("a", "b")
    assert await second.granted() == ListenFilter(
        tools_list_changed=True, resource_subscriptions=("b",)
    )


async def test_an_empty_share_is_answered_with_nothing():
    shares = Shares(no_change, 10)
    share = shares.take(NOTHING)
    shares.answer((), ())

    assert await share.granted() == NOTHING

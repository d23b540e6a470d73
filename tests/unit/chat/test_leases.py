"""A lease has one holder, for as long as they say that they live."""

from bascule.chat.leases import Lease, key_of
from bascule.state.memory import MemoryState
from fakes.chatting import Clock


def two() -> tuple[Clock, Lease, Lease]:
    clock = Clock()
    state = MemoryState(clock=clock)
    return clock, Lease(state, "k", b"one", 15.0), Lease(state, "k", b"two", 15.0)


async def test_one_holds_it_until_it_is_given_back() -> None:
    _, one, two_ = two()
    assert await one.take()
    assert not await two_.take()
    assert not await two_.renew()
    await two_.release()
    assert not await two_.take()
    await one.release()
    assert await two_.take()


async def test_who_renews_it_keeps_it_and_who_does_not_loses_it() -> None:
    clock, one, two_ = two()
    assert await one.take()
    clock.now += 10
    assert await one.renew()
    clock.now += 10
    assert not await two_.take()
    clock.now += 10
    assert await two_.take()
    assert not await one.renew()
    await one.release()
    assert await two_.renew()


async def test_who_is_late_has_it_again_where_nobody_took_it() -> None:
    clock, one, two_ = two()
    assert await one.take()
    clock.now += 20
    assert await one.renew()
    assert not await two_.take()


async def test_what_is_seized_is_lost_to_its_holder() -> None:
    _, one, two_ = two()
    assert await one.take()
    await two_.seize()
    assert not await one.renew()


def test_keys_are_bounded_and_of_one_thing() -> None:
    keys = {
        key_of("turn", "a", "b"),
        key_of("turn", "ab"),
        key_of("place", "a", "b"),
        key_of("turn", "a", "b", "x" * 2000),
        key_of("turn", "half \ud800"),
    }
    assert len(keys) == 5
    assert max(map(len, keys)) < 100

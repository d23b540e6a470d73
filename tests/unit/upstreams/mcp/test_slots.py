import asyncio
import time

import pytest

from bascule.gateway.errors import UpstreamTimeout, UpstreamUnreachable
from bascule.upstreams.mcp.messages import SessionKey
from bascule.upstreams.mcp.slots import Slots


def key(subject: str) -> SessionKey:
    return SessionKey("t", subject)


def soon() -> float:
    return time.monotonic() + 5


class Shop:
    """Opens and closes things, which are called after their callers."""

    def __init__(self, most: int = 2) -> None:
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.hold: asyncio.Event | None = None
        self.slots = Slots("peer", most, self._open, self._close)

    async def use(self, subject: str, *, strictly: bool = False) -> str:
        async with self.slots.use(key(subject), strictly=strictly) as slot:
            return await self.slots.get(key(subject), slot, soon())

    async def _open(self, key: SessionKey, deadline: float) -> str:
        assert deadline > time.monotonic()
        if self.hold is not None:
            await self.hold.wait()
        self.opened.append(key.subject)
        return key.subject

    async def _close(self, kept: str) -> None:
        self.closed.append(kept)


async def test_what_is_opened_is_kept() -> None:
    shop = Shop()
    assert [await shop.use("ann"), await shop.use("ann")] == ["ann", "ann"]
    assert shop.opened == ["ann"]


async def test_users_at_once_open_one() -> None:
    shop = Shop()
    shop.hold = asyncio.Event()
    users = [asyncio.ensure_future(shop.use("ann")) for _ in range(3)]
    await asyncio.sleep(0)
    shop.hold.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*users)
    assert shop.opened == ["ann"]


async def test_waiting_for_who_opens_it_ends_at_the_deadline() -> None:
    shop = Shop()
    shop.hold = asyncio.Event()
    first = asyncio.ensure_future(shop.use("ann"))
    await asyncio.sleep(0)
    async with shop.slots.use(key("ann")) as slot:
        with pytest.raises(UpstreamTimeout, match="Nothing was sent"):
            await shop.slots.get(key("ann"), slot, time.monotonic() + 0.01)
    shop.hold.set()
    await first


async def test_longest_unused_makes_way() -> None:
    shop = Shop()
    for subject in ("ann", "bob", "ann", "cay"):
        await shop.use(subject)
    assert shop.closed == ["bob"]
    assert len(shop.slots) == 2


async def test_what_is_in_use_stays() -> None:
    shop = Shop()
    async with shop.slots.use(key("ann")) as slot:
        await shop.slots.get(key("ann"), slot, soon())
        async with shop.slots.use(key("bob")) as other:
            await shop.slots.get(key("bob"), other, soon())
            with pytest.raises(UpstreamUnreachable):
                await shop.use("cay", strictly=True)
            await shop.use("cay")
    assert shop.closed == []


async def test_dropped_one_is_opened_anew_but_a_newer_one_is_not_dropped() -> None:
    shop = Shop()
    async with shop.slots.use(key("ann")) as slot:
        first = await shop.slots.get(key("ann"), slot, soon())
        slot.drop("another")
        assert await shop.slots.get(key("ann"), slot, soon()) is first
        slot.drop(first)
        await shop.slots.get(key("ann"), slot, soon())
    assert shop.opened == ["ann", "ann"]


async def test_only_what_is_idle_is_closed() -> None:
    shop = Shop()
    await shop.use("ann")
    async with shop.slots.use(key("bob")) as slot:
        await shop.slots.get(key("bob"), slot, soon())
        await shop.slots.close_idle(60)
        assert shop.closed == []
        await shop.slots.close_idle(0)
        assert shop.closed == ["ann"]


async def test_closing_closes_all_even_what_was_never_opened() -> None:
    shop = Shop()
    await shop.use("ann")
    async with shop.slots.use(key("bob")):
        await shop.slots.close()
    assert (shop.closed, len(shop.slots)) == (["ann"], 0)


async def test_too_many_at_once_become_few_again_with_the_next_caller() -> None:
    shop = Shop(most=1)
    async with shop.slots.use(key("ann")) as ann, shop.slots.use(key("bob")) as bob:
        await shop.slots.get(key("ann"), ann, soon())
        await shop.slots.get(key("bob"), bob, soon())
    await shop.use("cay")
    assert (shop.closed, len(shop.slots)) == (["ann", "bob"], 1)


async def test_what_could_not_be_opened_takes_no_place() -> None:
    async def fail(key: SessionKey, deadline: float) -> str:
        raise UpstreamUnreachable(f"{key} {deadline}")

    async def close(_: str) -> None:
        raise AssertionError

    slots = Slots("peer", 1, fail, close)
    async with slots.use(key("ann")) as slot:
        with pytest.raises(UpstreamUnreachable):
            await slots.get(key("ann"), slot, soon())
    assert len(slots) == 0

"""Turns under way are counted for each person and each tenant, in all processes."""

import pytest

from bascule.chat.limits import ChatLimits
from bascule.chat.places import Places, TooManyTurns
from bascule.state.memory import MemoryState
from fakes.chatting import ADA, BOB, Clock


async def test_a_person_has_so_many_and_gets_them_back() -> None:
    state = MemoryState()
    here, there = (Places(ChatLimits(turns_per_person=2), state) for _ in range(2))
    first = await here.take(ADA)
    await there.take(ADA)
    for places in (here, there):
        with pytest.raises(TooManyTurns):
            await places.take(ADA)
    await here.take(BOB)
    await first.release()
    await there.take(ADA)


async def test_a_tenant_has_so_many() -> None:
    places = Places(ChatLimits(turns_per_tenant=1), MemoryState())
    await places.take(ADA)
    for _ in range(5):  # and a refusal takes nothing of the person's own
        with pytest.raises(TooManyTurns) as refused:
            await places.take(BOB)
        assert refused.value.error.code == "E2016"
        assert "others" in refused.value.public


async def test_the_place_of_a_process_that_died_is_free_after_a_while() -> None:
    clock = Clock()
    places = Places(ChatLimits(turns_per_person=1), MemoryState(clock=clock))
    lost = await places.take(ADA)
    clock.now += 10
    await lost.renew()
    clock.now += 10
    with pytest.raises(TooManyTurns):
        await places.take(ADA)
    clock.now += 10
    taken = await places.take(ADA)
    await lost.release()
    with pytest.raises(TooManyTurns):
        await places.take(ADA)
    await taken.release()


async def test_of_very_many_places_only_some_are_looked_at() -> None:
    limits = ChatLimits(turns_per_person=1000, turns_per_tenant=100_000)
    places = Places(limits, MemoryState())
    for _ in range(20):
        await places.take(ADA)

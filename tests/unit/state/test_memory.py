import pytest
from structlog.testing import capture_logs

from bascule.gateway.state import MOST_VALUE_BYTES, StateUnavailable
from bascule.state.memory import MemoryState


async def test_it_is_local_so_that_routing_can_be_spared():
    assert MemoryState().local


async def test_full_it_refuses_and_says_to_try_later():
    state = MemoryState(most_entries=2)
    await state.put("a", b"1", 60)
    await state.append("a", b"1", most=10, ttl_seconds=60)

    for refused in (
        state.put("b", b"", 60),
        state.put_new("b", b"", 60),
        state.append("b", b"", most=10, ttl_seconds=60),
        state.count("b", 60),
    ):
        with pytest.raises(StateUnavailable, match="try again later"):
            await refused
    await state.put("a", b"2", 60)

    assert await state.get("a") == b"2"


async def test_a_log_that_finds_no_room_stays_as_it_was():
    state = MemoryState(most_bytes=2000)
    assert await state.append("a", bytes(1000), most=10, ttl_seconds=60) == 1

    with pytest.raises(StateUnavailable):
        await state.append("a", bytes(1000), most=10, ttl_seconds=60)

    assert await state.append("a", b"2", most=10, ttl_seconds=60) == 2
    assert await state.read("a", 0) == [(1, bytes(1000)), (2, b"2")]


async def test_entries_that_go_make_room():
    state = MemoryState(most_bytes=4000)

    numbers = [await state.append("a", bytes(1000), most=2, ttl_seconds=60) for _ in range(50)]

    assert numbers[-1] == 50
    assert [number for number, _ in await state.read("a", 0)] == [49, 50]


async def test_one_log_of_large_entries_cannot_fill_the_store():
    state = MemoryState()
    large = bytes(MOST_VALUE_BYTES)
    for _ in range(100):
        number = await state.append("a", large, most=256, ttl_seconds=60)

    assert number == 100
    assert await state.read("a", 0) == [(100, large)]


async def test_the_room_of_entries_that_went_is_there_for_others():
    state = MemoryState(most_bytes=2000)
    await state.append("a", bytes(1000), most=1, ttl_seconds=60)
    await state.append("a", b"2", most=1, ttl_seconds=60)

    await state.put("b", bytes(1000), 60)

    assert await state.get("b") == bytes(1000)


async def test_everything_expires_by_its_own_clock():
    now = [0.0]
    state = MemoryState(clock=lambda: now[0])
    await state.put("a", b"1", 10)
    await state.append("a", b"1", most=2, ttl_seconds=20)
    await state.count("a", 10)

    now[0] = 9
    assert await state.count("a", 10) == 2
    now[0] = 10
    assert await state.get("a") is None
    assert await state.count("a", 10) == 1
    assert await state.read("a", 0) == [(1, b"1")]
    now[0] = 20
    assert await state.read("a", 0) == []


async def test_a_reader_that_never_reads_costs_a_bounded_amount_and_stops_nobody():
    state = MemoryState()
    async with state.subscribe("a") as slow:
        with capture_logs() as logs:
            for n in range(20):
                await state.publish("a", bytes([n]) * 1024 * 1024)

        assert [one["event"] for one in logs] == ["state.message_dropped"] * 12
        assert [(await anext(slow))[0] for _ in range(8)] == list(range(8))


async def test_nothing_is_kept_of_a_channel_that_everybody_left():
    state = MemoryState()
    for n in range(100):
        async with state.subscribe(str(n)), state.subscribe(str(n)):
            pass

    assert state._readers == {}

import asyncio

import pytest

from bascule.gateway.state import StateUnavailable
from bascule.state.memory import MemoryState
from bascule.transports import event_log
from bascule.transports.event_log import EventLog, Place, follow, kept_after, read_place
from fakes.streams import until


def add(log: EventLog, *events: bytes) -> str:
    for event in events:
        log.add(event)
    return log.next_id.rpartition(".")[0]


async def saved(log: EventLog) -> None:
    await until(lambda: log._saver is not None and log._saver.done())


def test_a_place_is_read_from_an_event_id() -> None:
    place = read_place("c" + "0" * 24 + ".17")
    assert place == ("c" + "0" * 24, 17)
    assert place is not None
    assert not place.is_standalone
    standalone = read_place("g" + "a" * 24 + ".0")
    assert standalone is not None
    assert standalone.is_standalone


@pytest.mark.parametrize(
    "given", ["", "c1.1", "x" + "0" * 24 + ".1", "c" + "0" * 24, "c" + "0" * 24 + ".-1", "é"]
)
def test_anything_else_is_no_place(given: str) -> None:
    assert read_place(given) is None


async def test_what_is_kept_after_a_place_is_given_in_order() -> None:
    store = MemoryState()
    log = EventLog(store, "s")
    assert log.next_id.endswith(".0")
    stream = add(log, b"0", b"1", b"2")
    await saved(log)
    for number, expected in enumerate(([b"1", b"2"], [b"2"], [])):
        assert await kept_after(store, "s", Place(stream, number)) == expected
    assert await kept_after(store, "s", Place(stream, 3)) is None, "not sent yet"
    assert await kept_after(store, "other", Place(stream, 0)) is None
    assert await kept_after(store, "s", Place("c" + "0" * 24, 0)) is None


async def test_too_many_events_make_room_and_what_lost_some_cannot_be_resumed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_log, "_MOST_EVENTS", 2)
    store = MemoryState()
    log = EventLog(store, "s")
    stream = add(log, b"0", b"1", b"2", b"3")
    await saved(log)
    assert await kept_after(store, "s", Place(stream, 0)) is None
    assert await kept_after(store, "s", Place(stream, 1)) == [b"2", b"3"]


async def test_too_many_bytes_make_room_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "_MOST_BYTES", 10)
    store = MemoryState()
    log = EventLog(store, "s")
    stream = add(log, b"0" * 6, b"1" * 6, b"2" * 100)
    await saved(log)
    assert await kept_after(store, "s", Place(stream, 0)) is None
    assert await kept_after(store, "s", Place(stream, 1)) == [b"2" * 100]


async def test_a_follower_gets_what_was_and_what_comes_until_the_end() -> None:
    store = MemoryState()
    log = EventLog(store, "s", standalone=True)
    stream = add(log, b"0", b"1")
    await saved(log)
    seen: list[bytes] = []

    async def read() -> None:
        seen.extend([event async for event in follow(store, "s", Place(stream, 0))])

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(read())
        await until(lambda: store._readers)
        log.add(b"2")
        await saved(log)
        log.add(b"3")
        log.end()
    assert seen == [b"1", b"2", b"3"]
    assert await kept_after(store, "s", Place(stream, 3)) == []


class Broken(MemoryState):
    async def append(self, log: str, value: bytes, *, most: int, ttl_seconds: float) -> int:
        raise StateUnavailable("No store.")


async def test_a_store_that_fails_costs_only_the_resuming() -> None:
    store = Broken()
    log = EventLog(store, "s")
    stream = add(log, b"0", b"1")
    await saved(log)
    assert log.next_id == f"{stream}.2"
    log.add(b"2")
    log.end()
    assert await kept_after(store, "s", Place(stream, 0)) is None


async def test_a_stream_faster_than_its_store_is_not_kept() -> None:
    """Without a turn of the loop nothing is saved; what piles up must be bounded."""
    store = MemoryState()
    log = EventLog(store, "s")
    stream = add(log, *(b"%d" % number for number in range(2000)))
    await saved(log)
    assert await kept_after(store, "s", Place(stream, 0)) is None

"""Whoever waits for what another is at gets its outcome, or hears that there is none."""

import asyncio

import pytest

from bascule.gateway.flights import Flights


async def test_all_who_wait_get_the_outcome() -> None:
    flights: Flights[str, int] = Flights()
    flights.begin("a")
    assert flights.is_open("a")
    assert not flights.is_open("b")
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(flights.outcome("a", 5)) for _ in range(3)]
        await asyncio.sleep(0)
        flights.end("a", 7)
    assert [one.result() for one in waiting] == [7, 7, 7]
    assert not flights.is_open("a")


async def test_without_an_outcome_there_is_none() -> None:
    flights: Flights[str, int] = Flights()
    assert await flights.outcome("a", 5) is None
    flights.begin("a")
    assert await flights.outcome("a", 0) is None
    assert await flights.outcome("a", -1) is None
    flights.end("a", None)
    flights.end("a", 3)
    assert await flights.outcome("a", 5) is None


async def test_who_gives_up_waiting_ends_nothing() -> None:
    flights: Flights[str, int] = Flights()
    flights.begin("a")
    async with asyncio.TaskGroup() as group:
        gone = group.create_task(flights.outcome("a", 5))
        there = group.create_task(flights.outcome("a", 5))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        flights.end("a", 1)
    assert there.result() == 1


async def test_only_one_is_at_it() -> None:
    flights: Flights[str, int] = Flights()
    flights.begin("a")
    with pytest.raises(RuntimeError):
        flights.begin("a")

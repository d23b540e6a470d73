"""A parked call is one caller's, waits a bounded time, and never outlives its gateway."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import structlog

from bascule.gateway.backchannel import CallerRefused
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.errors import ErrorCode, GatewayError, StaleHandle, UpstreamFailed
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.parked import Parked, Step, Ticket, Waiting
from bascule.upstreams.mcp.parked_call import (
    MOST_KEPT_BYTES,
    MOST_QUESTION_BYTES,
    Caller,
    GatewayClosing,
    ParkedTooMany,
    ParkingLimits,
)
from bascule.upstreams.mcp.rounds import Retry
from fakes.asking import ACCEPT, ALL, ROOTS, SAMPLE, LegacyUpstream

QUICK = ParkingLimits(gather_seconds=0.001)


def caller(owner: str = "asha", capabilities: bytes = ALL) -> Caller:
    return Caller(owner, read_capabilities(capabilities), lambda _: None)


class Tasks:
    """Starts what outlives a request, and knows whether it ended."""

    def __init__(self) -> None:
        self.all: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self.all.append(task)
        return task


@asynccontextmanager
async def parking(limits: ParkingLimits = QUICK) -> AsyncIterator[Parked]:
    tasks = Tasks()
    parked = Parked("w1", tasks.start, limits=limits)
    async with asyncio.timeout(5):
        try:
            yield parked
        finally:
            await parked.close()
            assert all(task.done() for task in tasks.all)
            assert len(parked) == 0


def work(upstream: LegacyUpstream) -> Callable[[Hooks], Awaitable[msgspec.Raw | bytes]]:
    return lambda hooks: upstream.send(Retry(hooks=hooks))


async def ask_once(upstream: LegacyUpstream) -> bytes:
    return await upstream.ask(ROOTS)


async def ask_for_ever(upstream: LegacyUpstream) -> bytes:
    while True:
        await upstream.ask(ROOTS)


def waiting(step: Step) -> Waiting:
    assert isinstance(step, Waiting)
    return step


async def test_a_call_that_asks_nothing_is_not_parked() -> None:
    async def say(_: LegacyUpstream) -> bytes:
        return b"{}"

    async with parking() as parked:
        assert await parked.begin(caller(), work(LegacyUpstream(say))) == b"{}"
        assert len(parked) == 0


async def test_a_question_parks_the_call_and_its_answer_takes_it_up() -> None:
    async with parking() as parked:
        upstream = LegacyUpstream(ask_once)
        first = waiting(await parked.begin(caller(), work(upstream)))
        assert first.requests["q1"].method == "roots/list"
        assert len(parked) == 1
        assert await parked.resume(first.ticket, caller(), {"q1": ACCEPT}) == ACCEPT
        assert upstream.answers == [ACCEPT]
        assert len(parked) == 0


async def test_questions_at_once_are_put_together() -> None:
    async def ask_three(upstream: LegacyUpstream) -> bytes:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(upstream.ask(SAMPLE))
        return b"{}"

    async with parking() as parked:
        upstream = LegacyUpstream(ask_three)
        first = waiting(await parked.begin(caller(), work(upstream)))
        assert list(first.requests) == ["q1", "q2", "q3"]
        answers = {"q1": b'{"n":1}', "q2": b'{"n":2}', "q3": b'{"n":3}'}
        assert await parked.resume(first.ticket, caller(), answers) == b"{}"
        assert sorted(upstream.answers) == sorted(answers.values())


async def test_a_full_round_is_put_without_waiting_for_more() -> None:
    async def ask_eight(upstream: LegacyUpstream) -> bytes:
        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(upstream.ask(ROOTS))
        return b"{}"

    async with parking(ParkingLimits(gather_seconds=3600)) as parked:
        first = waiting(await parked.begin(caller(), work(LegacyUpstream(ask_eight))))
        assert len(first.requests) == 8


async def test_missing_answers_are_asked_for_again_and_strange_ones_ignored() -> None:
    async def ask_two(upstream: LegacyUpstream) -> bytes:
        async with asyncio.TaskGroup() as group:
            group.create_task(upstream.ask(ROOTS))
            group.create_task(upstream.ask(SAMPLE))
        return b"{}"

    async with parking() as parked:
        first = waiting(await parked.begin(caller(), work(LegacyUpstream(ask_two))))
        given = {"q1": b"{}", "strange": b"{}"}
        second = waiting(await parked.resume(first.ticket, caller(), given))
        assert list(second.requests) == ["q2"]
        third = waiting(await parked.resume(second.ticket, caller(), {}))
        assert list(third.requests) == ["q2"]
        assert await parked.resume(third.ticket, caller(), {"q1": b"{}", "q2": b"{}"}) == b"{}"


async def test_keys_are_never_used_twice() -> None:
    async with parking() as parked:
        step = waiting(await parked.begin(caller(), work(LegacyUpstream(ask_for_ever))))
        for number in range(1, 4):
            assert list(step.requests) == [f"q{number}"]
            step = waiting(await parked.resume(step.ticket, caller(), {f"q{number}": b"{}"}))


async def test_a_question_that_comes_while_the_caller_is_away_is_asked_next() -> None:
    more = asyncio.Event()

    async def ask_late(upstream: LegacyUpstream) -> bytes:
        async def late() -> None:
            await more.wait()
            await upstream.ask(SAMPLE)

        async with asyncio.TaskGroup() as group:
            group.create_task(upstream.ask(ROOTS))
            group.create_task(late())
        return b"{}"

    async with parking() as parked:
        first = waiting(await parked.begin(caller(), work(LegacyUpstream(ask_late))))
        more.set()
        second = waiting(await parked.resume(first.ticket, caller(), {"q1": b"{}"}))
        assert list(second.requests) == ["q2"]
        assert await parked.resume(second.ticket, caller(), {"q2": b"{}"}) == b"{}"


async def test_a_ticket_is_used_once_even_at_the_same_time() -> None:
    async with parking() as parked:
        first = waiting(await parked.begin(caller(), work(LegacyUpstream(ask_once))))
        outcomes = await asyncio.gather(
            *(parked.resume(first.ticket, caller(), {"q1": b"{}"}) for _ in range(3)),
            return_exceptions=True,
        )
        assert outcomes[0] == b"{}"
        assert [type(one) for one in outcomes[1:]] == [StaleHandle, StaleHandle]


@pytest.mark.parametrize("ticket", [Ticket("w1", "guess"), Ticket("w2", "guess")])
async def test_an_unknown_ticket_is_stale(ticket: Ticket) -> None:
    async with parking() as parked:
        with pytest.raises(StaleHandle):
            await parked.resume(ticket, caller(), {})


async def test_another_callers_ticket_is_stale_and_its_call_waits_on() -> None:
    async with parking() as parked:
        first = waiting(await parked.begin(caller(), work(LegacyUpstream(ask_once))))
        with pytest.raises(StaleHandle):
            await parked.resume(first.ticket, caller("bela"), {"q1": b"{}"})
        assert await parked.resume(first.ticket, caller(), {"q1": b"{}"}) == b"{}"


async def test_a_caller_that_goes_away_while_it_waits_ends_the_exchange() -> None:
    asked = asyncio.Event()

    async def never(_: LegacyUpstream) -> bytes:
        asked.set()
        await asyncio.get_running_loop().create_future()
        return b""

    async with parking() as parked:
        upstream = LegacyUpstream(never)
        waits = asyncio.ensure_future(parked.begin(caller(), work(upstream)))
        await asked.wait()
        waits.cancel()
        await upstream.cancelled.wait()
        with pytest.raises(asyncio.CancelledError):
            await waits


async def test_a_caller_that_goes_away_after_its_retry_ends_the_exchange() -> None:
    answered = asyncio.Event()

    async def stop_after_one(upstream: LegacyUpstream) -> bytes:
        await upstream.ask(ROOTS)
        answered.set()
        await asyncio.get_running_loop().create_future()
        return b""

    async with parking() as parked:
        upstream = LegacyUpstream(stop_after_one)
        first = waiting(await parked.begin(caller(), work(upstream)))
        retry = asyncio.ensure_future(parked.resume(first.ticket, caller(), {"q1": b"{}"}))
        await answered.wait()
        retry.cancel()
        await upstream.cancelled.wait()
        with pytest.raises(asyncio.CancelledError):
            await retry
        assert len(parked) == 0


async def test_a_call_nobody_comes_back_for_is_cancelled_and_logged() -> None:
    async with parking(ParkingLimits(gather_seconds=0, seconds=0.001)) as parked:
        upstream = LegacyUpstream(ask_once)
        with structlog.testing.capture_logs() as logs:
            first = waiting(await parked.begin(caller(), work(upstream)))
            await upstream.cancelled.wait()
        assert [entry["event"] for entry in logs] == ["parked.expired"]
        with pytest.raises(StaleHandle):
            await parked.resume(first.ticket, caller(), {"q1": b"{}"})
        assert len(parked) == 0


async def test_a_failure_of_the_upstream_is_its_callers_to_hear() -> None:
    async def fail(upstream: LegacyUpstream) -> bytes:
        await upstream.ask(ROOTS)
        raise UpstreamFailed("no")

    async def fail_at_once(_: LegacyUpstream) -> bytes:
        raise ZeroDivisionError

    async with parking() as parked:
        first = waiting(await parked.begin(caller(), work(LegacyUpstream(fail))))
        with pytest.raises(UpstreamFailed):
            await parked.resume(first.ticket, caller(), {"q1": b"{}"})
        with pytest.raises(ZeroDivisionError):
            await parked.begin(caller(), work(LegacyUpstream(fail_at_once)))


@pytest.mark.parametrize("size", [10, MOST_KEPT_BYTES + 1])
async def test_a_result_that_comes_while_its_caller_is_away_is_kept_unless_it_is_large(
    size: int,
) -> None:
    give_up, given_up = asyncio.Event(), asyncio.Event()

    async def answer_anyway(upstream: LegacyUpstream) -> bytes:
        asking = asyncio.ensure_future(upstream.ask(ROOTS))
        await give_up.wait()
        asking.cancel()
        given_up.set()
        return b"x" * size

    async with parking() as parked:
        first = waiting(await parked.begin(caller(), work(LegacyUpstream(answer_anyway))))
        give_up.set()
        await given_up.wait()
        await asyncio.gather(*parked._tasks.values())
        assert len(parked) == 1
        if size > MOST_KEPT_BYTES:
            with pytest.raises(ParkedTooMany):
                await parked.resume(first.ticket, caller(), {"q1": b"{}"})
        else:
            assert await parked.resume(first.ticket, caller(), {"q1": b"{}"}) == b"x" * size
        assert len(parked) == 0


async def test_a_question_taken_back_while_it_waits_is_asked_no_more() -> None:
    take_back = asyncio.Event()
    taken_back = asyncio.Event()

    async def ask_and_take_back(upstream: LegacyUpstream) -> bytes:
        asking = asyncio.ensure_future(upstream.ask(ROOTS))
        await take_back.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        taken_back.set()
        return await upstream.ask(SAMPLE)

    async with parking() as parked:
        first = waiting(await parked.begin(caller(), work(LegacyUpstream(ask_and_take_back))))
        take_back.set()
        await taken_back.wait()
        second = waiting(await parked.resume(first.ticket, caller(), {"q1": b"{}"}))
        assert list(second.requests) == ["q2"]


async def test_one_caller_cannot_park_without_end_but_others_still_can() -> None:
    limits = ParkingLimits(gather_seconds=0.001, most_per_owner=2, most=3)
    async with parking(limits) as parked:
        for _ in range(2):
            waiting(await parked.begin(caller(), work(LegacyUpstream(ask_once))))
        refused = LegacyUpstream(ask_for_ever)
        with pytest.raises(GatewayError) as refusal:
            await parked.begin(caller(), work(refused))
        assert refusal.value.error is ErrorCode.UNAVAILABLE
        waiting(await parked.begin(caller("bela"), work(LegacyUpstream(ask_once))))
        with pytest.raises(ParkedTooMany):
            await parked.begin(caller("chitra"), work(LegacyUpstream(ask_once)))
        assert len(parked) == 3


async def test_a_refused_question_is_refused_upstream_too() -> None:
    refused: list[CallerRefused] = []

    async def ask_anyway(upstream: LegacyUpstream) -> bytes:
        try:
            await upstream.ask(ROOTS)
        except CallerRefused as refusal:
            refused.append(refusal)
        await asyncio.get_running_loop().create_future()
        return b""

    async with parking(ParkingLimits(most=0)) as parked:
        upstream = LegacyUpstream(ask_anyway)
        with pytest.raises(ParkedTooMany):
            await parked.begin(caller(), work(upstream))
        await upstream.cancelled.wait()
    assert [refusal.code for refusal in refused] == [-32603]


async def test_an_upstream_that_asks_for_ever_is_refused_in_the_end() -> None:
    limits = ParkingLimits(gather_seconds=0.001, most_questions=2)
    async with parking(limits) as parked:

        async def until_refused(upstream: LegacyUpstream) -> bytes:
            try:
                return await ask_for_ever(upstream)
            except CallerRefused:
                return b'{"refused":true}'

        step = await parked.begin(caller(), work(LegacyUpstream(until_refused)))
        step = await parked.resume(waiting(step).ticket, caller(), {"q1": b"{}"})
        step = await parked.resume(waiting(step).ticket, caller(), {"q2": b"{}"})
        assert step == b'{"refused":true}'


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"method": "tools/list"}, -32601),
        (SAMPLE, -32601),
        ({"method": "roots/list", "params": {"x": "y" * MOST_QUESTION_BYTES}}, -32602),
    ],
)
async def test_what_cannot_be_asked_is_refused_and_the_call_goes_on(
    request_: dict[str, Any], code: int
) -> None:
    async def ask_wrongly(upstream: LegacyUpstream) -> bytes:
        with pytest.raises(CallerRefused) as refusal:
            await upstream.ask(request_)
        assert refusal.value.code == code
        return b"{}"

    async with parking() as parked:
        only_roots = caller(capabilities=b'{"roots":{}}')
        assert await parked.begin(only_roots, work(LegacyUpstream(ask_wrongly))) == b"{}"


async def test_notifications_go_to_whoever_waits_now() -> None:
    heard: list[tuple[str, object]] = []

    async def note_twice(upstream: LegacyUpstream) -> bytes:
        assert upstream.hooks is not None
        upstream.hooks.on_note(Incoming(method="one"))
        await upstream.ask(ROOTS)
        upstream.hooks.on_note(Incoming(method="two"))
        return b"{}"

    def listener(name: str) -> Caller:
        return caller()._replace(on_note=lambda note: heard.append((name, note.method)))

    async with parking() as parked:
        upstream = LegacyUpstream(note_twice)
        first = waiting(await parked.begin(listener("first"), work(upstream)))
        await parked.resume(first.ticket, listener("retry"), {"q1": b"{}"})
    assert heard == [("first", "one"), ("retry", "two")]


async def test_closing_ends_every_exchange_and_tells_who_waits() -> None:
    begun = asyncio.Event()

    async def never(_: LegacyUpstream) -> bytes:
        begun.set()
        await asyncio.get_running_loop().create_future()
        return b""

    async with parking() as parked:
        upstreams = [LegacyUpstream(ask_once), LegacyUpstream(never)]
        first = waiting(await parked.begin(caller(), work(upstreams[0])))
        waits = asyncio.ensure_future(parked.begin(caller(), work(upstreams[1])))
        await begun.wait()
        await parked.close()
        assert all(upstream.cancelled.is_set() for upstream in upstreams)
        with pytest.raises(GatewayClosing):
            await waits
        with pytest.raises(StaleHandle):
            await parked.resume(first.ticket, caller(), {"q1": b"{}"})
        with pytest.raises(GatewayClosing):
            await parked.begin(caller(), work(LegacyUpstream(ask_once)))


async def test_a_ticket_of_another_process_is_taken_there() -> None:
    class There:
        async def resume(self, ticket: Ticket, caller: Caller, answers: object) -> Step:
            return f"{ticket.worker} {caller.owner} {answers}".encode()

    async with parking() as parked:
        parked.elsewhere = There()
        step = await parked.resume(Ticket("w2", "n"), caller(), {"q1": b"{}"})
        assert step == b"w2 asha {'q1': b'{}'}"
        assert parked.seconds == 300

import asyncio
from dataclasses import replace

import pytest

from bascule.gateway.call import Call, Result
from bascule.gateway.connector import BreakerRule, Connector, Retry
from bascule.gateway.errors import (
    GatewayError,
    InvalidValue,
    UpstreamCut,
    UpstreamFailed,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.traffic.breakers import Breaker, State
from bascule.traffic.resilience import CircuitOpen, Resilient, Surroundings
from fakes.executor import FakeExecutor
from fakes.traffic import SHOP, Clock, Script, answered, call_of, make_rest

FINE = answered()
READ, WRITE = make_rest(), make_rest("order", "POST")


class Bench:
    """A resilient executor with its breaker, on a clock of its own."""

    def __init__(self, *outcomes: object, attempts: int = 3, failures: int = 5) -> None:
        self.clock = Clock()
        self.retries = 0
        self.upstream = Script(*outcomes, clock=self.clock)
        connector = Connector(retry=Retry(attempts), breaker=BreakerRule(failures))
        self.breaker = Breaker(connector.breaker, self.clock.now)
        around = Surroundings(self.clock.now, self.clock.sleep, lambda: 1.0, self._count)
        record = replace(SHOP, connector=connector)
        self.executor = Resilient(self.upstream, record, self.breaker, around)

    def _count(self) -> None:
        self.retries += 1

    async def run(self, tool=READ, **options: object):
        """One call; gives what it came to, failures too."""
        try:
            return await self.executor.execute(
                call_of(tool, arrived=self.clock.seconds, **options)  # type: ignore[arg-type]
            )
        except GatewayError as failure:
            return failure


async def test_a_success_is_passed_on_and_counted() -> None:
    bench = Bench(FINE)
    assert await bench.run() is FINE
    assert (bench.breaker.successes, bench.retries, bench.clock.slept) == (1, 0, [])


@pytest.mark.parametrize(
    "outcome", [answered(503), UpstreamUnreachable("x"), UpstreamTimeout("x"), UpstreamCut("x")]
)
async def test_a_read_that_failed_in_passing_is_tried_again(outcome: object) -> None:
    bench = Bench(outcome, outcome, FINE)
    call = call_of(READ)
    assert await bench.executor.execute(call) is FINE
    assert (bench.clock.slept, bench.retries, call.notes) == ([1, 2], 2, {"attempts": 3})


async def test_it_is_tried_no_more_often_than_the_rule_says() -> None:
    bench = Bench(answered(502), attempts=3)
    assert (await bench.run()).upstream_status == 502
    assert len(bench.upstream.calls) == 3


@pytest.mark.parametrize("outcome", [answered(503), UpstreamTimeout("x"), UpstreamCut("x")])
async def test_a_write_that_may_have_acted_is_sent_once(outcome: object) -> None:
    bench = Bench(outcome)
    await bench.run(WRITE)
    assert len(bench.upstream.calls) == 1


async def test_a_write_that_was_not_sent_is_tried_again() -> None:
    bench = Bench(UpstreamUnreachable("x"), FINE)
    assert await bench.run(WRITE) is FINE


async def test_a_write_stops_being_tried_once_it_may_have_acted() -> None:
    bench = Bench(UpstreamUnreachable("x"), UpstreamCut("x"), FINE)
    assert isinstance(await bench.run(WRITE), UpstreamCut)
    assert len(bench.upstream.calls) == 2


async def test_the_upstream_that_says_when_is_asked_then() -> None:
    bench = Bench(UpstreamRateLimited("x", details={"retry_after_seconds": 7}), FINE)
    assert await bench.run() is FINE
    assert bench.clock.slept == [7]
    assert bench.breaker.failures == 0


async def test_a_refusal_by_the_upstream_is_no_failure_of_it() -> None:
    bench = Bench(answered(404), failures=1)
    for outcome in (answered(404), UpstreamFailed("too large"), InvalidValue("x")):
        bench.upstream = Script(outcome)
        bench.executor._run = bench.upstream.execute
        await bench.run()
        assert len(bench.upstream.calls) == 1
    assert bench.breaker.state is State.CLOSED


async def test_no_wait_outlasts_the_deadline() -> None:
    bench = Bench(answered(503))
    await bench.run(deadline=bench.clock.seconds + 2.5)
    assert bench.clock.slept == [1]


async def test_no_try_begins_that_would_take_too_long() -> None:
    bench = Bench((4.0, answered(503)))
    await bench.run(deadline=bench.clock.seconds + 8.9)
    assert (len(bench.upstream.calls), bench.clock.slept) == (1, [])


async def test_without_a_deadline_only_the_rule_bounds_it() -> None:
    bench = Bench((100.0, answered(503)))
    await bench.run(deadline=0.0)
    assert len(bench.upstream.calls) == 3


async def test_an_open_circuit_fails_at_once_and_says_when_to_come_back() -> None:
    bench = Bench(answered(500), attempts=1)
    for _ in range(5):
        await bench.run()
    bench.clock.seconds += 0.5
    refused = await bench.run()
    assert isinstance(refused, CircuitOpen)
    assert refused.error.code == "E4001"
    assert refused.details == {"circuit": "open", "retry_after_seconds": 30}
    assert "Nothing was sent" in refused.public
    assert "shop" not in refused.public
    assert len(bench.upstream.calls) == 5


async def test_a_call_is_one_failure_however_often_it_was_tried() -> None:
    bench = Bench(answered(503), attempts=3, failures=5)
    for failed in (1, 2, 3, 4):
        assert (await bench.run()).upstream_status == 503
        assert (len(bench.upstream.calls), bench.breaker.failures) == (3 * failed, failed)
        assert bench.breaker.is_closed
    await bench.run()
    assert (len(bench.upstream.calls), bench.breaker.state) == (15, State.OPEN)


@pytest.mark.parametrize("last", [FINE, answered(404), UpstreamFailed("too large")])
async def test_the_last_try_is_what_the_breaker_is_told(last: object) -> None:
    bench = Bench(answered(503), UpstreamUnreachable("x"), last)
    await bench.run()
    assert (bench.breaker.failures, bench.breaker.successes) == (0, 1)


async def test_a_try_that_began_before_the_state_changed_says_nothing_about_it_now() -> None:
    bench = Bench(answered(503), answered(503), failures=1)
    run = bench.executor._run

    async def meanwhile(call: Call) -> Result:
        if len(bench.upstream.calls) == 1:  # the second try
            bench.breaker.reset()
        return await run(call)

    bench.executor._run = meanwhile
    bench.executor._retry = Retry(2)
    await bench.run()
    assert (len(bench.upstream.calls), bench.breaker.state) == (2, State.CLOSED)


async def test_others_may_open_it_while_a_call_waits() -> None:
    bench = Bench(answered(503), failures=2)

    async def sleep(seconds: float) -> None:
        del seconds
        for _ in range(2):
            bench.breaker.fail(bench.breaker.epoch)

    bench.executor._around = replace(bench.executor._around, sleep=sleep)
    call = call_of(READ)
    assert (await bench.executor.execute(call)).upstream_status == 503
    assert (len(bench.upstream.calls), call.notes) == (1, None)


async def opened(*outcomes: object) -> Bench:
    """One whose circuit has waited long enough to let a call try."""
    bench = Bench(*outcomes)
    for _ in range(5):
        bench.breaker.fail(bench.breaker.epoch)
    bench.clock.seconds += 30
    return bench


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (FINE, State.CLOSED),
        (answered(404), State.CLOSED),
        (UpstreamRateLimited("x", details={"retry_after_seconds": 1}), State.CLOSED),
        (UpstreamFailed("too large"), State.CLOSED),
        (answered(503), State.OPEN),
        (UpstreamUnreachable("x"), State.OPEN),
        (UpstreamTimeout("x"), State.OPEN),
        (InvalidValue("nothing was sent"), State.HALF_OPEN),
    ],
)
async def test_one_call_tries_once_and_decides(outcome: object, state: State) -> None:
    bench = await opened(outcome)
    await bench.run()
    assert (bench.breaker.state, len(bench.upstream.calls)) == (state, 1)


async def test_while_one_tries_all_others_are_refused() -> None:
    bench = await opened(FINE)
    release = asyncio.Event()
    waiting = FakeExecutor(FINE, release=release)
    bench.executor._run = waiting.execute
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        probe = group.create_task(bench.run())
        await waiting.started.wait()
        refused = [await bench.run() for _ in range(20)]
        release.set()
    assert all(isinstance(one, CircuitOpen) for one in refused)
    assert refused[0].details["retry_after_seconds"] == 1
    assert probe.result() is FINE
    assert bench.breaker.state is State.CLOSED


async def test_a_try_whose_caller_left_is_anothers() -> None:
    bench = await opened(FINE)
    waiting = FakeExecutor(FINE, release=asyncio.Event())
    run, bench.executor._run = bench.executor._run, waiting.execute
    async with asyncio.timeout(5):
        probe = asyncio.ensure_future(bench.run())
        await waiting.started.wait()
        probe.cancel()
        await asyncio.wait([probe])
    bench.executor._run = run
    assert await bench.run() is FINE


async def test_a_caller_who_leaves_ends_the_tries_and_says_nothing_about_the_upstream() -> None:
    bench = Bench(answered(503))
    asleep = asyncio.Event()

    async def sleep(seconds: float) -> None:
        del seconds
        asleep.set()
        await asyncio.Event().wait()

    bench.executor._around = replace(bench.executor._around, sleep=sleep)
    async with asyncio.timeout(5):
        calling = asyncio.ensure_future(bench.run())
        await asleep.wait()
        calling.cancel()
        await asyncio.wait([calling])
    assert calling.cancelled()
    assert (len(bench.upstream.calls), bench.breaker.failures) == (1, 1)


async def test_a_caller_who_leaves_during_a_try_leaves_what_came_of_those_before_it() -> None:
    bench = Bench(answered(503))
    waiting, run = FakeExecutor(FINE, release=asyncio.Event()), bench.executor._run

    async def second_hangs(call: Call) -> Result:
        return await (waiting.execute if bench.retries else run)(call)

    bench.executor._run = second_hangs
    async with asyncio.timeout(5):
        calling = asyncio.ensure_future(bench.run())
        await waiting.started.wait()
        calling.cancel()
        await asyncio.wait([calling])
    assert (bench.breaker.failures, bench.breaker.successes) == (1, 0)


async def test_time_and_chance_are_real_unless_given() -> None:
    executor = Resilient(Script(FINE), SHOP, Breaker(BreakerRule()))
    assert await executor.execute(call_of(READ)) is FINE
    failing = Resilient(
        Script(answered(503)),
        replace(SHOP, connector=Connector(retry=Retry(2, 0.001, 0.001))),
        Breaker(BreakerRule()),
    )
    call = call_of(READ, arrived=0.0, deadline=0.0)
    assert (await failing.execute(call)).upstream_status == 503
    assert call.notes == {"attempts": 2}

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from structlog.testing import capture_logs

from bascule.gateway.errors import UpstreamUnreachable
from bascule.gateway.tool import Upstream
from bascule.traffic.pulse import Finding, Health
from bascule.traffic.watch import Times, Watch
from fakes.traffic import SHOP, Clock

REFUSED = UpstreamUnreachable("x", private="refused")


class Probe:
    """Does what `outcome` says, and notes how many ran at once."""

    def __init__(self) -> None:
        self.outcome: BaseException | None = None
        self.seen: list[str] = []
        self.at_once = self.most_at_once = 0
        self.hold: asyncio.Event | None = None
        self.told: list[str] = []

    async def __call__(self, tenant: str, upstream: Upstream) -> None:
        self.seen.append(f"{tenant}/{upstream.name}")
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.hold is not None:
                await self.hold.wait()
            if self.outcome is not None:
                raise self.outcome
        finally:
            self.at_once -= 1


class Steps(Clock):
    """Sleeps only as often as it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = asyncio.Semaphore(0)
        self.asleep = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.asleep.release()
        await self.turns.acquire()
        self.seconds += seconds

    async def turn(self) -> None:
        """Let a sleeper go on, and wait until one sleeps again."""
        async with asyncio.timeout(5):
            self.turns.release()
            await self.asleep.acquire()


@asynccontextmanager
async def watching(
    interval_seconds: float = 60.0,
) -> AsyncGenerator[tuple[Watch, Probe, Steps]]:
    tasks: list[asyncio.Task[None]] = []

    def start(work) -> asyncio.Task[None]:
        tasks.append(asyncio.ensure_future(work))
        return tasks[-1]

    probe, steps = Probe(), Steps()
    times = Times(steps.now, steps.sleep, lambda: 0.5)
    told: Callable[[str, Upstream], None] = lambda _, one: probe.told.append(one.name)  # noqa: E731
    yield Watch(interval_seconds, probe, start, times, told), probe, steps
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_an_upstream_is_asked_again_and_again() -> None:
    async with watching() as (watch, probe, steps):
        watch.follow([("default", SHOP)])
        async with asyncio.timeout(5):
            await steps.asleep.acquire()
        for _ in range(3):
            await steps.turn()
        assert probe.seen == ["default/shop"] * 3
        assert steps.slept == [2.5, 60, 60, 60]
        assert watch.pulses["default", SHOP].finding == Finding(Health.HEALTHY)
        assert probe.told == ["shop"]


async def test_one_that_is_not_well_is_asked_six_times_as_often_and_recovers() -> None:
    async with watching() as (watch, probe, steps):
        watch.follow([("default", SHOP)])
        async with asyncio.timeout(5):
            await steps.asleep.acquire()
        await steps.turn()
        probe.outcome = REFUSED
        with capture_logs() as logs:
            await steps.turn()
            await steps.turn()
            probe.outcome = None
            await steps.turn()
        assert [one["health"] for one in logs] == ["degraded", "down", "healthy"]
        assert logs[1]["reason"] == "refused"
        assert steps.slept == [2.5, 60, 10, 10, 60]


async def test_a_probe_that_crashes_or_hangs_is_a_failure_and_not_the_end() -> None:
    async with watching() as (watch, probe, steps):
        watch.follow([("default", SHOP)])
        async with asyncio.timeout(5):
            await steps.asleep.acquire()
        for outcome, reason in (
            (ZeroDivisionError(), "the probe failed: ZeroDivisionError"),
            (TimeoutError(), "no answer within 10 s"),
        ):
            probe.outcome = outcome
            with capture_logs():
                await steps.turn()
            assert watch.pulses["default", SHOP].finding == Finding(Health.DOWN, reason)


async def test_who_stays_is_remembered_and_who_goes_is_not() -> None:
    async with watching() as (watch, probe, steps):
        other = replace(SHOP, name="other")
        watch.follow([("default", SHOP), ("default", other)])
        pulse = watch.pulses["default", SHOP]
        async with asyncio.timeout(5):
            await steps.asleep.acquire()
            await steps.asleep.acquire()
        watch.follow([("default", replace(SHOP))])
        await asyncio.sleep(0)
        assert list(watch.pulses) == [("default", SHOP)]
        assert watch.pulses["default", SHOP] is pulse
        await steps.turn()
        assert probe.seen == ["default/shop"]


async def test_only_so_many_are_asked_at_once() -> None:
    async with watching() as (watch, probe, steps):
        probe.hold = asyncio.Event()
        many = [("default", replace(SHOP, name=f"shop{one}")) for one in range(30)]
        watch.follow(many)
        for _ in many:
            steps.turns.release()
        async with asyncio.timeout(5):
            while len(probe.seen) < 8:
                await asyncio.sleep(0)
            probe.hold.set()
            while len(probe.seen) < 30:
                await asyncio.sleep(0)
        assert probe.most_at_once == 8


async def test_where_nobody_wants_it_nobody_is_asked() -> None:
    async with watching(0) as (watch, probe, _):
        watch.follow([("default", SHOP)])
        await asyncio.sleep(0)
        assert (dict(watch.pulses), probe.seen) == ({}, [])


async def test_time_is_real_unless_given() -> None:
    started: list[object] = []
    watch = Watch(60, Probe(), lambda work: started.append(work) or work.close())  # type: ignore[arg-type,func-returns-value]
    watch.follow([("default", SHOP)])
    assert len(started) == 1
    await watch._ask("default", SHOP, watch.pulses["default", SHOP])
    assert watch.pulses["default", SHOP].finding == Finding(Health.HEALTHY)

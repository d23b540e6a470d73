import asyncio
import json

import pytest

from bascule.telemetry.health import Failing, Health, HealthConfig


class Probe:
    """A check whose answer the test decides."""

    def __init__(self, answer: Failing | Exception | None = None) -> None:
        self.answer = answer
        self.runs = 0

    async def __call__(self) -> Failing | None:
        self.runs += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def started(health: Health) -> Health:
    health.start()
    return health


async def test_a_process_is_live_from_its_start_whatever_fails():
    health = Health()
    health.register("journal", Probe(Failing("disk full", "Free some space.")))
    assert not health.live
    health.start()
    assert health.live
    health.drain()
    assert health.live


async def test_ready_needs_start_and_every_check():
    health = Health()
    journal = Probe()
    health.register("journal", journal)
    assert not await health.ready()
    assert (await health.report())["status"] == "starting"
    health.start()
    assert await health.ready()


async def test_a_failing_check_is_reported_with_reason_and_remedy():
    health = started(Health())
    health.register("database", Probe())
    health.register("journal", Probe(Failing("disk full", "Free some space.")))
    report = await health.report()
    assert report == {
        "status": "failing",
        "live": True,
        "checks": {
            "database": {"state": "passing"},
            "journal": {
                "state": "failing",
                "reason": "disk full",
                "remedy": "Free some space.",
            },
        },
    }
    assert json.loads(json.dumps(report)) == report
    assert not await health.ready()


async def test_draining_takes_effect_at_once_and_says_so():
    health = started(Health())
    health.register("journal", Probe())
    assert await health.ready()
    health.drain()
    report = await health.report()
    assert report["status"] == "draining"
    assert report["remedy"] == "Send calls to another instance."
    assert report["checks"] == {"journal": {"state": "passing"}}
    assert not await health.ready()


async def test_a_crashing_check_fails_without_showing_its_message():
    health = started(Health())
    health.register("database", Probe(OSError("password hunter2 refused")))
    report = await health.report()
    assert report["checks"]["database"]["reason"] == "the check crashed: OSError"
    assert "hunter2" not in json.dumps(report)


async def test_a_hanging_check_fails_alone():
    async def hang() -> None:
        await asyncio.Event().wait()

    health = started(Health(HealthConfig(check_timeout_seconds=0.01)))
    health.register("redis", hang)
    health.register("journal", Probe())
    async with asyncio.timeout(5):
        report = await health.report()
    assert report["checks"]["redis"]["reason"] == "no answer within 0.01 s"
    assert report["checks"]["journal"] == {"state": "passing"}


async def test_checks_run_side_by_side():
    meeting = asyncio.Barrier(2)

    async def meet() -> None:
        await meeting.wait()

    health = started(Health(HealthConfig(check_timeout_seconds=5)))
    health.register("one", meet)
    health.register("two", meet)
    async with asyncio.timeout(5):
        assert await health.ready()


async def test_many_probes_cost_one_run_until_the_result_is_old():
    clock = [100.0]
    probe = Probe()
    health = started(Health(HealthConfig(kept_seconds=1.0), now_seconds=lambda: clock[0]))
    health.register("database", probe)
    async with asyncio.timeout(5):
        await asyncio.gather(*(health.ready() for _ in range(20)))
    assert probe.runs == 1
    clock[0] += 0.99
    await health.ready()
    assert probe.runs == 1
    clock[0] += 0.01
    probe.answer = Failing("gone", "Bring it back.")
    assert not await health.ready()
    assert probe.runs == 2


async def test_a_probe_that_gives_up_does_not_block_the_next():
    hanging = asyncio.Event()
    answers = asyncio.Event()

    async def slow() -> None:
        hanging.set()
        await answers.wait()

    health = started(Health(HealthConfig(check_timeout_seconds=5)))
    health.register("database", slow)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        impatient = group.create_task(health.report())
        await hanging.wait()
        impatient.cancel()
    answers.set()
    async with asyncio.timeout(5):
        assert await health.ready()


async def test_a_new_check_counts_at_once_and_a_name_is_taken_once():
    health = started(Health())
    assert await health.ready()
    health.register("journal", Probe(Failing("x", "y")))
    assert not await health.ready()
    with pytest.raises(ValueError, match="already"):
        health.register("journal", Probe())

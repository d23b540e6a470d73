import asyncio
import time
from datetime import UTC, datetime

import pytest

from bascule.gateway.call import Call, Method, Result
from bascule.gateway.errors import ErrorCode
from bascule.gateway.record import AuditRecord, EventType, Status
from bascule.gateway.stage import FailureMode, ResultStage
from bascule.gateway.verdict import PASS, Refuse, Rewrite, Verdict
from bascule.plugins.bounding import SafeObserver, bounded
from fakes.stages import FakeResultStage, FakeStage

RECORD = AuditRecord(
    "e-1", datetime.now(UTC), EventType.TOOL_CALL, "tools/call", Status.SUCCESS, "c-1"
)
REFUSAL = Refuse(ErrorCode.FORBIDDEN, "No.", "no")


def a_call(seconds: float | None = None) -> Call:
    deadline = 0.0 if seconds is None else time.monotonic() + seconds
    return Call(Method.TOOLS_CALL, "c-1", deadline=deadline)


class Sleeper:
    name = "sleeper"
    on_failure = FailureMode.OPEN

    async def inbound(self, call: Call) -> Verdict:
        del call
        await asyncio.Event().wait()
        return PASS


async def test_a_stage_judges_under_its_plugins_name() -> None:
    stage = bounded("office", FakeStage(REFUSAL, name="hours", on_failure=FailureMode.OPEN))
    assert (stage.name, stage.on_failure) == ("office.hours", FailureMode.OPEN)
    assert await stage.inbound(a_call()) is REFUSAL
    assert not isinstance(stage, ResultStage)


async def test_a_stage_that_judges_results_still_does() -> None:
    rewrite = Rewrite({"content": []})
    stage = bounded("office", FakeResultStage(rewrite))
    assert isinstance(stage, ResultStage)
    assert await stage.inbound(a_call(5)) is PASS
    assert await stage.outbound(a_call(5), Result({})) is rewrite


async def test_a_stage_that_waits_beyond_the_deadline_breaks() -> None:
    with pytest.raises(TimeoutError):
        await bounded("office", Sleeper()).inbound(a_call(0.0))


class Broken:
    def observe(self, record: AuditRecord) -> None:
        raise ZeroDivisionError(record.tool_name)


class Kept:
    def __init__(self) -> None:
        self.records: list[AuditRecord] = []

    def observe(self, record: AuditRecord) -> None:
        self.records.append(record)


def test_an_observer_that_breaks_hurts_nobody() -> None:
    SafeObserver("office", Broken()).observe(RECORD)


def test_an_observer_sees_every_record() -> None:
    kept = Kept()
    SafeObserver("office", kept).observe(RECORD)
    assert kept.records == [RECORD]

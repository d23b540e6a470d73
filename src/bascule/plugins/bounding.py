"""Code of plugins in its place on the call path: named after its plugin, and bounded in time."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final

import structlog

from bascule.gateway.call import Call, Result
from bascule.gateway.record import AuditRecord, Observer
from bascule.gateway.stage import ResultStage, Stage
from bascule.gateway.verdict import Verdict

_log = structlog.get_logger(__name__)
_MOST_SECONDS: Final = 60.0


class BoundedStage:
    """A plugin's stage. Waiting beyond the call's deadline counts as its breaking."""

    def __init__(self, plugin: str, stage: Stage) -> None:
        self.name = f"{plugin}.{stage.name}"
        self.on_failure = stage.on_failure
        self._stage = stage

    async def inbound(self, call: Call) -> Verdict:
        """As the stage judges."""
        return await _in_time(self._stage.inbound(call), call)


class BoundedResultStage(BoundedStage):
    """As `BoundedStage`, for one that judges results as well."""

    def __init__(self, plugin: str, stage: ResultStage) -> None:
        super().__init__(plugin, stage)
        self._judge = stage.outbound

    async def outbound(self, call: Call, result: Result) -> Verdict:
        """As the stage judges."""
        return await _in_time(self._judge(call, result), call)


def bounded(plugin: str, stage: Stage) -> Stage:
    """`stage` of `plugin`, bounded."""
    if isinstance(stage, ResultStage):
        return BoundedResultStage(plugin, stage)
    return BoundedStage(plugin, stage)


class SafeObserver:
    """A plugin's observer: what it raises is logged, and hurts nobody."""

    def __init__(self, plugin: str, observer: Observer) -> None:
        self._plugin = plugin
        self._observer = observer

    def observe(self, record: AuditRecord) -> None:
        """Let the observer take note."""
        try:
            self._observer.observe(record)
        except Exception:  # noqa: BLE001 - the edge to code that is not ours
            _log.exception("plugin.observer_broke", plugin=self._plugin)


async def _in_time(judging: Awaitable[Verdict], call: Call) -> Verdict:
    left = call.deadline - time.monotonic() if call.deadline else _MOST_SECONDS
    async with asyncio.timeout(max(0.001, left)):
        return await judging

"""A stage: what changes something is for office hours."""

from collections.abc import Callable
from datetime import UTC, datetime

from bascule.plugins import PASS, Call, ErrorCode, FailureMode, Refuse, RiskLevel, Verdict


def _now() -> datetime:
    return datetime.now(UTC)


class OfficeHours:
    """Refuses tools that write outside of the hours, which are in UTC."""

    name = "office-hours"
    on_failure = FailureMode.CLOSED

    def __init__(self, begin: int, end: int, now: Callable[[], datetime] = _now) -> None:
        self._begin = begin
        self._end = end
        self._now = now

    async def inbound(self, call: Call) -> Verdict:
        """Judge a call of a tool by its risk level and the hour."""
        if call.tool is None or call.tool.risk is RiskLevel.READ:
            return PASS
        if self._begin <= self._now().hour < self._end:
            return PASS
        return Refuse(
            ErrorCode.TOOL_DISABLED,
            public=f"{call.tool.name} changes something, which is possible from "
            f"{self._begin}:00 to {self._end}:00 UTC. Ask again then.",
            private="outside of office hours",
        )

"""An observer: how many calls each tool had, and how many of them went wrong."""

import logging
from collections import Counter

from bascule.plugins import AuditRecord, Status

_log = logging.getLogger(__name__)


class Tally:
    """Counts as records pass; reports when the gateway ends."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def observe(self, record: AuditRecord) -> None:
        """Count one record of a tool call. Quick, for the call waits."""
        if record.tool_name:
            self.calls[record.tool_name] += 1
            if record.status is not Status.SUCCESS:
                self.failures[record.tool_name] += 1

    async def report(self) -> None:
        """Log what was counted."""
        for tool, calls in self.calls.most_common(10):
            _log.info("%s: %d calls, %d failed", tool, calls, self.failures[tool])

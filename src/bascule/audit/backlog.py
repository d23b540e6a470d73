"""Records that could not be written yet: kept within bounds until the disk takes them."""

from collections import deque
from typing import Final

import msgspec

from bascule.audit.lines import encode
from bascule.gateway.record import AuditRecord

MAX_BACKLOG_BYTES: Final = 8 * 1024 * 1024
"""A full disk lasts for hours and a hostile caller goes on calling: memory must not fill too."""


class Backlog:
    """Keeps the oldest records, as those are of calls that acted; later ones were refused."""

    def __init__(self, max_bytes: int = MAX_BACKLOG_BYTES) -> None:
        self._records: deque[AuditRecord] = deque()
        self._sizes: deque[int] = deque()
        self._room_bytes = max_bytes
        self.lost = 0
        """Records that found no room since the last `forget_lost`."""

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: AuditRecord) -> None:
        """Keep `record`, marked as written late, or count it as lost where there is no room."""
        late = msgspec.structs.replace(record, metadata={**record.metadata, "written_late": True})
        size = len(encode(late).fields)
        if size > self._room_bytes:
            self.lost += 1
            return
        self._room_bytes -= size
        self._records.append(late)
        self._sizes.append(size)

    def peek(self) -> list[AuditRecord]:
        """All that is kept, oldest first."""
        return list(self._records)

    def drop(self, count: int) -> None:
        """Forget the `count` oldest: they are durable."""
        for _ in range(count):
            self._records.popleft()
            self._room_bytes += self._sizes.popleft()

    def forget_lost(self, count: int) -> None:
        """Take `count` off the lost: they are on record as such."""
        self.lost -= count

"""The deadline of an exchange in which somebody may be asked, who takes time to answer."""

import asyncio
import time
from types import TracebackType
from typing import Self


class Clock:
    """Ends its block with TimeoutError at the deadline, but stands still while it is paused."""

    def __init__(self, deadline: float) -> None:
        """`deadline` in seconds of `time.monotonic`."""
        self._left_seconds = deadline - time.monotonic()
        self._timeout = asyncio.timeout(self._left_seconds)
        self._pauses = 0
        self._runs = False

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._runs = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._runs = False
        await self._timeout.__aexit__(kind, error, traceback)

    def pause(self) -> None:
        """Stop the clock; each pause is ended by one `resume`."""
        self._pauses += 1
        when = self._timeout.when()
        if self._pauses == 1 and self._is_ticking and when is not None:
            self._left_seconds = when - asyncio.get_running_loop().time()
            self._timeout.reschedule(None)

    def resume(self) -> None:
        """Undo one `pause`."""
        self._pauses -= 1
        if not self._pauses and self._is_ticking:
            now = asyncio.get_running_loop().time()
            self._timeout.reschedule(now + max(self._left_seconds, 0))

    @property
    def _is_ticking(self) -> bool:
        return self._runs and not self._timeout.expired()

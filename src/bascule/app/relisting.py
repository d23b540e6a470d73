"""One look at an upstream's lists at a time, shared by all who wait for it."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

from bascule.app.background import Background
from bascule.gateway.errors import GatewayError, UpstreamTimeout, UpstreamUnreachable

_FRESH_SECONDS: Final = 1.0
"""What a look found, a failure too, is what everybody gets who asks again within this time."""


class SharedLook:
    """A look at the upstream's lists, shared by all who wait for it.

    It goes on when they leave, so one caller's cancellation or deadline is nobody else's.
    """

    def __init__(self, look: Callable[[], Awaitable[float]], background: Background) -> None:
        """`look` gives the seconds for which what it found holds."""
        self._look = look
        self._background = background
        self._flight: asyncio.Task[GatewayError | None] | None = None
        self._ended_at = -math.inf
        self._holds_until = -math.inf

    @property
    def under_way(self) -> bool:
        """Whether somebody waits, or waited, for an answer that has not come."""
        return self._flight is not None and not self._flight.done()

    def begin(self, *, anew: bool = False) -> asyncio.Task[GatewayError | None]:
        """The look under way, the last one where it still holds, else a new one.

        `anew`: something was not found in what the last one brought.
        """
        flight = self._flight
        if flight is None or (flight.done() and self._is_stale(anew=anew)):
            flight = self._flight = self._background.start(self._fly())
        return flight

    async def take(self, deadline: float, *, anew: bool = False) -> None:
        """Wait for `begin`; `deadline` in seconds of `time.monotonic`, 0 waits without one.

        Raises:
            GatewayError: the upstream did not give its lists, or not before `deadline`.
        """
        flight = self.begin(anew=anew)
        if not flight.done():
            timeout = max(0.0, deadline - time.monotonic()) if deadline else None
            await asyncio.wait([flight], timeout=timeout)
        failure = _outcome(flight)
        if failure is not None:
            raise failure.with_traceback(None)

    def expire(self) -> None:
        """Let the next who asks look anew: the upstream said that something changed."""
        self._ended_at = self._holds_until = -math.inf

    def _is_stale(self, *, anew: bool) -> bool:
        now = time.monotonic()
        return now - self._ended_at >= _FRESH_SECONDS and (anew or now >= self._holds_until)

    async def _fly(self) -> GatewayError | None:
        holds_seconds = 0.0
        try:
            holds_seconds = await self._look()
        except GatewayError as failure:
            return failure
        finally:
            self._ended_at = time.monotonic()
            self._holds_until = self._ended_at + holds_seconds
        return None


def _outcome(flight: asyncio.Task[GatewayError | None]) -> GatewayError | None:
    if not flight.done():
        return UpstreamTimeout(
            "The service behind this gateway did not list what it offers in time; try again later.",
            private="the call's deadline passed while the upstream's lists were fetched",
        )
    if flight.cancelled():
        return UpstreamUnreachable(
            "The gateway is stopping. Nothing was sent; try again later.",
            private="stopped while the upstream's lists were fetched",
        )
    return flight.result()

"""Calls to a gateway whose catalogue is whatever its one upstream lists at the moment."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

from bascule.app.background import Background
from bascule.gateway.call import Call, Method, Outcome, Result
from bascule.gateway.dispatch import Wellformed
from bascule.gateway.errors import GatewayError, UpstreamTimeout, UpstreamUnreachable
from bascule.gateway.kernel import Edition
from bascule.gateway.pipeline import Pipeline
from bascule.gateway.snapshot import TenantView
from bascule.gateway.stage import Stage

_FRESH_SECONDS: Final = 1.0
"""What a look found, a failure too, is what everybody gets who asks again within this time."""


class SharedLook:
    """A look at the upstream's list, shared by all who wait for it.

    It goes on when they leave, so one caller's cancellation or deadline is nobody else's.
    """

    def __init__(self, look: Callable[[], Awaitable[None]], background: Background) -> None:
        self._look = look
        self._background = background
        self._flight: asyncio.Task[GatewayError | None] | None = None
        self._ended_at = -math.inf

    async def take(self, deadline: float) -> None:
        """Wait for the look under way, or a new one where the last is no longer fresh.

        `deadline` in seconds of `time.monotonic`; 0 waits as long as the upstream may take.

        Raises:
            GatewayError: the upstream did not give a list, or not before `deadline`.
        """
        flight = self._flight
        if flight is None or (flight.done() and self._is_stale()):
            flight = self._flight = self._background.start(self._fly())
        if not flight.done():
            timeout = max(0.0, deadline - time.monotonic()) if deadline else None
            await asyncio.wait([flight], timeout=timeout)
        failure = _outcome(flight)
        if failure is not None:
            raise failure.with_traceback(None)

    def _is_stale(self) -> bool:
        return time.monotonic() - self._ended_at >= _FRESH_SECONDS

    async def _fly(self) -> GatewayError | None:
        try:
            await self._look()
        except GatewayError as failure:
            return failure
        finally:
            self._ended_at = time.monotonic()
        return None


def _outcome(flight: asyncio.Task[GatewayError | None]) -> GatewayError | None:
    if not flight.done():
        return UpstreamTimeout(
            "The service behind this gateway did not list its tools in time; try again later.",
            private="the call's deadline passed while the upstream's tools were listed",
        )
    if flight.cancelled():
        return UpstreamUnreachable(
            "The gateway is stopping. Nothing was sent; try again later.",
            private="stopped while the upstream's tools were listed",
        )
    return flight.result()


class Relisting:
    """Runs each call on the newest edition, after a look at the list where its answer hangs on it.

    An upstream that does not answer leaves the last list in force for lists, unless that is empty.
    """

    def __init__(
        self, authenticate: Stage, edition: Callable[[], Edition], look: SharedLook, tenant: str
    ) -> None:
        """`edition` gives the newest one, with a pipeline of its own for whole calls."""
        self._edition = edition
        self._look = look
        self._tenant = tenant
        # Who calls is known, and that the message is sound, before the upstream is bothered.
        self._look_first = Pipeline([authenticate, Wellformed()], self)

    async def run(self, call: Call) -> Outcome:
        """Take `call` through the newest edition; its stages and executors are of that one alone.

        Raises:
            GatewayError: as the pipeline; or the upstream's list is needed and cannot be had.
        """
        if self._hangs_on_list(call):
            outcome = await self._look_first.run(call)
            if not isinstance(outcome, Result):
                return outcome
        edition = self._edition()
        call.snapshot = edition.snapshot
        return await edition.pipeline.run(call)

    async def execute(self, call: Call) -> Result:
        """Look again; the result has no members.

        Raises:
            GatewayError: there is neither a new list nor an old one to answer from.
        """
        try:
            await self._look.take(call.deadline)
        except GatewayError:
            if call.method is not Method.TOOLS_LIST or not self._view().tools:
                raise
        return Result({})

    def _hangs_on_list(self, call: Call) -> bool:
        if call.method is Method.TOOLS_CALL:
            return call.tool_name not in self._view().tools
        return call.method is Method.TOOLS_LIST

    def _view(self) -> TenantView:
        return self._edition().snapshot.tenant(self._tenant)

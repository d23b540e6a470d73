"""One stream of changes from an upstream, from the moment it is asked for to its end."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import structlog

from bascule.gateway.errors import GatewayError
from bascule.gateway.feed import ListenFilter
from bascule.gateway.filters import NOTHING, Topic
from bascule.upstreams.mcp.channel import Listening
from bascule.upstreams.mcp.hooks import OnNote

_log = structlog.get_logger(__name__)


class Listenable(Protocol):
    """The part of a `Channel` that a watch needs."""

    def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AbstractAsyncContextManager[Listening]:
        """As `Channel.listen`."""
        ...


class Stream:
    """`settled` is set once it is open, or will not be; `opened_at` in `time.monotonic`."""

    def __init__(self, channel: Listenable, asked: frozenset[Topic]) -> None:
        self.asked = asked
        self.granted: ListenFilter = NOTHING
        self.opened_at: float | None = None
        self.failure: GatewayError | None = None
        self.is_over = False
        self.settled = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        """What runs `hold`."""
        self._channel = channel

    async def hold(self, wanted: ListenFilter, on_note: OnNote, opening_seconds: float) -> str:
        """Keep it open until its server ends it, or `drop`; gives the reason of the end."""
        deadline = time.monotonic() + opening_seconds
        try:
            async with self._channel.listen(wanted, on_note, deadline) as listening:
                self.granted = listening.granted
                self.opened_at = time.monotonic()
                self.settled.set()
                return await listening.ended()
        except GatewayError as failure:
            self.failure = failure
            return failure.private
        except Exception as bug:  # noqa: BLE001 - the edge of a task: the watch must go on
            _log.error("upstream.watch_crashed", exc_info=bug)
            return type(bug).__name__
        finally:
            self.is_over = True
            self.settled.set()

    def drop(self) -> None:
        """Let go of it, as of one that was replaced."""
        self.is_over = True
        if self.task is not None:
            self.task.cancel()

"""Cancels a call whose client has gone, at no cost to calls that finish quickly."""

import asyncio
from typing import Final, Self

from bascule.transports.asgi import Receive

_UNWATCHED_SECONDS: Final = 0.05
"""Most calls are over by then, and never need a task to watch for the disconnect."""


class DisconnectWatch:
    """Watches the connection while entered; on disconnect it cancels the entering task.

    Closing the response stream is how a modern client cancels (specification 2026-07-28,
    basic/patterns/cancellation). After the block, `gone` says whether that happened.
    """

    def __init__(self, receive: Receive) -> None:
        self.gone = False
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._call = asyncio.current_task(loop)
        self._timer = loop.call_later(_UNWATCHED_SECONDS, self._start, loop)
        return self

    def __exit__(self, kind: object, value: object, traceback: object) -> bool:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self.gone and isinstance(value, asyncio.CancelledError) and self._call is not None:
            return self._call.uncancel() == 0
        return False

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        # Not a TaskGroup: this starts from a timer, and __exit__ ends it on every path.
        self._watcher = loop.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._call is not None:
            self._call.cancel()

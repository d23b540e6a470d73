"""Cancels a call whose client has gone, at no cost to calls that finish quickly."""

import asyncio
from typing import Any, Final, Self

from bascule.transports.asgi import Receive

_SWEEP_SECONDS: Final = 0.05
"""Most calls are over within one sweep, and never need a task to watch for the disconnect."""


class Sweep:
    """One timer for all calls: those that it meets a second time are watched from then on."""

    def __init__(self) -> None:
        self._fresh: set[DisconnectWatch] = set()
        self._met: set[DisconnectWatch] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, watch: "DisconnectWatch") -> None:
        """Look after `watch` until it is removed."""
        self._fresh.add(watch)
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_later(_SWEEP_SECONDS, self._go_round)

    def remove(self, watch: "DisconnectWatch") -> None:
        """Its call is over."""
        self._fresh.discard(watch)
        self._met.discard(watch)

    def _go_round(self) -> None:
        loop = self._loop
        if loop is None:
            return
        for watch in self._met:
            watch.start(loop)
        self._met, self._fresh = self._fresh, set()
        if self._met:
            loop.call_later(_SWEEP_SECONDS, self._go_round)
        else:
            self._loop = None


class DisconnectWatch:
    """Watches the connection while entered; on disconnect it cancels the entering task.

    Closing the response stream is how a modern client cancels (specification 2026-07-28,
    basic/patterns/cancellation). After the block, `gone` says whether that happened.
    """

    __slots__ = ("_call", "_receive", "_sweep", "_watcher", "gone")

    def __init__(self, receive: Receive, sweep: Sweep) -> None:
        self.gone = False
        self._receive = receive
        self._sweep = sweep
        self._call: asyncio.Task[object] | None = None
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._call = asyncio.current_task()
        self._sweep.add(self)
        return self

    def __exit__(self, kind: object, value: object, traceback: object) -> bool:
        self._sweep.remove(self)
        if self._watcher is not None:
            self._watcher.cancel()
        return self.gone and _ended_by_leaving(value, self._call)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch from now on."""
        # Not a TaskGroup: this starts from a timer, and __exit__ ends it on every path.
        self._watcher = loop.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._call is not None:
            self._call.cancel()


class Watch:
    """Cancels the entering task once the client has gone; afterwards `gone` says that it has.

    Closing the connection is how a modern client cancels (specification 2026-07-28,
    basic/patterns/cancellation).
    """

    __slots__ = ("_task", "gone")

    def __init__(self) -> None:
        self.gone = False
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> Self:
        self._task = task = asyncio.current_task()
        if self.gone and task is not None:
            task.cancel()
        return self

    def __exit__(self, kind: object, value: object, traceback: object) -> bool:
        task, self._task = self._task, None
        return self.gone and _ended_by_leaving(value, task)

    def leave(self) -> None:
        """The client has gone."""
        self.gone = True
        if self._task is not None:
            self._task.cancel()


def _ended_by_leaving(value: object, task: asyncio.Task[Any] | None) -> bool:
    """Whether `value` is the cancellation of a client that left, and nobody else's as well."""
    if not isinstance(value, asyncio.CancelledError) or task is None:
        return False
    return task.uncancel() == 0

"""Work that outlives the call that began it, but not the process part it belongs to."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

import structlog

_log = structlog.get_logger(__name__)
_Result = TypeVar("_Result")


class Background:
    """Owns tasks; leaving the block cancels those that still run, and waits for their end.

    Not a TaskGroup: what fails in the block keeps its own name instead of becoming a group, and
    a task that fails ends neither the others nor the block. Its failure is logged.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self, work: Coroutine[Any, Any, _Result]) -> asyncio.Task[_Result]:
        """Run `work`; whoever wants its result may wait for the task, but not cancel it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        failure = task.exception()
        if failure is not None:
            _log.error("background.failed", exc_info=failure)

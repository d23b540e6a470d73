"""Work that many wait for and one does."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """One piece of work at a time; who asks while it is under way shares its outcome.

    The work goes on when who began it gives up waiting, since others may wait as well.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether there is something to join."""
        return self._task is not None and not self._task.done()

    def begin(self, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """The task under way, or a new one that does `work`. Its failure may go unseen."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(work())
            self._task.add_done_callback(_look_at)
        return self._task

    async def join(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The outcome of what is under way, or of `work`. Raises what it raises."""
        return await asyncio.shield(self.begin(work))

    async def close(self) -> None:
        """End what is under way, and wait for that."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _look_at(task: asyncio.Task[T]) -> None:
    """Whoever waits is told; without anybody, asyncio would call the failure lost."""
    if not task.cancelled():
        task.exception()

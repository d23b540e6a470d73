"""Bounds what an upstream's notifications can cost: each topic once in a while, however often."""

import asyncio
from collections.abc import Callable
from typing import Final

from bascule.gateway.filters import Topic

FLUSH_SECONDS: Final = 0.05


class Coalescer:
    """Passes on what it takes in, the first at once, then what gathered in `FLUSH_SECONDS`.

    Of one topic the newest counts. Memory is bounded by the topics that its owner lets in.
    """

    def __init__(self, tell: Callable[[Topic, bytes], None]) -> None:
        self._tell = tell
        self._gathered: dict[Topic, bytes] = {}
        self._timer: asyncio.TimerHandle | None = None

    def take(self, topic: Topic, params: bytes) -> None:
        """Tell of `topic` now, or soon."""
        self._gathered[topic] = params
        if self._timer is None:
            self._flush()

    def close(self) -> None:
        """Tell nothing more."""
        self._gathered.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        self._timer = None
        gathered, self._gathered = self._gathered, {}
        if gathered:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush)
        for topic, params in gathered.items():
            self._tell(topic, params)

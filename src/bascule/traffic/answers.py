"""Answers of reads, kept for equal calls; bounded, in one process."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from bascule.gateway.call import Result
from bascule.gateway.tool import Tool


def _never() -> int:
    return 0


class Space:
    """The answers of one upstream. Whatever was kept, or is on its way, ends with `forget`.

    So it does when `generation` grows: that of the credentials that the answers were given to.
    """

    __slots__ = ("_forgotten", "_generation")

    def __init__(self, generation: Callable[[], int] = _never) -> None:
        self._forgotten = 0
        self._generation = generation

    @property
    def epoch(self) -> int:
        """Grows whenever what was kept has ended."""
        return self._forgotten + self._generation()

    def forget(self) -> None:
        """Something changed there: no answer from before is given again."""
        self._forgotten += 1


class Key(NamedTuple):
    """What an answer is to. `scope` tells callers apart whose answers differ, "" for none.

    A space is one upstream's of one tenant: nothing is ever found across two.
    """

    space: Space
    epoch: int
    bundle: str
    tool: str
    version: str
    scope: str
    arguments: bytes


class _Kept(NamedTuple):
    result: Result
    tool: Tool
    size_bytes: int
    since: float
    until: float


class Aged(NamedTuple):
    """An answer, and how many seconds ago it was given."""

    result: Result
    age_seconds: float


@dataclass(slots=True)
class Tally:
    """How often an answer was found (or shared with a call under way), and how often not."""

    hits: int = 0
    misses: int = 0


@dataclass(slots=True)
class Answers:
    """Kept answers of all upstreams; what was not used for longest goes first.

    One that is larger than a sixteenth of `most_bytes` is not kept.
    """

    most_entries: int = 10_000
    most_bytes: int = 64 * 1024 * 1024
    now: Callable[[], float] = time.monotonic
    tally: Tally = field(default_factory=Tally)
    size_bytes: int = field(default=0, init=False)
    _kept: OrderedDict[Key, _Kept] = field(default_factory=OrderedDict[Key, _Kept], init=False)

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: Key, tool: Tool) -> Aged | None:
        """The answer kept for `key`, if `tool` is still the one that gave it."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        now = self.now()
        if now >= kept.until or not (kept.tool is tool or kept.tool == tool):
            self._remove(key)
            return None
        if kept.tool is not tool:  # compiled anew, and the same: compared once
            self._kept[key] = kept._replace(tool=tool)
        self._kept.move_to_end(key)
        return Aged(kept.result, now - kept.since)

    def keep(self, key: Key, tool: Tool, result: Result) -> None:
        """Keep `result` for as long as `tool` says."""
        size_bytes = len(msgspec.json.encode(result.body)) + len(key.arguments)
        if not self.most_entries or size_bytes * 16 > self.most_bytes:
            return
        self._remove(key)
        now = self.now()
        self._kept[key] = _Kept(result, tool, size_bytes, now, now + tool.cache_seconds)
        self.size_bytes += size_bytes
        while len(self._kept) > self.most_entries or self.size_bytes > self.most_bytes:
            self._remove(next(iter(self._kept)))

    def _remove(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.size_bytes -= kept.size_bytes

"""Who is not to be tried again for a while, because trying did harm."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

_MOST_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class PenaltyRule:
    """From the strike after the first `lenient` ones, `first_seconds`, doubled by each further one
    up to `most_seconds`. Strikes count until `memory_seconds` after the last one.
    """

    first_seconds: float = 0.5
    most_seconds: float = 30.0
    memory_seconds: float = 120.0
    lenient: int = 0


@dataclass(slots=True)
class _Record:
    strikes: int
    last: float
    until: float
    why: str


class Penalties:
    """Strikes by key. `now` gives seconds of a clock that never goes back."""

    def __init__(self, rule: PenaltyRule, now: Callable[[], float] = time.monotonic) -> None:
        self._rule = rule
        self._now = now
        self._records: OrderedDict[Hashable, _Record] = OrderedDict()

    def remaining(self, key: Hashable) -> float:
        """The seconds until it may be tried again; 0 where it may."""
        record = self._records.get(key)
        return 0.0 if record is None else max(0.0, record.until - self._now())

    def is_known(self, key: Hashable) -> bool:
        """Whether it did harm in the time that counts, even if it did well since."""
        record = self._records.get(key)
        return record is not None and self._now() - record.last <= self._rule.memory_seconds

    def why(self, key: Hashable) -> str:
        """What harm it did the last time; empty where that is not known."""
        record = self._records.get(key)
        return "" if record is None else record.why

    def strike(self, key: Hashable, why: str = "") -> float:
        """Note that it did harm, and which; the seconds until it may be tried again."""
        now, rule = self._now(), self._rule
        before = self._records.pop(key, None)
        recent = before is not None and now - before.last <= rule.memory_seconds
        strikes = before.strikes + 1 if before is not None and recent else 1
        counted = strikes - rule.lenient
        doubled = min(counted - 1, 32)
        seconds = min(rule.first_seconds * 2**doubled, rule.most_seconds) if counted > 0 else 0.0
        self._records[key] = _Record(strikes, now, now + seconds, why)
        if len(self._records) > _MOST_KEPT:
            self._records.popitem(last=False)
        return seconds

    def pardon(self, key: Hashable) -> None:
        """Count its strikes anew: it did well. That it did harm is still known."""
        if record := self._records.get(key):
            record.strikes, record.until = 0, 0.0

"""How one upstream stands, out of what its last probes came to."""

from collections import deque
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

SLOW_SECONDS: Final = 2.0
"""A probe that takes longer finds the upstream degraded."""
_REMEMBERED: Final = 6
_FLAPS: Final = 3
"""So many turns between well and unwell among the probes remembered are no accident."""


class Health(StrEnum):
    """`degraded` works, but slowly, or not each time; `down` does not."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"


class Finding(NamedTuple):
    """How it stands, and why; `reason` is for who operates it, "" where all is well."""

    health: Health
    reason: str = ""


class _Beat(NamedTuple):
    seconds: float
    failure: str


class Pulse:
    """The last probes of one upstream."""

    def __init__(self) -> None:
        self._beats: deque[_Beat] = deque(maxlen=_REMEMBERED)

    def note(self, seconds: float, failure: str = "") -> None:
        """A probe took `seconds`; `failure` says why it failed, "" that it did not."""
        self._beats.append(_Beat(seconds, failure))

    @property
    def last_seconds(self) -> float | None:
        """How long the last probe took; None before the first."""
        return self._beats[-1].seconds if self._beats else None

    @property
    def finding(self) -> Finding | None:
        """None before the first probe. One failure after a success may be a restart: degraded."""
        if not self._beats:
            return None
        last = self._beats[-1]
        before = self._beats[-2].failure if len(self._beats) > 1 else last.failure
        if last.failure:
            return Finding(Health.DOWN if before else Health.DEGRADED, last.failure)
        turns = sum(bool(one.failure) != bool(two.failure) for one, two in pairwise(self._beats))
        if turns >= _FLAPS:
            return Finding(Health.DEGRADED, "it comes and goes")
        if last.seconds > SLOW_SECONDS:
            return Finding(Health.DEGRADED, f"it is slow: the last probe took {last.seconds:.1f} s")
        return Finding(Health.HEALTHY)

"""A breaker for each upstream: after too many failures, calls fail at once instead of waiting.

Closed, it costs a call one look and one addition. It belongs to one process: another one may see
the upstream differently, and shared state would put a round trip before each call. What changes is
told to `on_change`, so that processes can be told of each other's later.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from bascule.gateway.connector import BreakerRule
from bascule.gateway.tool import Upstream

LEAST_SHARE: Final = 0.1
"""Of the calls within the window, so many must have failed, unless nothing but failures came.

Without it, an upstream with a thousand calls a second would be shut off for five of them."""


class State(StrEnum):
    """`closed` lets all calls pass, `open` none, `half_open` one, which decides."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class _Mark(NamedTuple):
    """How much had been counted at a time."""

    at: float
    successes: int
    failures: int


def _ignore(state: State) -> None:
    del state


class Breaker:
    """Opens at `rule.failures` within `rule.window_seconds`, and lets one call try after a while.

    `is_closed`, `successes` and `epoch` are plain attributes, for the way of each call: while it is
    closed, who calls adds to `successes`, or reports the failure with the epoch it began in. What
    began before the state changed says nothing about the state now.
    """

    __slots__ = (
        "_failures", "_now", "_on_change", "_probing", "_recent", "_row", "_row_began", "_rule",
        "_since", "_turned", "_until", "epoch", "is_closed", "successes",
    )  # fmt: skip

    def __init__(
        self,
        rule: BreakerRule,
        now: Callable[[], float] = time.monotonic,
        on_change: Callable[[State], None] = _ignore,
    ) -> None:
        """A rule of 0 failures never opens. `now` gives seconds of any steady clock."""
        self._rule = rule
        self._now = now
        self._on_change = on_change
        self.is_closed = True
        self.successes = 0
        self.epoch = 0
        self._until = 0.0
        self._probing = False
        self._forget()

    @property
    def state(self) -> State:
        """As it is now: an open one that waited long enough is half open."""
        if self.is_closed:
            return State.CLOSED
        return State.HALF_OPEN if self._now() >= self._until else State.OPEN

    @property
    def failures(self) -> int:
        """How many counted within the window; at most as many as open it."""
        since = self._now() - self._rule.window_seconds
        return sum(1 for at in self._recent if at > since)

    @property
    def retry_after_seconds(self) -> float:
        """How long until a call may try; 0 where one may now, or is trying."""
        return 0.0 if self.is_closed else max(0.0, self._until - self._now())

    def fail(self, epoch: int) -> None:
        """A call that began at `epoch` failed."""
        rule = self._rule
        if epoch != self.epoch or not self.is_closed or rule.failures <= 0:
            return
        now = self._now()
        self._count(now)
        recent = self._recent
        enough = len(recent) == rule.failures and now - recent[0] < rule.window_seconds
        if enough and (self._row >= rule.failures or self._share() >= LEAST_SHARE):
            self._open(now)

    def take_probe(self) -> int | None:
        """The epoch of the one call that may try now; None for all others.

        Who gets one gives it back: by `settle`, or `give_back` where nothing was learnt.
        """
        if self.is_closed or self._probing or self._now() < self._until:
            return None
        self._probing = True
        self._on_change(State.HALF_OPEN)
        return self.epoch

    def settle(self, epoch: int, *, works: bool) -> None:
        """What the call that tried came to: it closes, or stays open for as long again."""
        if epoch != self.epoch:
            return
        if works:
            self.reset()
        else:
            self._open(self._now())

    def give_back(self, epoch: int) -> None:
        """The call that tried ended before it reached the upstream; another may."""
        if epoch == self.epoch:
            self._probing = False

    def reset(self) -> None:
        """Close it, and forget what was counted."""
        was_closed = self.is_closed
        self._change(is_closed=True)
        self._forget()
        if not was_closed:
            self._on_change(State.CLOSED)

    def _open(self, now: float) -> None:
        self._until = now + self._rule.open_seconds
        self._change(is_closed=False)
        self._on_change(State.OPEN)

    def _change(self, *, is_closed: bool) -> None:
        self.is_closed = is_closed
        self._probing = False
        self.epoch += 1

    def _forget(self) -> None:
        self._recent: deque[float] = deque(maxlen=max(1, self._rule.failures))
        self._failures = 0
        self._row = 0
        self._row_began = self.successes
        self._since = self._turned = _Mark(self._now(), self.successes, 0)

    def _count(self, now: float) -> None:
        if self._row_began != self.successes:
            self._row_began, self._row = self.successes, 0
        # Two halves of a window, so that what is looked back on is never less than half of one.
        if now - self._turned.at >= self._rule.window_seconds / 2:
            self._since = self._turned
            self._turned = _Mark(now, self.successes, self._failures)
        self._row += 1
        self._failures += 1
        self._recent.append(now)

    def _share(self) -> float:
        failures = self._failures - self._since.failures
        return failures / (failures + self.successes - self._since.successes)


class Breakers:
    """The breaker of each (tenant, upstream record), kept for as long as the record is the same."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        on_change: Callable[[str, Upstream, State], None] | None = None,
    ) -> None:
        """`on_change` is told the tenant, the upstream, and the new state."""
        self._now = now
        self._told = on_change
        self._breakers: dict[tuple[str, Upstream], Breaker] = {}

    def of(self, tenant: str, upstream: Upstream) -> Breaker:
        """The one of this record."""
        key = tenant, upstream
        found = self._breakers.get(key)
        if found is None:
            found = self._breakers[key] = Breaker(
                upstream.connector.breaker, self._now, self._teller(tenant, upstream)
            )
        return found

    def keep(self, named: Iterable[tuple[str, Upstream]]) -> None:
        """Forget those of every other record."""
        for key in self._breakers.keys() - set(named):
            del self._breakers[key]

    def all(self) -> list[tuple[str, Upstream, Breaker]]:
        """Every one, with its tenant and upstream."""
        return [(tenant, upstream, one) for (tenant, upstream), one in self._breakers.items()]

    def _teller(self, tenant: str, upstream: Upstream) -> Callable[[State], None]:
        def tell(state: State) -> None:
            if self._told is not None:
                self._told(tenant, upstream, state)

        return tell

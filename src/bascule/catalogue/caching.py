"""Answers of upstreams kept for as long as they say, and fetched once for all who wait.

Source: specification 2026-07-28, server/utilities/caching.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, Generic, NamedTuple, TypeVar

from bascule.gateway.errors import UpstreamTimeout

MOST_SECONDS: Final = 300.0
"""However long an upstream says its answer holds."""

_T = TypeVar("_T")


class Key(NamedTuple):
    """What an answer is to: `scope` is whose it is, b"" or a text that names one caller.

    `upstream` tells servers and their settings apart, `about` the method and its parameters.
    """

    tenant: str
    upstream: str
    about: str
    scope: str


class Fresh(NamedTuple, Generic[_T]):
    """An answer, and how long it still holds."""

    value: _T
    ttl_ms: int = 0
    public: bool = False
    size_bytes: int = 0


class Cache(Generic[_T]):
    """Bounded in answers and bytes; what was not used for longest goes first."""

    def __init__(self, most_entries: int = 10_000, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, tuple[Fresh[_T], float]] = OrderedDict()
        self._flights: dict[Key, asyncio.Event] = {}
        self._drops = 0

    async def get(
        self, key: Key, fetch: Callable[[], Awaitable[Fresh[_T]]], deadline: float
    ) -> Fresh[_T]:
        """The answer kept for `key`, or else what `fetch` gives.

        Who asks while another fetches the same waits for it, until `deadline` (seconds of
        `time.monotonic`, 0 for none), and fetches anew only if the answer may not be shared.

        Raises:
            UpstreamTimeout: the one who fetches takes longer than the deadline.
            GatewayError: as `fetch`.
        """
        found = self._find(key)
        if found is not None:
            return found
        anybody = key._replace(scope="")
        flight = self._flights.get(anybody)
        if flight is not None:
            await _wait(flight, deadline)
            return self._find(key) or await self._fetch(key, fetch)
        self._flights[anybody] = asyncio.Event()
        try:
            return await self._fetch(key, fetch)
        finally:
            self._flights.pop(anybody).set()

    def drop(self, tenant: str, upstream: str, about: str | None = None) -> None:
        """Forget what `upstream` answered; of one thing, or (None) of everything."""
        self._drops += 1
        for key in list(self._kept):
            same = key.tenant == tenant and key.upstream == upstream
            if same and (about is None or key.about == about):
                self._remove(key)

    async def _fetch(self, key: Key, fetch: Callable[[], Awaitable[Fresh[_T]]]) -> Fresh[_T]:
        drops = self._drops
        fresh = await fetch()
        seconds = min(fresh.ttl_ms / 1000, MOST_SECONDS)
        # What was on its way while something was dropped may be what had to go.
        if seconds > 0 and drops == self._drops and fresh.size_bytes * 16 <= self._most_bytes:
            self._keep(key._replace(scope="") if fresh.public else key, fresh, seconds)
        return fresh

    def _keep(self, key: Key, fresh: Fresh[_T], seconds: float) -> None:
        self._remove(key)
        self._kept[key] = fresh, time.monotonic() + seconds
        self._bytes += fresh.size_bytes
        while len(self._kept) > self._most_entries or self._bytes > self._most_bytes:
            self._remove(next(iter(self._kept)))

    def _find(self, key: Key) -> Fresh[_T] | None:
        for one in (key, key._replace(scope="")):
            kept = self._kept.get(one)
            if kept is None:
                continue
            fresh, until = kept
            left_ms = int((until - time.monotonic()) * 1000)
            if left_ms > 0:
                self._kept.move_to_end(one)
                return fresh._replace(ttl_ms=left_ms)
            self._remove(one)
        return None

    def _remove(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= kept[0].size_bytes


async def _wait(flight: asyncio.Event, deadline: float) -> None:
    left = max(0.0, deadline - time.monotonic()) if deadline else None
    try:
        async with asyncio.timeout(left):
            await flight.wait()
    except TimeoutError:
        raise UpstreamTimeout(
            "The service behind this did not answer in time; try again later.",
            private="the deadline passed while another call fetched the same",
        ) from None

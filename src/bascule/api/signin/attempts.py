"""Wrong passwords, counted: by account and by address, among all processes that share a store.

An attempt is written down before the password is looked at, so that many at once count as well;
those that are turned away count no further, so that nobody is locked out for longer than one
window by somebody who goes on trying. A good password wipes its account's slate.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from typing import Final

from bascule.gateway.state import StateStore

WINDOW_SECONDS: Final = 900.0
PER_ADDRESS: Final = 10
"""How many times as many an address may have as an account."""

_TRIED: Final = b"t"
_PROVED: Final = b"p"


@dataclass(frozen=True, slots=True)
class Slate:
    """What is counted of one account or address, and how much of it is too much."""

    log: str
    most: int
    forgives_all: bool
    """A good password makes up for all wrong ones, and not for itself alone."""


class Attempts:
    """The slates of accounts and addresses, in `state`. `now_seconds` is the same on all hosts."""

    def __init__(
        self,
        state: StateStore,
        most_per_account: int,
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._most = most_per_account
        self._now = now_seconds

    def slates(self, tenant: str, account: str, peer: str) -> tuple[Slate, ...]:
        """What an attempt of `peer` at `account` is counted on."""
        whose = _hidden(tenant, account.casefold())
        return (
            Slate(f"sign-in:account:{whose}", self._most, forgives_all=True),
            Slate(f"sign-in:address:{_hidden(peer)}", self._most * PER_ADDRESS, forgives_all=False),
        )

    async def admit(self, slates: Iterable[Slate]) -> int | None:
        """Count an attempt; None to go on, else in how many seconds the next one may be made.

        Raises:
            StateUnavailable: nobody can say, so nobody may try.
        """
        slates = tuple(slates)
        waits = [wait for slate in slates if (wait := await self._full(slate)) is not None]
        if waits:
            return max(waits)
        waits = [wait for slate in slates if (wait := await self._write(slate)) is not None]
        return max(waits) if waits else None

    async def prove(self, slates: Iterable[Slate]) -> None:
        """Note that the password was good."""
        for slate in slates:
            await self._append(slate, _PROVED)

    async def _full(self, slate: Slate) -> int | None:
        return self._wait(slate, await self._state.read(slate.log, 0))

    async def _write(self, slate: Slate) -> int | None:
        """Add an attempt; how long to wait where others were quicker, and it is one too many."""
        mine = await self._append(slate, _TRIED)
        entries = await self._state.read(slate.log, 0)
        return self._wait(slate, [entry for entry in entries if entry[0] < mine])

    async def _append(self, slate: Slate, kind: bytes) -> int:
        entry = kind + str(self._now()).encode()
        most = 4 * slate.most + 64
        return await self._state.append(slate.log, entry, most=most, ttl_seconds=WINDOW_SECONDS)

    def _wait(self, slate: Slate, entries: Iterable[tuple[int, bytes]]) -> int | None:
        now = self._now()
        counted: list[float] = []
        for _, entry in entries:
            moment = float(entry[1:])
            counted = [one for one in counted if one > moment - WINDOW_SECONDS]
            if entry[:1] == _PROVED:
                counted = [] if slate.forgives_all else counted[:-1]
            elif len(counted) < slate.most:
                counted.append(moment)
        counted = [one for one in counted if one > now - WINDOW_SECONDS]
        if len(counted) < slate.most:
            return None
        return max(1, ceil(counted[0] + WINDOW_SECONDS - now))


def _hidden(*parts: str) -> str:
    """Names of accounts stay out of the store's keys, where operators and backups read them."""
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:32]

"""Wrong passwords, counted: by account and by address, among all processes that share a store.

An attempt is written down before the password is looked at, so that many at once count as well;
those that are turned away count no further, so that nobody is locked out for longer than one
window by somebody who goes on trying. A good password wipes its account's slate.

New accounts of people whom an issuer vouches for are counted alike, by issuer and address.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from typing import Final

from bascule.gateway.errors import ErrorCode
from bascule.gateway.state import StateStore
from bascule.gateway.verdict import Refuse

WINDOW_SECONDS: Final = 900.0
PER_ADDRESS: Final = 10
"""How many times as many an address may have as an account."""
PER_ISSUER: Final = 100
"""How many times as many people of an issuer may come in for the first time."""

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

    def newcomer_slates(self, tenant: str, issuer: str, peer: str) -> tuple[Slate, ...]:
        """What is counted for somebody of `issuer` who has no account yet, and comes from `peer`.

        An address makes as many new accounts as it may have wrong passwords, and an issuer ten
        times that, in each tenant: one that lets anybody in keeps nobody out of another.
        """
        here = f"sign-in:newcomer:{_hidden(tenant, issuer, peer)}"
        everywhere = f"sign-in:newcomers:{_hidden(tenant, issuer)}"
        return (
            Slate(here, self._most * PER_ADDRESS, forgives_all=False),
            Slate(everywhere, self._most * PER_ISSUER, forgives_all=False),
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
        counted: deque[float] = deque()
        for _, entry in entries:
            moment = float(entry[1:])
            _forget_before(counted, moment - WINDOW_SECONDS)
            if entry[:1] != _PROVED:
                if len(counted) < slate.most:
                    counted.append(moment)
            elif slate.forgives_all:
                counted.clear()
            elif counted:
                counted.pop()
        _forget_before(counted, now - WINDOW_SECONDS)
        if len(counted) < slate.most:
            return None
        return max(1, ceil(counted[0] + WINDOW_SECONDS - now))


def _forget_before(counted: deque[float], moment: float) -> None:
    """Drop those that are as old, from the left: there are the oldest, but for hosts' clocks."""
    while counted and counted[0] <= moment:
        counted.popleft()


def turned_away(sentence: str, seconds: int) -> Refuse:
    """The refusal of one attempt too many: `sentence` says of what, `seconds` how long to wait."""
    shown = f"{-(-seconds // 60)} minutes"
    if seconds < 90:
        shown = "one second" if seconds == 1 else f"{seconds} seconds"
    return Refuse(
        ErrorCode.TOO_MANY_ATTEMPTS,
        public=f"{sentence} Try again in {shown}.",
        private="too many attempts",
        details={"retry_after_seconds": seconds},
    )


def _hidden(*parts: str) -> str:
    """Names of accounts stay out of the store's keys, where operators and backups read them."""
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:32]

"""Leases in the state store: one holder for each key, however many processes want to be it.

A lease says that its holder lives; it proves nothing. Between two looks at the store another may
have got it, or the store may have begun anew. What must not happen twice is kept apart by the
version of the message in the database (see `Store.save`).
"""

import hashlib
from typing import Final

from bascule.gateway.state import StateStore

RENEWALS: Final = 3
"""How often a lease is renewed in the time that it lives."""


class Lease:
    """`key` for `seconds` from the last renewal, under a `token` that no other holder has."""

    def __init__(self, state: StateStore, key: str, token: bytes, seconds: float) -> None:
        self._state = state
        self._key = key
        self._token = token
        self.seconds = seconds

    async def take(self) -> bool:
        """Begin to hold it; False where somebody does."""
        return await self._state.put_new(self._key, self._token, self.seconds)

    async def renew(self) -> bool:
        """Hold it for as long again; False where it is another's now."""
        found = await self._state.get(self._key)
        if found is None:  # it was late, or the store has forgotten
            return await self.take()
        if found != self._token:
            return False
        await self._state.put(self._key, self._token, self.seconds)
        return True

    async def seize(self) -> None:
        """Hold it, whoever does. They notice when they renew it."""
        await self._state.put(self._key, self._token, self.seconds)

    async def release(self) -> None:
        """Hold it no longer. What is another's by now stays theirs."""
        if await self._state.get(self._key) == self._token:
            await self._state.delete(self._key)


def key_of(kind: str, *parts: str) -> str:
    """A key of bounded length; no two lists of `parts` without NUL give the same one."""
    digest = hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()
    return f"chat:{kind}:{digest}"

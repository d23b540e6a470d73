"""Grants and registrations for one process, gone with it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bascule.upstreams.oauth.ports import Grant, Holder, Registration


class MemoryGrants:
    """Keeps grants in memory; a `Grants`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Holder, str], Grant] = {}
        self._turn = asyncio.Lock()

    async def load(self, holder: Holder, resource: str) -> Grant | None:
        """The grant, if there is one."""
        return self._kept.get((holder, resource))

    async def save(self, holder: Holder, grant: Grant) -> None:
        """Keep the grant in place of any for the same holder and resource."""
        self._kept.pop((holder, grant.resource), None)
        self._kept[holder, grant.resource] = grant

    async def forget(self, holder: Holder, resource: str) -> None:
        """Remove what the holder has for `resource`."""
        self._kept.pop((holder, resource), None)

    @asynccontextmanager
    async def refreshing(self, holder: Holder, resource: str) -> AsyncGenerator[Grant | None]:
        """Have the refresh token alone while the block lasts."""
        async with self._turn:
            yield self._kept.get((holder, resource))

    async def lender(self, tenant: str, upstream: str) -> str | None:
        """The gateway itself, else who consented first and still has it."""
        found = [
            holder.owner
            for holder, _ in self._kept
            if holder.tenant == tenant and holder.upstream == upstream
        ]
        if not found:
            return None
        return "" if "" in found else found[0]


class MemoryRegistrations:
    """Keeps registrations in memory; a `Registrations`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Registration] = {}

    async def load(self, tenant: str, issuer: str) -> Registration | None:
        """The registration, if there is one."""
        return self._kept.get((tenant, issuer))

    async def save(self, tenant: str, registration: Registration) -> None:
        """Keep the registration in place of any with the same issuer."""
        self._kept[tenant, registration.issuer] = registration

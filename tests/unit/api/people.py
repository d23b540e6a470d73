"""People of a site, and requests that they make."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from starlette.requests import Request

from bascule.gateway.principal import Evidence, Means, Principal
from bascule.gateway.verdict import Refuse
from bascule.identity.api_keys import digest_of
from bascule.identity.standing import standing_of
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.users import UserDraft, Users
from unit.api.site import Site, altered

VISITOR: Final = "x-visitor"
"""The header in which the requests of tests name who is signed in, by tenant and id."""


async def add_user(
    site: Site, name: str, *roles: str, tenant: str = "default", can_sign_in: bool = True
) -> UUID:
    """Add somebody who can sign in unless told otherwise; gives their id."""
    async with site.rows(tenant) as (session, tenant_id):
        kept = "$argon2id$unused" if can_sign_in else None
        draft = UserDraft(name, roles=frozenset(roles), password_hash=kept)
        return (await Users(session, tenant_id).create(draft)).id


async def add_person(site: Site, name: str, *roles: str, tenant: str = "default") -> str:
    """Add somebody with a key of their own; gives the key, which is `bsc_{name}`."""
    user_id = await add_user(site, name, *roles, tenant=tenant)
    secret = f"bsc_{name}"
    async with site.rows(tenant) as (session, tenant_id):
        draft = KeyDraft(name, digest_of(secret), secret[:12], frozenset(roles), user_id=user_id)
        await Keys(session, tenant_id).create(draft)
    return secret


async def revoke_key(site: Site, name: str, tenant: str = "default") -> None:
    """Revoke the key of that name behind the API's back."""
    async with site.rows(tenant) as (session, tenant_id):
        keys = Keys(session, tenant_id)
        for key in await keys.list():
            if key.name == name:
                await keys.revoke(key.id)


class _Visitors:
    """Believes whoever is named to be signed in."""

    def __init__(self, site: Site, scopes: frozenset[str] | None) -> None:
        self._site = site
        self._scopes = scopes

    def carried(self, request: Request) -> bool:
        return VISITOR in request.headers

    async def identify(self, request: Request) -> Principal | Refuse:
        tenant, _, user_id = request.headers[VISITOR].partition(" ")
        evidence = Evidence(
            Means.SESSION, tenant, "", user_id, "somebody", "Some Body", scopes=self._scopes
        )
        return standing_of(evidence, self._site.control.snapshot(), lambda: 0.0)


@asynccontextmanager
async def visited(site: Site, scopes: frozenset[str] | None = None) -> AsyncGenerator[Site]:
    """The same site, where requests with the header of `as_visitor` are of who signed in."""
    async with altered(site, sessions=_Visitors(site, scopes)) as other:
        yield other


def as_visitor(user_id: UUID, tenant: str = "default") -> dict[str, str]:
    """The header of a request of who signed in."""
    return {VISITOR: f"{tenant} {user_id}"}

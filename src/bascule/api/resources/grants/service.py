"""Listing, asking for and taking back what upstreams gave on behalf of callers."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from bascule.api.caller import Caller
from bascule.api.consenting import account_name
from bascule.api.control import Control, Rows
from bascule.api.resources.grants.schemas import (
    AccountGrant,
    AccountGrantList,
    Connecting,
    Grant,
    GrantList,
    GrantRevoked,
)
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.storage.repositories.grants import StoredGrant, UserGrants
from bascule.storage.repositories.page import LARGEST_PAGE
from bascule.storage.repositories.users import Users


class NobodyAsks(GatewayError):
    """This process calls no server on behalf of anybody."""

    error = ErrorCode.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which grants to list: of a person by name, of an owner, of an upstream; all where empty."""

    user: str = ""
    owner: str = ""
    upstream: str = ""
    page: int = 1
    limit: int = 50


async def list_own(control: Control, caller: Caller) -> GrantList:
    """What the caller allowed."""
    async with control.read(caller) as rows:
        found = await _grants(rows).list(owner=caller.principal.owner, limit=LARGEST_PAGE)
    return GrantList(grants=[_shown(one) for one in found.items], total=found.total)


async def list_all(control: Control, caller: Caller, wanted: Wanted) -> AccountGrantList:
    """What accounts of the caller's tenant allowed.

    Raises:
        NotFound: there is no person of the name that is wanted.
    """
    async with control.read(caller) as rows:
        owner = wanted.owner
        if wanted.user:
            owner = (await Users(rows.session, rows.tenant_id).get(wanted.user)).owner
        found = await _grants(rows).list(
            owner=owner, upstream=wanted.upstream, page=wanted.page, limit=wanted.limit
        )
    snapshot = control.snapshot()
    grants = [
        AccountGrant(
            owner=one.key.owner,
            account=account_name(caller.tenant, one.key.owner, snapshot),
            **_shown(one).model_dump(),
        )
        for one in found.items
    ]
    return AccountGrantList(grants=grants, total=found.total, page=found.page, limit=found.limit)


async def connect(control: Control, caller: Caller, upstream: str, owner: str) -> Connecting:
    """Begin to ask for access for `owner` (`""`: the gateway itself).

    Raises:
        NotFound, Conflict: there is no such server, or it is not called on behalf of anybody.
        GatewayError: the way to its authorization server is broken.
    """
    if control.consents is None:
        raise NobodyAsks("This process asks nobody for consent. Ask one that serves calls.")
    await control.note_action(caller, "grant.ask", upstream)
    url = await control.consents.connect(caller.tenant, upstream, owner)
    return Connecting(upstream=upstream, consent_url=url)


async def revoke(
    control: Control, caller: Caller, grant_id: UUID, owner: str | None = None
) -> GrantRevoked:
    """Take back a grant, which must be `owner`'s where one is named.

    Calls of this process and of others carry its token for about a second more; the token itself
    is for its authorization server to end.

    Raises:
        NotFound: there is no such grant, or it is another's.
    """
    details: dict[str, object] = {}
    async with control.jot(caller, "grant.revoke", str(grant_id), details) as rows:
        gone = await _grants(rows).remove(grant_id, owner)
        details |= {"upstream": gone.key.upstream, "issuer": gone.key.issuer}
        if owner is None:
            account = account_name(caller.tenant, gone.key.owner, control.snapshot())
            details["account"] = account
    return GrantRevoked(revoked=grant_id)


def _grants(rows: Rows) -> UserGrants:
    return UserGrants(rows.session, rows.tenant_id)


def _shown(stored: StoredGrant) -> Grant:
    return Grant(
        grant_id=stored.id,
        upstream=stored.key.upstream,
        resource=stored.key.resource,
        issuer=stored.key.issuer,
        issuer_host=urlsplit(stored.key.issuer).netloc,
        scopes=list(stored.scopes),
        since=stored.created_at,
        updated_at=stored.updated_at,
        expires_at=stored.expires_at,
    )

"""`/api/me/grants` and `/api/admin/grants`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from bascule.api.access import Anybody, ControlPlane, ServerManager, UserManager
from bascule.api.resources.grants import service
from bascule.api.resources.grants.schemas import (
    AccountGrantList,
    Connect,
    Connecting,
    GrantList,
    GrantRevoked,
)

own = APIRouter(prefix="/api/me/grants", tags=["grants"])
all_grants = APIRouter(prefix="/api/admin/grants", tags=["grants"])


@own.get("")
async def list_own(control: ControlPlane, caller: Anybody) -> GrantList:
    """List what upstreams let this gateway do for you."""
    return await service.list_own(control, caller)


@own.post("")
async def connect_own(control: ControlPlane, caller: Anybody, wanted: Connect) -> Connecting:
    """Ask for the address where you let this gateway use a server for you."""
    return await service.connect(control, caller, wanted.upstream, caller.principal.owner)


@own.delete("/{grant_id}")
async def revoke_own(control: ControlPlane, caller: Anybody, grant_id: UUID) -> GrantRevoked:
    """Take back what you allowed. Calls begin anew to ask for your consent."""
    return await service.revoke(control, caller, grant_id, caller.principal.owner)


@all_grants.get("")
async def list_all(
    control: ControlPlane,
    caller: UserManager,
    user: Annotated[str, Query(max_length=200)] = "",
    owner: Annotated[str, Query(max_length=1100)] = "",
    upstream: Annotated[str, Query(max_length=100)] = "",
    page: int = 1,
    limit: int = 50,
) -> AccountGrantList:
    """List the grants of all accounts; of a person (`user`), an `owner` or an `upstream`."""
    wanted = service.Wanted(user, owner, upstream, page, limit)
    return await service.list_all(control, caller, wanted)


@all_grants.post("")
async def connect_gateway(
    control: ControlPlane, caller: ServerManager, wanted: Connect
) -> Connecting:
    """Ask for the address where the gateway itself is given access to list what a server offers."""
    return await service.connect(control, caller, wanted.upstream, "")


@all_grants.delete("/{grant_id}")
async def revoke_any(control: ControlPlane, caller: UserManager, grant_id: UUID) -> GrantRevoked:
    """Take back what an account allowed."""
    return await service.revoke(control, caller, grant_id)

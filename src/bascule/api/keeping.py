"""Somebody who can set things right must be left, whatever is done to users, keys and roles."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bascule.api.caller import Caller
from bascule.api.control import Rows
from bascule.gateway.errors import Conflict
from bascule.gateway.permissions import SYSTEM_ADMIN, USERS_MANAGE
from bascule.storage.repositories.administrators import (
    Administrators,
    Holders,
    system_administrators,
)


@asynccontextmanager
async def keeping_administrators(rows: Rows, caller: Caller) -> AsyncGenerator[None]:
    """Refuse what the block did where it took the last administrator away, or the caller's rights.

    Changes run one after the other, each in its transaction, so of two that would take away the
    last two the second is refused. Who expires one day is no substitute for who does not.

    Raises:
        Conflict: nobody would be left who manages the tenant's users, or all tenants; or it would
            not be the caller any more, which is for somebody else to decide.
    """
    before = await _of_tenant(rows)
    before_all = await system_administrators(rows.session)
    yield
    await rows.session.flush()
    after = await _of_tenant(rows)
    _compare(before, after, "administrator of this tenant", USERS_MANAGE)
    after_all = await system_administrators(rows.session)
    _compare(before_all, after_all, "system administrator", SYSTEM_ADMIN)
    own = None if caller.home is not None else _label(caller)
    if own in before.everybody and own not in after.everybody:
        raise Conflict(
            "This would take away your own rights to manage users. Ask another administrator."
        )


@asynccontextmanager
async def keeping_system_administrators(rows: Rows) -> AsyncGenerator[None]:
    """As `keeping_administrators`, for what ends whole tenants.

    Raises:
        Conflict: nobody would be left who manages all tenants.
    """
    before = await system_administrators(rows.session)
    yield
    await rows.session.flush()
    after = await system_administrators(rows.session)
    _compare(before, after, "system administrator", SYSTEM_ADMIN)


async def _of_tenant(rows: Rows) -> Holders:
    return await Administrators(rows.session, rows.tenant_id).holding(USERS_MANAGE)


def _label(caller: Caller) -> str:
    """The caller as `Holders` names them."""
    kind = "key" if caller.principal.user_id is None else "user"
    return f"{kind} {caller.subject}"


def _compare(before: Holders, after: Holders, what: str, permission: str) -> None:
    lost_all = bool(before.everybody) and not after.everybody
    if lost_all or (before.lasting and not after.lasting):
        raise Conflict(
            f"This would take away the last active {what}. First let another user who can sign "
            f"in, or a key that does not expire, have a role with {permission}.",
            details={"permission": permission},
        )

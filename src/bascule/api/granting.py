"""Nobody gives what they do not have: what a caller may grant, and to whom."""

from collections.abc import Iterable
from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Rows
from bascule.gateway.errors import Forbidden
from bascule.gateway.permissions import SYSTEM_ADMIN
from bascule.storage.repositories.roles import Role, Roles

_ADMINISTRATORS: Final = frozenset({"admin", SYSTEM_ADMIN})
"""To who has one of these roles the rules allow everything, so that no role has more."""


async def refuse_mightier(
    rows: Rows,
    caller: Caller,
    wanted: Iterable[str],
    who: str,
    scopes: frozenset[str] | None = None,
) -> None:
    """Pass where `caller` has all that `who` has, or would have, by the roles `wanted`.

    A role brings its permissions and what access rules allow to it; both must be the caller's.
    `scopes` are all that counts of the permissions. Roles that do not exist bring nothing. A
    system administrator may do this to anybody.

    Raises:
        Forbidden: names the first role that brings more, and what.
    """
    if caller.principal.may(SYSTEM_ADMIN):
        return
    named = set(wanted)
    for role in await Roles(rows.session, rows.tenant_id).list():
        if role.name in named:
            _refuse_role(caller, role, who, scopes)


def refuse_beyond(caller: Caller, permissions: Iterable[str], what: str) -> None:
    """Pass where `caller` has every one of `permissions`.

    Raises:
        Forbidden: names those that are missing.
    """
    beyond = sorted(one for one in permissions if not caller.principal.may(one))
    if beyond:
        raise Forbidden(
            f"{what} could do what you may not: {', '.join(beyond)}. Ask somebody who may.",
            details={"permissions": beyond},
        )


def _refuse_role(caller: Caller, role: Role, who: str, scopes: frozenset[str] | None) -> None:
    granted = role.permissions if scopes is None else role.permissions & scopes
    beyond = sorted(one for one in granted if not caller.principal.may(one))
    if beyond:
        raise Forbidden(
            f"{who} with the role {role.name} could do what you may not: "
            f"{', '.join(beyond)}. Ask somebody who may.",
            details={"role": role.name, "permissions": beyond},
        )
    if not _holds(caller, role.name):
        raise Forbidden(
            f"You do not have the role {role.name}, to which access rules may allow what they do "
            "not allow to you. Ask somebody who has it, or an administrator.",
            details={"role": role.name, "permissions": []},
        )


def _holds(caller: Caller, role: str) -> bool:
    principal = caller.principal
    return role in principal.roles or not principal.roles.isdisjoint(_ADMINISTRATORS)

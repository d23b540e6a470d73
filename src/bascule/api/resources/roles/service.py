"""Roles: shown, made, changed and removed."""

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.granting import refuse_beyond
from bascule.api.keeping import keeping_administrators
from bascule.api.resources.roles.schemas import (
    Permission,
    Role,
    RoleCreate,
    RoleDetail,
    RoleUpdate,
)
from bascule.gateway.errors import Conflict
from bascule.gateway.permissions import PERMISSIONS
from bascule.storage.repositories.roles import Role as StoredRole
from bascule.storage.repositories.roles import Roles
from bascule.storage.seed import BUILTIN_ROLES


def list_permissions() -> list[Permission]:
    """Every permission, and which built-in roles have it."""
    return [
        Permission(
            name=name,
            description=description,
            built_in_roles=[role for role, (_, held) in BUILTIN_ROLES.items() if name in held],
        )
        for name, description in PERMISSIONS.items()
    ]


async def list_roles(control: Control, caller: Caller) -> list[Role]:
    """Every role of the caller's tenant."""
    async with control.read(caller) as rows:
        return [_shown(role) for role in await _roles(rows).list()]


async def get_role(control: Control, caller: Caller, name: str) -> RoleDetail:
    """One role, and what names it.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.read(caller) as rows:
        role = await _roles(rows).get(name)
        used_by = list(await _roles(rows).uses(name))
    return RoleDetail(**_shown(role).model_dump(), used_by=used_by)


async def create_role(control: Control, caller: Caller, wanted: RoleCreate) -> Role:
    """Make a role of the tenant's own.

    Raises:
        Forbidden: it would permit what the caller may not.
        Conflict: the name is taken, or reads like that of another role.
    """
    details = {"permissions": sorted(wanted.permissions)}
    async with control.change(caller, "role.create", wanted.name, details) as rows:
        refuse_beyond(caller, wanted.permissions, f"The role {wanted.name}")
        await _refuse_likeness(rows, wanted.name)
        stored = await _roles(rows).create(wanted.name, wanted.description, wanted.permissions)
    return _shown(stored)


async def update_role(control: Control, caller: Caller, name: str, wanted: RoleUpdate) -> Role:
    """Change a role; who has it has what it says with their next request.

    Raises:
        NotFound: there is none of that name.
        Forbidden: it would permit what the caller may not.
        Conflict: it is built in, or nobody would be left to administer.
    """
    details: dict[str, object] = {}
    async with control.change(caller, "role.update", name, details) as rows:
        before = await _roles(rows).get(name)
        added = set(wanted.permissions or ()) - before.permissions
        refuse_beyond(caller, added, f"The role {name}")
        async with keeping_administrators(rows, caller):
            after = await _roles(rows).update(
                name, description=wanted.description, permissions=wanted.permissions
            )
        details.update(before=_told(before), after=_told(after))
    return _shown(after)


async def delete_role(control: Control, caller: Caller, name: str) -> None:
    """Remove a role that nothing names.

    Raises:
        NotFound: there is none of that name.
        Conflict: it is built in, or something names it.
    """
    details: dict[str, object] = {}
    async with control.change(caller, "role.delete", name, details) as rows:
        details["before"] = _told(await _roles(rows).delete(name))


async def _refuse_likeness(rows: Rows, name: str) -> None:
    """Rules let `admin` and `system_admin` do everything, in tenants that lack such a role too."""
    known = {role.name for role in await _roles(rows).list()} | BUILTIN_ROLES.keys()
    for one in known:
        if one.casefold() == name.casefold():
            kind = "built-in " if one in BUILTIN_ROLES else ""
            raise Conflict(
                f"There is a {kind}role named {one}. Choose another name.",
                details={"field": "name"},
            )


def _roles(rows: Rows) -> Roles:
    return Roles(rows.session, rows.tenant_id)


def _told(role: StoredRole) -> dict[str, object]:
    return {"description": role.description, "permissions": sorted(role.permissions)}


def _shown(stored: StoredRole) -> Role:
    order = {name: place for place, name in enumerate(PERMISSIONS)}
    return Role(
        name=stored.name,
        description=stored.description,
        permissions=sorted(stored.permissions, key=lambda one: (order.get(one, len(order)), one)),
        is_builtin=stored.is_builtin,
        created_at=stored.created_at,
    )

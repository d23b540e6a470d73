"""What a new database starts with: the tenant `default` and the built-in roles."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.permissions import APPROVE
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenant, Tenants

DEFAULT_TENANT: Final = "default"
SYSTEM_ADMIN: Final = "system_admin"

_USER: Final = frozenset({"tools:list", "tools:execute"})
_DEVELOPER: Final = _USER | {"tools:write", "policies:read"}
_VIEWER: Final = frozenset(
    {"tools:list", "metrics:read", "mcp:view_servers", "mcp:view_events", "mcp:view_logs"}
)
_OPERATOR: Final = (
    _USER | _VIEWER | {"policies:read", "audit:read", "mcp:manage_servers", "mcp:bulk_operations"}
)
_ADMIN: Final = (
    _DEVELOPER | _OPERATOR | {"policies:write", APPROVE, "users:manage", "mcp:manage_config"}
)

BUILTIN_ROLES: Final[Mapping[str, tuple[str, frozenset[str]]]] = MappingProxyType(
    {
        "user": ("Lists and calls tools.", _USER),
        "developer": ("Also imports and edits tools, and reads policies.", _DEVELOPER),
        "operator": ("Keeps servers running; reads policies, audit and metrics.", _OPERATOR),
        "admin": ("Everything within its tenant.", _ADMIN),
        "viewer": ("Looks, and changes nothing.", _VIEWER),
        SYSTEM_ADMIN: ("Everything, in every tenant.", _ADMIN | {SYSTEM_ADMIN}),
    }
)
"""Role name to description and permissions."""


async def seed_defaults(session: AsyncSession) -> Tenant:
    """Make sure the default tenant and its roles exist; whatever exists is left as it is."""
    tenants = Tenants(session)
    tenant = await tenants.find(DEFAULT_TENANT)
    if tenant is None:
        tenant = await tenants.create(DEFAULT_TENANT, "Where everything is unless told otherwise.")
    await _add_roles(session, tenant.id, BUILTIN_ROLES)
    return tenant


async def seed_roles(session: AsyncSession, tenant_id: TenantId) -> None:
    """Make sure a further tenant has the built-in roles, but for the one that spans tenants."""
    roles = {name: role for name, role in BUILTIN_ROLES.items() if name != SYSTEM_ADMIN}
    await _add_roles(session, tenant_id, roles)


async def _add_roles(
    session: AsyncSession, tenant_id: TenantId, wanted: Mapping[str, tuple[str, frozenset[str]]]
) -> None:
    roles = Roles(session, tenant_id)
    known = {role.name for role in await roles.list()}
    for name, (description, permissions) in wanted.items():
        if name not in known:
            await roles.create(name, description, permissions, is_builtin=True)

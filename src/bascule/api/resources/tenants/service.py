"""Tenants: for those who administer all of them."""

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.keeping import keeping_system_administrators
from bascule.api.resources.tenants.schemas import Tenant, TenantCreate, TenantDetail, TenantUpdate
from bascule.gateway.errors import Conflict
from bascule.storage.repositories.holdings import Holdings
from bascule.storage.repositories.tenants import Tenant as StoredTenant
from bascule.storage.repositories.tenants import TenantChanges, Tenants
from bascule.storage.seed import DEFAULT_TENANT, seed_roles


async def list_tenants(control: Control) -> list[Tenant]:
    """Every tenant."""
    async with control.database.read() as session:
        return [_shown(one) for one in await Tenants(session).list()]


async def get_tenant(control: Control, name: str) -> TenantDetail:
    """One tenant, and what it has.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.database.read() as session:
        found = await Tenants(session).get(name)
        holds = await Holdings(session, found.id).count()
    return TenantDetail(**_shown(found).model_dump(), holds=holds)


async def create_tenant(control: Control, caller: Caller, wanted: TenantCreate) -> Tenant:
    """Add a tenant with the built-in roles, but for that of system administrators.

    Raises:
        Conflict: the name is taken, or a host is another tenant's.
    """
    details = {"description": wanted.description, "hosts": wanted.hosts}
    async with control.change(caller, "tenant.create", wanted.name, details) as rows:
        made = await Tenants(rows.session).create(wanted.name, wanted.description, wanted.hosts)
        await seed_roles(rows.session, made.id)
    return _shown(made)


async def update_tenant(
    control: Control, caller: Caller, name: str, wanted: TenantUpdate
) -> Tenant:
    """Change a tenant, or let nobody of it in any more.

    Raises:
        NotFound: there is none of that name.
        Conflict: a host is another tenant's; or it is the default tenant, the caller's own, or
            that of the last system administrator, and cannot be inactive.
    """
    hosts = None if wanted.hosts is None else tuple(wanted.hosts)
    changes = TenantChanges(wanted.description, hosts, wanted.is_active)
    details: dict[str, object] = {}
    async with control.change(caller, "tenant.update", name, details) as rows:
        before = await Tenants(rows.session).get(name)
        if wanted.is_active is False:
            _refuse_needed(caller, name, "deactivated")
        async with keeping_system_administrators(rows):
            after = await Tenants(rows.session).update(name, changes)
        details.update(before=_told(before), after=_told(after))
    return _shown(after)


async def delete_tenant(control: Control, caller: Caller, name: str) -> None:
    """Remove a tenant that has nothing any more.

    Raises:
        NotFound: there is none of that name.
        Conflict: it has something; or it is the default tenant, or the caller's own.
    """
    details: dict[str, object] = {}
    async with control.change(caller, "tenant.delete", name, details) as rows:
        _refuse_needed(caller, name, "removed")
        details["before"] = _told(await Tenants(rows.session).delete(name))


def _refuse_needed(caller: Caller, name: str, what: str) -> None:
    if name == DEFAULT_TENANT:
        raise Conflict(f"The tenant {name} comes with the installation and cannot be {what}.")
    if name in {caller.home, caller.tenant}:
        raise Conflict(
            f"The tenant {name} is the one you act in, or your own, and cannot be {what} by you."
        )


def _told(tenant: StoredTenant) -> dict[str, object]:
    return {
        "description": tenant.description,
        "hosts": list(tenant.hosts),
        "is_active": tenant.is_active,
    }


def _shown(stored: StoredTenant) -> Tenant:
    return Tenant(
        name=stored.name,
        description=stored.description,
        hosts=list(stored.hosts),
        is_active=stored.is_active,
        created_at=stored.created_at,
    )

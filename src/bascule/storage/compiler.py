"""Compiles the tables into the one value the data plane knows.

The only place that reads across tenants; it sorts every row into its tenant's view at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.catalogue.bundling import with_selections
from bascule.gateway.pins import Pin
from bascule.gateway.principal import KeyRecord, Principal
from bascule.gateway.rule import RbacRule
from bascule.gateway.secrets import SealedSecret
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Bundle, Upstream
from bascule.storage.counter import current_version
from bascule.storage.mapping import (
    bundle_from,
    rule_from,
    upstream_from,
)
from bascule.storage.pin_tables import PinRow
from bascule.storage.repositories.bundles import BundleStatus
from bascule.storage.repositories.policies import RBAC
from bascule.storage.repositories.secrets import sealed_from
from bascule.storage.secret_tables import SecretRow
from bascule.storage.selections import load_selections, selecting
from bascule.storage.stock import Shelf, Stock
from bascule.storage.tables import (
    ApiKeyRow,
    BundleRow,
    PolicyRow,
    RoleRow,
    TenantRow,
    UpstreamRow,
)


@dataclass(slots=True)
class _Parts:
    """What has been gathered of one tenant."""

    name: str
    shelf: Shelf = field(default_factory=Shelf)
    bundles: dict[str, Bundle] = field(default_factory=dict[str, Bundle])
    upstreams: dict[str, Upstream] = field(default_factory=dict[str, Upstream])
    pins: dict[tuple[str, str], Pin] = field(default_factory=dict[tuple[str, str], Pin])
    secrets: dict[str, SealedSecret] = field(default_factory=dict[str, SealedSecret])
    rules: list[RbacRule] = field(default_factory=list[RbacRule])
    permissions: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])


_Tenants = Mapping[UUID, _Parts]


class Compiler:
    """Compiles again and again, and does only what changed since the last time.

    Tools that did not change are the same objects in all snapshots, and where no tool of a tenant
    did, so is the mapping they are in.
    """

    def __init__(self) -> None:
        self._stock = Stock()

    async def compile(self, session: AsyncSession) -> Snapshot:
        """Build the snapshot of what `session` sees; use a session of `Database.read`.

        A tool that cannot be read is disabled and logged. A policy that cannot be read stops the
        compilation: dropping it might allow what it denied.

        Raises:
            StorageError: a policy cannot be read, or the database failed.
        """
        version = await current_version(session)
        tenants = await _active_tenants(session)
        await _gather_bundles(session, tenants)
        await _gather_upstreams(session, tenants)
        await _gather_pins(session, tenants)
        await _gather_secrets(session, tenants)
        await _gather_rules(session, tenants)
        await _gather_permissions(session, tenants)
        shelves = await self._stock.update(session, version)
        for tenant_id, parts in tenants.items():
            parts.shelf = shelves.get(tenant_id, parts.shelf)
        keys = await _keys(session, tenants)
        views = {parts.name: with_selections(_view(parts)) for parts in tenants.values()}
        return Snapshot(version, views, keys)


async def compile_snapshot(session: AsyncSession) -> Snapshot:
    """Build the snapshot of what `session` sees, from nothing; otherwise as `Compiler.compile`."""
    return await Compiler().compile(session)


async def _active_tenants(session: AsyncSession) -> _Tenants:
    rows = await session.execute(
        select(TenantRow.id, TenantRow.name)
        .where(TenantRow.is_active.is_(True))
        .order_by(TenantRow.name)
    )
    return {tenant_id: _Parts(name) for tenant_id, name in rows}


async def _gather_bundles(session: AsyncSession, tenants: _Tenants) -> None:
    rows = await session.scalars(
        select(BundleRow)
        .where(BundleRow.status == BundleStatus.ACTIVE.value)
        .order_by(BundleRow.name)
    )
    selections = await load_selections(session)
    for row in rows:
        if parts := tenants.get(row.tenant_id):
            parts.bundles[row.name] = selecting(bundle_from(row), selections.get(row.id))


async def _gather_upstreams(session: AsyncSession, tenants: _Tenants) -> None:
    for row in await session.scalars(select(UpstreamRow).order_by(UpstreamRow.name)):
        if parts := tenants.get(row.tenant_id):
            parts.upstreams[row.name] = upstream_from(row)


async def _gather_pins(session: AsyncSession, tenants: _Tenants) -> None:
    rows = await session.execute(
        select(
            PinRow.tenant_id,
            UpstreamRow.name,
            PinRow.tool_name,
            PinRow.approved_digest,
            PinRow.seen_digest,
        ).join(UpstreamRow, UpstreamRow.id == PinRow.upstream_id)
    )
    for tenant_id, server, tool, approved, seen in rows:
        if parts := tenants.get(tenant_id):
            parts.pins[server, tool] = Pin(approved or b"", seen or b"")


async def _gather_secrets(session: AsyncSession, tenants: _Tenants) -> None:
    for row in await session.scalars(select(SecretRow).order_by(SecretRow.name)):
        if parts := tenants.get(row.tenant_id):
            parts.secrets[row.name] = sealed_from(row)


async def _gather_rules(session: AsyncSession, tenants: _Tenants) -> None:
    rows = await session.scalars(
        select(PolicyRow)
        .where(PolicyRow.is_active.is_(True), PolicyRow.type == RBAC)
        .order_by(PolicyRow.priority.desc(), PolicyRow.name)
    )
    for row in rows:
        if parts := tenants.get(row.tenant_id):
            parts.rules.append(rule_from(row))


async def _gather_permissions(session: AsyncSession, tenants: _Tenants) -> None:
    for row in await session.scalars(select(RoleRow)):
        if parts := tenants.get(row.tenant_id):
            parts.permissions[row.name] = frozenset(row.permissions)


async def _keys(session: AsyncSession, tenants: _Tenants) -> Mapping[bytes, KeyRecord]:
    rows = await session.scalars(select(ApiKeyRow).where(ApiKeyRow.revoked_at.is_(None)))
    return {
        row.digest: _key_record(row, parts)
        for row in rows
        if (parts := tenants.get(row.tenant_id)) is not None
    }


def _key_record(row: ApiKeyRow, parts: _Parts) -> KeyRecord:
    granted = (parts.permissions.get(role, frozenset[str]()) for role in row.roles)
    principal = Principal(
        tenant=parts.name,
        subject=row.name,
        roles=frozenset(row.roles),
        permissions=frozenset[str]().union(*granted),
        key_id=str(row.id),
    )
    expires_at = None if row.expires_at is None else row.expires_at.timestamp()
    return KeyRecord(str(row.id), principal, expires_at)


def _view(parts: _Parts) -> TenantView:
    return TenantView(
        tenant=parts.name,
        tools=parts.shelf.tools,
        disabled=parts.shelf.disabled,
        versions=parts.shelf.versions,
        bundles=parts.bundles,
        upstreams=parts.upstreams,
        pins=parts.pins,
        secrets=parts.secrets,
        rules=tuple(parts.rules),
    )

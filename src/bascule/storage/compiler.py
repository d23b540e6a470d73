"""Compiles the tables into the one value the data plane knows.

The only place that reads across tenants; it sorts every row into its tenant's view at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.principal import KeyRecord, Principal
from bascule.gateway.rule import RbacRule
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Bundle, Tool, ToolStatus, Upstream
from bascule.storage.counter import current_version
from bascule.storage.errors import StorageError
from bascule.storage.mapping import (
    LISTABLE,
    bundle_from,
    rank,
    rule_from,
    tool_from,
    upstream_from,
)
from bascule.storage.repositories.bundles import BundleStatus
from bascule.storage.repositories.policies import RBAC
from bascule.storage.semver import Precedence
from bascule.storage.tables import (
    ApiKeyRow,
    BundleRow,
    PolicyRow,
    RoleRow,
    TenantRow,
    ToolRow,
    UpstreamRow,
)

_log = structlog.get_logger(__name__)

_DISABLED: Final = (ToolStatus.INACTIVE, ToolStatus.QUARANTINED)


# Each batch is one step of the event loop, which calls share: about 10 ms.
_ROWS_PER_BATCH: Final = 100

_Candidate = tuple[tuple[int, Precedence], Tool | None]
"""The best version of a tool so far; None in place of one that cannot be read."""


@dataclass(slots=True)
class _Parts:
    """What has been gathered of one tenant."""

    name: str
    chosen: dict[str, _Candidate] = field(default_factory=dict[str, _Candidate])
    disabled: set[str] = field(default_factory=set[str])
    bundles: dict[str, Bundle] = field(default_factory=dict[str, Bundle])
    upstreams: dict[str, Upstream] = field(default_factory=dict[str, Upstream])
    rules: list[RbacRule] = field(default_factory=list[RbacRule])
    permissions: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])


_Tenants = Mapping[UUID, _Parts]


async def compile_snapshot(session: AsyncSession) -> Snapshot:
    """Build the snapshot of what `session` sees; use a session of `Database.read`.

    A tool that cannot be read is disabled and logged. A policy that cannot be read stops the
    compilation: dropping it might allow what it denied.

    Raises:
        StorageError: a policy cannot be read, or the database failed.
    """
    version = await current_version(session)
    tenants = await _active_tenants(session)
    bundle_names = await _gather_bundles(session, tenants)
    await _gather_upstreams(session, tenants)
    await _gather_rules(session, tenants)
    await _gather_permissions(session, tenants)
    await _gather_tools(session, tenants, bundle_names)
    keys = await _keys(session, tenants)
    views = {parts.name: _view(parts) for parts in tenants.values()}
    return Snapshot(version, views, keys)


async def _active_tenants(session: AsyncSession) -> _Tenants:
    rows = await session.execute(
        select(TenantRow.id, TenantRow.name)
        .where(TenantRow.is_active.is_(True))
        .order_by(TenantRow.name)
    )
    return {tenant_id: _Parts(name) for tenant_id, name in rows}


async def _gather_bundles(session: AsyncSession, tenants: _Tenants) -> Mapping[UUID, str]:
    """Fill in active bundles; gives their names by id."""
    rows = await session.scalars(
        select(BundleRow)
        .where(BundleRow.status == BundleStatus.ACTIVE.value)
        .order_by(BundleRow.name)
    )
    names: dict[UUID, str] = {}
    for row in rows:
        if parts := tenants.get(row.tenant_id):
            parts.bundles[row.name] = bundle_from(row)
            names[row.id] = row.name
    return names


async def _gather_upstreams(session: AsyncSession, tenants: _Tenants) -> None:
    for row in await session.scalars(select(UpstreamRow).order_by(UpstreamRow.name)):
        if parts := tenants.get(row.tenant_id):
            parts.upstreams[row.name] = upstream_from(row)


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


async def _gather_tools(
    session: AsyncSession, tenants: _Tenants, bundle_names: Mapping[UUID, str]
) -> None:
    listable = select(ToolRow).where(ToolRow.status.in_(_values(LISTABLE)))
    batches = await session.stream_scalars(listable.execution_options(yield_per=_ROWS_PER_BATCH))
    async for rows in batches.partitions():
        for row in rows:
            if parts := tenants.get(row.tenant_id):
                _consider(parts, row, bundle_names.get(row.bundle_id))
    switched_off = await session.execute(
        select(ToolRow.tenant_id, ToolRow.name).where(ToolRow.status.in_(_values(_DISABLED)))
    )
    for tenant_id, name in switched_off:
        if parts := tenants.get(tenant_id):
            parts.disabled.add(name)


def _consider(parts: _Parts, row: ToolRow, bundle: str | None) -> None:
    """Choose `row` if it is a better version; what is not chosen in the end is disabled."""
    parts.disabled.add(row.name)
    if bundle is None:
        return
    standing, best = rank(row), parts.chosen.get(row.name)
    if best is None or standing > best[0]:
        parts.chosen[row.name] = standing, _readable(parts, row, bundle)


def _readable(parts: _Parts, row: ToolRow, bundle: str) -> Tool | None:
    try:
        return tool_from(row, bundle)
    except StorageError as error:
        _log.error("snapshot.tool_unreadable", tenant=parts.name, tool=row.name, reason=str(error))
        return None


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
    tools = {
        name: tool for name in sorted(parts.chosen) if (tool := parts.chosen[name][1]) is not None
    }
    return TenantView(
        tenant=parts.name,
        tools=tools,
        disabled=frozenset(parts.disabled - tools.keys()),
        bundles=parts.bundles,
        upstreams=parts.upstreams,
        rules=tuple(parts.rules),
    )


def _values(statuses: Iterable[ToolStatus]) -> list[str]:
    return [status.value for status in statuses]

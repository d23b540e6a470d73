"""Compiles the tables into the one value the data plane knows.

The only place that reads across tenants; it sorts every row into its tenant's view at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.catalogue.bundling import with_selections
from bascule.gateway.issuer import CertificateRule, Issuer
from bascule.gateway.pins import Pin
from bascule.gateway.principal import KeyRecord, Person, Principal
from bascule.gateway.rule import Rule
from bascule.gateway.secrets import SealedSecret
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Bundle, Upstream
from bascule.storage.counter import current_version
from bascule.storage.identity_tables import (
    CertificateRuleRow,
    GroupRolesRow,
    IssuerRow,
    UserIdentityRow,
    UserRow,
)
from bascule.storage.mapping import (
    bundle_from,
    rule_from,
    upstream_from,
)
from bascule.storage.pin_tables import PinRow
from bascule.storage.policy_tables import PolicyChangeRow
from bascule.storage.repositories.bundles import BundleStatus
from bascule.storage.repositories.issuers import issuer_from
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
from bascule.storage.tenancy import across_tenants


@dataclass(slots=True)
class _Parts:
    """What has been gathered of one tenant."""

    name: str
    shelf: Shelf = field(default_factory=Shelf)
    bundles: dict[str, Bundle] = field(default_factory=dict[str, Bundle])
    upstreams: dict[str, Upstream] = field(default_factory=dict[str, Upstream])
    pins: dict[tuple[str, str], Pin] = field(default_factory=dict[tuple[str, str], Pin])
    secrets: dict[str, SealedSecret] = field(default_factory=dict[str, SealedSecret])
    rules: list[Rule] = field(default_factory=list[Rule])
    policy_version: int = 0
    permissions: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    group_roles: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    people: dict[tuple[str, str], Person] = field(default_factory=dict[tuple[str, str], Person])


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
        async with across_tenants(session, "a snapshot holds the views of all tenants"):
            return await self._compile(session)

    async def _compile(self, session: AsyncSession) -> Snapshot:
        version = await current_version(session)
        tenants = await _active_tenants(session)
        await _gather_bundles(session, tenants)
        await _gather_upstreams(session, tenants)
        await _gather_pins(session, tenants)
        await _gather_secrets(session, tenants)
        await _gather_rules(session, tenants)
        await _gather_permissions(session, tenants)
        await _gather_groups(session, tenants)
        await _gather_people(session, tenants)
        shelves = await self._stock.update(session, version)
        for tenant_id, parts in tenants.items():
            parts.shelf = shelves.get(tenant_id, parts.shelf)
        keys = await _keys(session, tenants)
        views = {parts.name: with_selections(_view(parts)) for parts in tenants.values()}
        return Snapshot(
            version,
            views,
            keys,
            await _hosts(session),
            await _issuers(session, tenants),
            await _certificate_rules(session, tenants),
        )


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
        .where(PolicyRow.is_active.is_(True))
        .order_by(PolicyRow.priority.desc(), PolicyRow.name)
    )
    for row in rows:
        if parts := tenants.get(row.tenant_id):
            parts.rules.append(rule_from(row))
    latest = select(PolicyChangeRow.tenant_id, func.max(PolicyChangeRow.number))
    for tenant_id, number in await session.execute(latest.group_by(PolicyChangeRow.tenant_id)):
        if parts := tenants.get(tenant_id):
            parts.policy_version = number


async def _gather_permissions(session: AsyncSession, tenants: _Tenants) -> None:
    for row in await session.scalars(select(RoleRow)):
        if parts := tenants.get(row.tenant_id):
            parts.permissions[row.name] = frozenset(row.permissions)


async def _gather_groups(session: AsyncSession, tenants: _Tenants) -> None:
    for row in await session.scalars(select(GroupRolesRow)):
        if parts := tenants.get(row.tenant_id):
            parts.group_roles[row.group_name] = frozenset(row.roles)


async def _gather_people(session: AsyncSession, tenants: _Tenants) -> None:
    users = {
        row.id: (row.tenant_id, _person(row)) for row in await session.scalars(select(UserRow))
    }
    for user_id, (tenant_id, person) in users.items():
        if parts := tenants.get(tenant_id):
            parts.people["", str(user_id)] = person
    known = select(UserIdentityRow.user_id, UserIdentityRow.issuer, UserIdentityRow.subject)
    for user_id, issuer, subject in await session.execute(known):
        tenant_id, person = users[user_id]
        if parts := tenants.get(tenant_id):
            parts.people[issuer, subject] = person


def _person(row: UserRow) -> Person:
    out = row.signed_out_at
    return Person(
        str(row.id),
        row.name,
        frozenset(row.roles),
        row.is_active,
        0.0 if out is None else out.timestamp(),
    )


async def _issuers(session: AsyncSession, tenants: _Tenants) -> Mapping[str, Issuer]:
    rows = await session.scalars(select(IssuerRow).where(IssuerRow.is_active.is_(True)))
    return {
        row.issuer: issuer_from(row, parts.name)
        for row in rows
        if (parts := tenants.get(row.tenant_id))
    }


async def _certificate_rules(
    session: AsyncSession, tenants: _Tenants
) -> tuple[CertificateRule, ...]:
    rows = await session.scalars(
        select(CertificateRuleRow).order_by(CertificateRuleRow.name, CertificateRuleRow.id)
    )
    return tuple(
        CertificateRule(row.name, parts.name, row.pattern, tuple(row.roles), row.issuer)
        for row in rows
        if (parts := tenants.get(row.tenant_id))
    )


async def _hosts(session: AsyncSession) -> Mapping[str, str]:
    rows = await session.execute(select(TenantRow.name, TenantRow.hosts))
    return {host: name for name, hosts in rows for host in hosts}


async def _keys(session: AsyncSession, tenants: _Tenants) -> Mapping[bytes, KeyRecord]:
    known: dict[bytes, KeyRecord] = {}
    for row in await session.scalars(select(ApiKeyRow).where(ApiKeyRow.revoked_at.is_(None))):
        parts = tenants.get(row.tenant_id)
        record = None if parts is None else _key_record(row, parts)
        if record is None:
            continue
        known[row.digest] = record
        if row.previous_digest is not None and row.previous_until is not None:
            until = min(row.previous_until.timestamp(), record.expires_at or float("inf"))
            known.setdefault(row.previous_digest, replace(record, expires_at=until))
    return known


def _key_record(row: ApiKeyRow, parts: _Parts) -> KeyRecord | None:
    # A role that is not there permits nothing, and no rule that names it means this key.
    roles = frozenset(row.roles).intersection(parts.permissions)
    subject, user_id = row.name, None
    if row.user_id is not None:
        person = parts.people.get(("", str(row.user_id)))
        if person is None or not person.is_active:
            return None
        # A key never has more than its person: what is taken away there is taken away here.
        roles, subject, user_id = roles & person.roles, person.name, person.user_id
    granted = (parts.permissions.get(role, frozenset[str]()) for role in roles)
    held = frozenset[str]().union(*granted)
    permissions = held if row.scopes is None else held.intersection(row.scopes)
    principal = Principal(
        tenant=parts.name,
        subject=subject,
        roles=roles,
        permissions=permissions,
        key_id=str(row.id),
        user_id=user_id,
        withheld=held - permissions,
    )
    expires_at = None if row.expires_at is None else row.expires_at.timestamp()
    return KeyRecord(str(row.id), principal, expires_at, row.created_by)


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
        policy_version=parts.policy_version,
        roles=parts.permissions,
        group_roles=parts.group_roles,
        people=parts.people,
    )

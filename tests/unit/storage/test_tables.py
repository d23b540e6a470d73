"""The database itself keeps tenants apart."""

import pytest
from sqlalchemy import insert

from bascule.gateway.errors import Conflict
from bascule.gateway.tool import Bundle, Upstream, UpstreamKind
from bascule.storage.database import Database
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.upstreams import Upstreams
from bascule.storage.tables import Base, BundleRow, ToolRow
from bascule.storage.tenancy import across_tenants
from contract.storage.samples import SOURCE

_OF_NO_TENANT = {"tenants", "change_counter"}


def test_every_table_but_two_belongs_to_a_tenant() -> None:
    for name, table in Base.metadata.tables.items():
        if name not in _OF_NO_TENANT:
            assert not table.c.tenant_id.nullable, name


def test_references_between_rows_always_carry_the_tenant() -> None:
    for name, table in Base.metadata.tables.items():
        for constraint in table.foreign_key_constraints:
            assert "tenant_id" in constraint.column_keys, f"{name}: {constraint.name}"


async def test_a_tool_cannot_be_in_the_bundle_of_another_tenant(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        other = (await Tenants(session).create("other")).id
        theirs = await Bundles(session, other).create(Bundle("theirs"))
    async with database.change(author="t") as session:
        upstream = await Upstreams(session, tenant).upsert(
            Upstream("u", UpstreamKind.REST, url="http://u")
        )
    row = ToolRow(
        tenant_id=tenant,
        name="t",
        description="",
        version="1",
        bundle_id=theirs.id,
        upstream_id=upstream.id,
        source={"kind": "rest", "upstream": SOURCE.upstream, "method": "GET", "path": "/"},
        input_schema={},
        risk_level="read",
        status="active",
        created_by="t",
    )
    async with database.change(author="t") as session, across_tenants(session, "by hand"):
        session.add(row)
        with pytest.raises(Conflict, match="conflicts"):
            await session.flush()
        await session.rollback()


async def test_a_name_is_unique_within_a_tenant_even_for_raw_sql(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        other = (await Tenants(session).create("other")).id
        await Bundles(session, tenant).create(Bundle("same"))
    async with database.change(author="t") as session:
        await Bundles(session, other).create(Bundle("same"))
    async with database.change(author="t") as session:
        Bundles(session, tenant)
        with pytest.raises(Conflict):
            await session.execute(insert(BundleRow).values(tenant_id=tenant, name="same"))
        await session.rollback()

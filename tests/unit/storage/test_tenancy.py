"""Whatever is asked of a session of one tenant, it touches no row of another."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import (
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    union,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bascule.gateway.tool import Bundle
from bascule.storage.database import Database
from bascule.storage.pin_tables import PinRow
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.upstreams import Upstreams
from bascule.storage.search_tables import ToolIndexRow
from bascule.storage.seed import seed_roles
from bascule.storage.tables import BundleRow, RoleRow, TenantRow, ToolRow, UpstreamRow
from bascule.storage.tenancy import TenantsMixed, across_tenants, keep_to
from contract.storage.samples import a_tool, add_tools

MINE, THEIRS = "mine", "theirs"


@pytest.fixture
async def other(database: Database, tenant: TenantId) -> TenantId:
    """A second tenant; both have a tool `same`, whose owner says whose it is."""
    async with database.change(author="t") as session:
        made = (await Tenants(session).create("other")).id
        await seed_roles(session, made)
    for tenant_id, owner in ((tenant, MINE), (made, THEIRS)):
        async with database.change(author="t") as session:
            await add_tools(session, tenant_id, [a_tool("same", owner=owner, tags=(owner,))])
    return made


def _other_tools() -> Any:
    return aliased(ToolRow)


_ANOTHER = _other_tools()
_CTE = select(ToolRow.owner).cte("every")
_BUNDLES = select(BundleRow.id).where(BundleRow.name == "service-booking")
READS: dict[str, Any] = {
    "plain": select(ToolRow.owner),
    "alias": select(_ANOTHER.owner),
    "self join": select(_ANOTHER.owner).join(ToolRow, ToolRow.name == _ANOTHER.name),
    "two tables": select(ToolRow.owner).where(BundleRow.id == ToolRow.bundle_id),
    "outer join": select(ToolRow.owner).outerjoin(PinRow, PinRow.id == ToolRow.id),
    "outer side": select(ToolRow.owner)
    .select_from(TenantRow)
    .outerjoin(ToolRow, ToolRow.tenant_id == TenantRow.id)
    .where(ToolRow.id.is_not(None)),
    "or": select(ToolRow.owner).where((ToolRow.name == "same") | (ToolRow.owner == THEIRS)),
    "subquery": select(select(ToolRow.owner).subquery()),
    "in": select(ToolRow.owner).where(ToolRow.id.in_(select(ToolIndexRow.tool_id))),
    "scalar": select(ToolRow.owner).where(ToolRow.bundle_id == _BUNDLES.scalar_subquery()),
    "exists": select(ToolRow.owner).where(exists().where(BundleRow.id == ToolRow.bundle_id)),
    "cte": select(_CTE.c.owner),
    "union": union(select(ToolRow.owner), select(_ANOTHER.owner)),
    "union below": select(union(select(ToolRow.owner), select(_ANOTHER.owner)).subquery()),
    "narrow copy": select(ToolIndexRow.owner),
    "group": select(ToolRow.owner).group_by(ToolRow.owner).having(func.count() > 0),
}


@pytest.mark.parametrize("name", READS)
async def test_whatever_is_read_is_the_tenants_own(
    database: Database, tenant: TenantId, other: TenantId, name: str
) -> None:
    for tenant_id, owner in ((tenant, MINE), (other, THEIRS), (tenant, MINE)):
        async with database.read() as session:
            keep_to(session, tenant_id)
            assert set(await session.scalars(READS[name])) == {owner}


async def test_counts_are_the_tenants_own(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async with database.read() as session:
        keep_to(session, tenant)
        for statement in (
            select(func.count()).select_from(ToolRow),
            select(func.count()).where(ToolRow.name == "same"),
            select(func.count()).select_from(select(ToolRow).subquery()),
            select(literal(1)).where(select(ToolRow.id).exists()),
        ):
            assert await session.scalar(statement) == 1
        theirs = select(literal(1)).where(exists(ToolRow.id).where(ToolRow.owner == THEIRS))
        assert await session.scalar(theirs) is None


async def test_a_row_of_another_tenant_is_not_got_by_its_id(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async with database.read() as session:
        keep_to(session, other)
        (id_,) = await session.scalars(select(ToolRow.id))
        assert await session.get(ToolRow, id_) is not None
    async with database.read() as session:
        keep_to(session, tenant)
        assert await session.get(ToolRow, id_) is None


async def test_a_stream_is_the_tenants_own(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async with database.read() as session:
        keep_to(session, tenant)
        rows = await session.stream(select(ToolRow.owner))
        assert [row.owner async for row in rows] == [MINE]


_SAME = ToolRow.name == "same"
WRITES: dict[str, Any] = {
    "update": update(ToolRow).where(_SAME).values(owner="new"),
    "update through": update(ToolRow)
    .where(ToolRow.id.in_(select(ToolIndexRow.tool_id)))
    .values(owner="new"),
    "update unsynchronised": update(ToolRow)
    .where(_SAME)
    .values(owner="new")
    .execution_options(synchronize_session=False),
    "delete": delete(ToolRow).where(_SAME),
    "delete all": delete(ToolRow),
}


@pytest.mark.parametrize("name", WRITES)
async def test_whatever_is_written_in_bulk_is_the_tenants_own(
    database: Database, tenant: TenantId, other: TenantId, name: str
) -> None:
    async with database.change(author="t") as session:
        keep_to(session, tenant)
        await session.execute(WRITES[name])
    async with database.read() as session, across_tenants(session, "to look"):
        left = list(await session.scalars(select(ToolRow.owner).order_by(ToolRow.owner)))
    assert left == (["new", THEIRS] if name.startswith("update") else [THEIRS])


_TABLE: Any = ToolRow.__table__
REFUSED: dict[str, Callable[[TenantId, TenantId], Any]] = {
    "the table itself": lambda _m, _t: select(_TABLE.c.owner),
    "the table with a tenant": lambda m, _: select(_TABLE.c.owner).where(_TABLE.c.tenant_id == m),
    "delete from the table": lambda _m, _t: delete(_TABLE),
    "another tenant": lambda _, t: select(ToolRow.owner).where(ToolRow.tenant_id == t),
    "one of two": lambda m, t: select(ToolRow.owner).where(ToolRow.tenant_id.in_([m, t])),
    "moved away": lambda _, t: update(ToolRow).values(tenant_id=t),
    "put elsewhere": lambda _, t: insert(BundleRow).values(name="n", tenant_id=t),
    "put nowhere": lambda _m, _t: insert(BundleRow).values(name="n"),
    "copied": lambda _m, _t: insert(BundleRow).from_select(
        ["name", "tenant_id"], select(BundleRow.name, BundleRow.tenant_id)
    ),
    "text": lambda _m, _t: text("SELECT owner FROM tools"),
    "text about all": lambda m, _: text(
        "SELECT owner FROM tools WHERE tools.tenant_id = :tenant_id OR 1 = 1 "
        "UNION SELECT owner FROM tools"
    ).bindparams(tenant_id=m.hex),
    "text of another": lambda _, t: text(
        "SELECT owner FROM tools WHERE tools.tenant_id = :tenant_id"
    ).bindparams(tenant_id=t.hex),
    "text of nobody": lambda _m, _t: text(
        "SELECT owner FROM tools WHERE tools.tenant_id = :tenant_id"
    ).bindparams(tenant_id="nobody"),
    "text unmarked": lambda m, _: text(
        "SELECT owner FROM tools WHERE tools.tenant_id = :x"
    ).bindparams(x=m.hex),
    "rows from text": lambda _m, _t: select(ToolRow).from_statement(text("SELECT * FROM tools")),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_seen_to_keep_to_the_tenant_does_not_run(
    database: Database, tenant: TenantId, other: TenantId, name: str
) -> None:
    async with database.change(author="t") as session:
        keep_to(session, tenant)
        with pytest.raises(TenantsMixed):
            await session.execute(REFUSED[name](tenant, other))
        await session.rollback()


async def test_rows_put_in_many_at_once_are_looked_at_each(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    rows = [{"name": f"n{number}", "tenant_id": tenant} for number in range(20)]
    async with database.change(author="t") as session:
        keep_to(session, tenant)
        made = await session.scalars(insert(BundleRow).returning(BundleRow.id), rows)
        assert len(made.all()) == 20
        foreign = [{"name": "a", "tenant_id": tenant}, {"name": "b", "tenant_id": other}]
        with pytest.raises(TenantsMixed):
            await session.execute(insert(BundleRow), foreign)
        with pytest.raises(TenantsMixed):
            await session.execute(insert(BundleRow).values(foreign))
        await session.rollback()


@pytest.mark.parametrize("dialect", [sqlite, postgresql])
async def test_a_row_takes_the_place_of_ones_own_only(
    database: Database, tenant: TenantId, other: TenantId, dialect: Any
) -> None:
    async with database.change(author="t") as session:
        if session.get_bind().dialect.name != dialect.__name__.rpartition(".")[2]:
            return
        keep_to(session, tenant)
        await Roles(session, tenant).list()
        row = dialect.insert(RoleRow).values(tenant_id=tenant, name="user", permissions=[])
        new = {"description": "new"}
        own = row.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=new)
        await session.execute(own)
        with pytest.raises(TenantsMixed, match="may alter"):
            await session.execute(row.on_conflict_do_update(index_elements=["id"], set_=new))
        await session.rollback()


async def test_marked_text_runs(database: Database, tenant: TenantId, other: TenantId) -> None:
    async with database.read() as session:
        keep_to(session, tenant)
        is_postgres = session.get_bind().dialect.name == "postgresql"
        statement = text("SELECT owner FROM tools WHERE tools.tenant_id = :tenant_id")
        value = {"tenant_id": tenant if is_postgres else tenant.hex}
        assert list(await session.scalars(statement, value)) == [MINE]


async def test_rows_of_another_tenant_are_not_written_one_by_one(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async with database.read() as session, across_tenants(session, "to have them"):
        found = await session.scalars(select(ToolRow).order_by(ToolRow.owner))
        mine, theirs = found.all()
        session.expunge_all()
    async with database.change(author="t") as session:
        keep_to(session, tenant)
        session.add(theirs)
        theirs.owner = "new"
        with pytest.raises(TenantsMixed, match="was changed in a session"):
            await session.flush()
        await session.rollback()
    async with database.change(author="t") as session:
        keep_to(session, tenant)
        session.add(mine)
        mine.tenant_id = other
        with pytest.raises(TenantsMixed, match="was changed in a session"):
            await session.flush()
        await session.rollback()


async def test_a_row_of_another_tenant_is_neither_added_nor_deleted(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async with database.read() as session, across_tenants(session, "to have it"):
        theirs = (await session.scalars(select(ToolRow).where(ToolRow.owner == THEIRS))).one()
        session.expunge_all()
    async with database.change(author="t") as session:
        keep_to(session, tenant)
        await session.delete(theirs)
        with pytest.raises(TenantsMixed):
            await session.flush()
        await session.rollback()
    async with database.change(author="t") as session:
        keep_to(session, tenant)
        session.add(BundleRow(name="n", tenant_id=other))
        with pytest.raises(TenantsMixed):
            await session.flush()
        await session.rollback()


async def test_a_session_of_nobody_touches_no_rows_of_tenants(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        assert len(await Tenants(session).list()) == 1
        for statement in (select(ToolRow), text("SELECT 1 FROM tools"), delete(ToolRow)):
            with pytest.raises(TenantsMixed, match="make a repository of the tenant"):
                await session.execute(statement)
        session.add(BundleRow(name="n", tenant_id=tenant))
        with pytest.raises(TenantsMixed, match="session of None"):
            await session.flush()
        await session.rollback()


async def test_a_connection_is_guarded_without_a_session(
    database: Database, tenant: TenantId
) -> None:
    async with database.read() as session:
        keep_to(session, tenant)
        connection = await session.connection()
        with pytest.raises(TenantsMixed):
            await connection.exec_driver_sql("SELECT * FROM tools WHERE tools.tenant_id = '1'")
        with pytest.raises(TenantsMixed):
            await connection.execute(select(_TABLE.c.id))
    async with connection.engine.connect() as bare:
        with pytest.raises(TenantsMixed):
            await bare.exec_driver_sql("SELECT * FROM secrets")


async def test_a_session_is_of_one_tenant_for_good(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async with database.read() as session:
        Bundles(session, tenant)
        Upstreams(session, tenant)
        with pytest.raises(TenantsMixed, match="cannot serve"):
            Bundles(session, other)


async def test_what_concerns_all_says_so_and_leaves_nothing_behind(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async with database.change(author="t") as session:
        Bundles(session, tenant)
        async with across_tenants(session, "outer"):
            async with across_tenants(session, "inner"):
                rows = (await session.scalars(select(ToolRow))).all()
                assert {row.owner for row in rows} == {MINE, THEIRS}
            await Bundles(session, other).create(Bundle("theirs"))
            (theirs,) = [row for row in rows if row.owner == THEIRS]
            theirs.title = "written when the block is left"
        assert theirs not in session
        assert await session.get(ToolRow, theirs.id) is None
        assert set(await session.scalars(select(ToolRow.owner))) == {MINE}
        with pytest.raises(TenantsMixed):
            Bundles(session, other)
    async with database.read() as session:
        names = [one.bundle.name for one in await Bundles(session, other).list()]
        assert names == ["service-booking", "theirs"]
        assert await session.scalar(select(ToolRow.title)) == "written when the block is left"


async def test_a_block_that_fails_is_left_all_the_same(
    database: Database, tenant: TenantId
) -> None:
    async def fail(session: AsyncSession) -> None:
        async with across_tenants(session, "fails"):
            raise ValueError

    async with database.read() as session:
        with pytest.raises(ValueError, match=r"^$"):
            await fail(session)
        with pytest.raises(TenantsMixed):
            await session.scalars(select(ToolRow.owner))


async def test_sessions_at_once_keep_to_their_own_tenants(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async def owners(tenant_id: TenantId) -> set[str | None]:
        async with database.read() as session:
            keep_to(session, tenant_id)
            await asyncio.sleep(0)
            return set(await session.scalars(select(ToolRow.owner)))

    every = [tenant, other] * 8
    async with asyncio.timeout(30):
        found = await asyncio.gather(*map(owners, every))
    assert found == [{MINE}, {THEIRS}] * 8


async def test_a_flush_that_fails_opens_nothing(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async with database.change(author="t") as session:
        keep_to(session, tenant)
        session.add(BundleRow(name="n", tenant_id=other))
        with pytest.raises(TenantsMixed):
            await session.flush()
        with pytest.raises(TenantsMixed):
            await session.execute(delete(_TABLE))
        await session.rollback()


async def test_nobody_knows_a_tenant_that_is_not_there(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async with database.read() as session:
        keep_to(session, uuid4())
        assert (await session.scalars(select(UpstreamRow))).all() == []


async def test_a_list_of_tenants_may_name_this_one_only(
    database: Database, tenant: TenantId, other: TenantId
) -> None:
    async with database.read() as session:
        keep_to(session, tenant)
        found = await session.scalars(select(ToolRow.owner).where(ToolRow.tenant_id.in_([tenant])))
        assert list(found) == [MINE]

"""What is compiled bit by bit is what would be compiled from nothing; what did not change stays."""

import random
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.snapshot import Snapshot
from bascule.gateway.tool import Bundle, RiskLevel, Tool, ToolStatus
from bascule.storage import stock as room
from bascule.storage.compiler import Compiler, compile_snapshot
from bascule.storage.database import Database
from bascule.storage.errors import StorageError
from bascule.storage.repositories.bundles import Bundles, BundleStatus
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.tools import Tools
from bascule.storage.stock import Stock
from bascule.storage.tenancy import across_tenants
from contract.storage.samples import a_tool, add_tools

NAMES = ("a", "b", "c", "d")
VERSIONS = ("1.0.0", "1.1.0", "2.0.0")
BUNDLES = ("service-booking", "sales")


async def compiled(database: Database, compiler: Compiler) -> Snapshot:
    async with database.read() as session:
        return await compiler.compile(session)


def random_tool(chance: random.Random) -> Tool:
    return a_tool(
        chance.choice(NAMES),
        version=chance.choice(VERSIONS),
        bundle=chance.choice(BUNDLES),
        description=f"Description {chance.randint(1, 3)}.",
        risk=chance.choice(list(RiskLevel)),
        status=chance.choice(list(ToolStatus)),
        tags=tuple(chance.sample(("x", "y"), chance.randint(0, 2))),
    )


async def store(session: AsyncSession, tenant: TenantId, chance: random.Random) -> None:
    tools = {(one.name, one.version): one for one in (random_tool(chance) for _ in range(3))}
    await add_tools(session, tenant, list(tools.values()))


async def by_hand(session: AsyncSession, statement: str, values: dict[str, str]) -> None:
    """Whatever the tenant: there is one."""
    async with across_tenants(session, "by hand"):
        await session.execute(text(statement), values)


async def remove(session: AsyncSession, tenant: TenantId, chance: random.Random) -> None:
    del tenant
    await by_hand(
        session,
        "DELETE FROM tools WHERE name = :name AND version = :version",
        {"name": chance.choice(NAMES), "version": chance.choice(VERSIONS)},
    )


async def set_status(session: AsyncSession, tenant: TenantId, chance: random.Random) -> None:
    del tenant
    await by_hand(
        session,
        "UPDATE tools SET status = :status WHERE name = :name",
        {"name": chance.choice(NAMES), "status": chance.choice(list(ToolStatus)).value},
    )


async def switch_bundle(session: AsyncSession, tenant: TenantId, chance: random.Random) -> None:
    for name in BUNDLES:
        await Bundles(session, tenant).get_or_create(Bundle(name))
    status = chance.choice(list(BundleStatus))
    await Bundles(session, tenant).set_status(chance.choice(BUNDLES), status)


async def spoil(session: AsyncSession, tenant: TenantId, chance: random.Random) -> None:
    del tenant
    await by_hand(
        session,
        "UPDATE tools SET source = '{}' WHERE name = :name AND version = :version",
        {"name": chance.choice(NAMES), "version": chance.choice(VERSIONS)},
    )


async def rename_bundle(session: AsyncSession, tenant: TenantId, chance: random.Random) -> None:
    del tenant
    names = {"a": chance.choice(BUNDLES), "b": f"other-{chance.randint(1, 3)}"}
    await by_hand(
        session,
        "UPDATE tool_bundles SET name = :b WHERE name = :a AND NOT EXISTS "
        "(SELECT 1 FROM tool_bundles AS other WHERE other.name = :b)",
        names,
    )


async def nothing(session: AsyncSession, tenant: TenantId, chance: random.Random) -> None:
    del session, tenant, chance


Change = Callable[[AsyncSession, TenantId, random.Random], Awaitable[None]]
CHANGES: tuple[Change, ...] = (
    store,
    store,
    remove,
    set_status,
    switch_bundle,
    spoil,
    rename_bundle,
    nothing,
)


@pytest.mark.parametrize("seed", range(5))
async def test_any_changes_give_what_a_compilation_from_nothing_gives(
    database: Database, tenant: TenantId, seed: int
) -> None:
    chance = random.Random(seed)
    compiler = Compiler()
    before = await compiled(database, compiler)
    for _ in range(12):
        async with database.change(author="t") as session:
            for change in chance.sample(CHANGES, chance.randint(1, 3)):
                await change(session, tenant, chance)
        if chance.random() < 0.3:  # by hand: nobody counts it
            async with database.migration() as connection:
                await connection.execute(
                    text("UPDATE tools SET description = 'By hand.' WHERE name = :name"),
                    {"name": chance.choice(NAMES)},
                )
        if chance.random() < 0.3:
            continue  # several changes at once
        after, whole = await compiled(database, compiler), await compiled(database, Compiler())
        assert after == whole
        for name, view in after.tenants.items():
            assert list(view.tools) == list(whole.tenants[name].tools)
            old = before.tenants[name].tools
            same = [key for key, tool in view.tools.items() if old.get(key) == tool]
            assert all(view.tools[key] is old[key] for key in same)
        before = after


async def test_where_no_tool_changed_the_mapping_is_the_same_object(
    database: Database, tenant: TenantId
) -> None:
    compiler = Compiler()
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("a")])
        other = (await Tenants(session).create("other")).id
    first = await compiled(database, compiler)
    async with database.change(author="t") as session:
        await add_tools(session, other, [a_tool("b")])
    second = await compiled(database, compiler)
    assert second.version > first.version
    assert second.tenants["default"].tools is first.tenants["default"].tools
    assert list(second.tenants["other"].tools) == ["b"]


async def test_all_callable_versions_are_known_where_there_are_several(
    database: Database, tenant: TenantId
) -> None:
    statuses = {
        "1.0.0": ToolStatus.DEPRECATED,
        "1.10.0": ToolStatus.ACTIVE,
        "1.9.0": ToolStatus.DEPRECATED,
        "2.0.0": ToolStatus.DEPRECATED,
        "3.0.0": ToolStatus.DRAFT,
        "0.9.0": ToolStatus.INACTIVE,
    }
    async with database.change(author="t") as session:
        tools = [a_tool("t", version=version, status=one) for version, one in statuses.items()]
        await add_tools(session, tenant, [*tools, a_tool("alone")])
    view = (await compiled(database, Compiler())).tenants["default"]
    assert view.tools["t"].version == "1.10.0"
    assert {name: [one.version for one in every] for name, every in view.versions.items()} == {
        "t": ["2.0.0", "1.10.0", "1.9.0", "1.0.0"]
    }
    assert view.versions["t"][1] is view.tools["t"]


async def test_versions_that_are_gone_are_not_known_any_more(
    database: Database, tenant: TenantId
) -> None:
    compiler = Compiler()
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("t", version=one) for one in ("1.0.0", "2.0.0")])
    assert "t" in (await compiled(database, compiler)).tenants["default"].versions
    async with database.change(author="t") as session:
        await Tools(session, tenant).delete("t", "2.0.0")
    view = (await compiled(database, compiler)).tenants["default"]
    assert not view.versions
    assert view.tools["t"].version == "1.0.0"
    async with database.change(author="t") as session:
        await Tools(session, tenant).delete("t")
    view = (await compiled(database, compiler)).tenants["default"]
    assert (view.tools, view.disabled) == ({}, frozenset())


async def test_a_database_put_back_to_an_earlier_state_is_read_from_the_beginning(
    database: Database, tenant: TenantId
) -> None:
    compiler = Compiler()
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("a"), a_tool("b")])
    await compiled(database, compiler)
    async with database.migration() as connection:
        await connection.execute(text("UPDATE change_counter SET version = 1"))
        await connection.execute(text("UPDATE tools SET description = 'Old.' WHERE name = 'a'"))
        await connection.execute(text("UPDATE tool_index SET revision = 0"))
    assert await compiled(database, compiler) == await compiled(database, Compiler())


async def test_an_update_that_fails_leaves_everything_as_it_was(
    database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = Compiler()
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("a"), a_tool("b")])
    first = await compiled(database, compiler)
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("a", description="New."), a_tool("c")])
        await Tools(session, tenant).delete("b")

    async def fail(self: object) -> None:
        raise StorageError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(room._Update, "_drop_removed", fail)
        with pytest.raises(StorageError):
            await compiled(database, compiler)
    assert list(first.tenants["default"].tools) == ["a", "b"]
    assert await compiled(database, compiler) == await compiled(database, Compiler())


async def test_very_much_that_changed_at_once_is_read_once(
    database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_MOST_READ_AGAIN", 2)
    compiler = Compiler()
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool(name) for name in NAMES])
    first = await compiled(database, compiler)
    monkeypatch.setattr(room, "ToolRecord", None)  # would fail if it were called
    async with database.change(author="t"):
        pass
    second = await compiled(database, compiler)
    assert second.tenants["default"].tools is first.tenants["default"].tools


async def test_without_tenants_there_are_no_shelves(database: Database) -> None:
    async with database.read() as session:
        async with across_tenants(session, "as the compiler does"):
            assert await Stock().update(session, 0) == {}
        assert await compile_snapshot(session) == Snapshot()

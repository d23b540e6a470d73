"""The narrow copies follow every way in which a tool changes, past the code that knows them too."""

from typing import Any

from sqlalchemy import Connection, inspect, text

from bascule.storage.database import Database
from bascule.storage.repositories.scope import TenantId
from bascule.storage.schema import differences, downgrade, migrate
from bascule.storage.search_tables import FOREIGN
from bascule.storage.seed import seed_defaults
from bascule.storage.tenancy import across_tenants
from contract.storage.samples import a_tool, add_tools

TRIGGERS = {
    "sqlite": {
        *("tool_inserted", "tool_updated", "tool_deleted"),
        *("tool_text_inserted", "tool_text_updated", "tool_text_deleted"),
    },
    "postgresql": {"tool_indexed"},
}


async def triggers(database: Database) -> tuple[str, set[str]]:
    """The engine, and the names of the triggers there are."""
    async with database.migration() as connection:
        engine = connection.dialect.name
        listed = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if engine == "sqlite"
            else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        )
        return engine, set((await connection.execute(text(listed))).scalars())


async def copies(database: Database) -> list[tuple[Any, ...]]:
    """What the copies say: name, version, status, revision, text, tags."""
    async with database.read() as session, across_tenants(session, "by hand"):
        rows = await session.execute(
            text(
                "SELECT name, version, status, revision, search_text, tool_id FROM tool_index "
                "ORDER BY name, version"
            )
        )
        tags = (await session.execute(text("SELECT tool_id, tag FROM tool_tags ORDER BY 2"))).all()
        return [(*row[:5], [tag for id_, tag in tags if id_ == row[5]]) for row in rows]


async def test_the_newest_schema_has_the_triggers(empty_database: Database) -> None:
    """A revision that builds `tools` anew must make them again: on SQLite they are lost with it."""
    await migrate(empty_database)
    engine, found = await triggers(empty_database)
    assert found == TRIGGERS[engine]


async def test_tools_that_were_there_before_are_copied_and_come_through_a_way_back(
    empty_database: Database,
) -> None:
    database = empty_database
    await migrate(database)
    async with database.change(author="t") as session:
        tenant = (await seed_defaults(session)).id
        odd = a_tool("b", description="É %", tags=("x", "y"), title="T")
        await add_tools(session, tenant, [a_tool("A", tags=("x",)), odd])
    before = await copies(database)
    await downgrade(database, "0004")
    async with database.migration() as connection:
        tables = set(await connection.run_sync(_tables))
        assert not [name for name in tables if name.startswith(("tool_index", "tool_t"))]
        assert (await connection.execute(text("SELECT count(*) FROM tools"))).scalar_one() == 2
    assert (await triggers(database))[1] == set()
    await migrate(database)
    assert await differences(database) == []
    # Their changes were not counted before; everything else is as it was.
    assert await copies(database) == [(*one[:3], 0, *one[4:]) for one in before]


async def test_every_change_of_a_tool_is_numbered(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("a"), a_tool("b")])
    async with database.change(author="t") as session, across_tenants(session, "by hand"):
        await session.execute(text("UPDATE tools SET idempotent = idempotent WHERE name = 'a'"))
        await session.execute(text("UPDATE tools SET description = 'X' WHERE name = 'b'"))
    async with database.change(author="t") as session, across_tenants(session, "by hand"):
        await session.execute(text("UPDATE tools SET tags = '[\"t\", \"t\", 1]' WHERE name = 'b'"))
    assert [(one[0], *one[3:]) for one in await copies(database)] == [
        ("a", 3, "a\n\nwhat a does.", []),
        ("b", 4, "b\n\nx", ["t"]),
    ]
    async with database.change(author="t") as session, across_tenants(session, "by hand"):
        await session.execute(text("DELETE FROM tools WHERE name = 'b'"))
    assert [one[0] for one in await copies(database)] == ["a"]


async def test_what_only_one_engine_has_is_named(database: Database) -> None:
    async with database.migration() as connection:
        tables = await connection.run_sync(_tables)
    foreign = [name for name in tables if name.startswith(FOREIGN)]
    assert bool(foreign) == ("tool_text" in tables)


def _tables(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()

"""The schema goes up and down on both engines, and is what the code expects."""

import asyncio

import pytest
from sqlalchemy import Connection, inspect, text

from bascule.storage.database import Database
from bascule.storage.errors import SchemaMissing, SchemaTooNew
from bascule.storage.schema import differences, downgrade, migrate


async def test_migrated_tables_are_exactly_those_the_code_expects(empty_database: Database) -> None:
    assert await migrate(empty_database) == "0009"
    assert await differences(empty_database) == []


async def test_a_difference_would_be_noticed(empty_database: Database) -> None:
    database = empty_database
    await migrate(database)
    async with database.migration() as connection:
        await connection.execute(text("ALTER TABLE roles DROP COLUMN description"))
    assert len(await differences(database)) == 1


async def test_schema_goes_down_to_nothing_and_up_again(empty_database: Database) -> None:
    database = empty_database
    await migrate(database)
    await downgrade(database, "base")
    async with database.migration() as connection:
        tables = await connection.run_sync(_tables)
    assert tables == {"alembic_version"}
    await migrate(database)
    assert await differences(database) == []


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    async with database.change(author="somebody"):
        pass
    await migrate(database)
    async with database.read() as session:
        assert await session.scalar(text("SELECT version FROM change_counter")) == 1


async def test_a_database_of_a_later_release_is_left_alone(empty_database: Database) -> None:
    database = empty_database
    await migrate(database)
    async with database.migration() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for change in (migrate(database), downgrade(database, "base")):
        with pytest.raises(SchemaTooNew, match=r"later release.*9999.*restore a backup"):
            await change


async def test_a_failed_migration_leaves_nothing_behind(empty_database: Database) -> None:
    async with empty_database.migration() as connection:
        await connection.execute(text("CREATE TABLE tools (in_the_way INTEGER)"))
    with pytest.raises(Exception, match="database"):
        await migrate(empty_database)
    async with empty_database.migration() as connection:
        assert await connection.run_sync(_tables) == {"tools"}


async def test_reading_before_migrating_says_that_tables_are_missing(
    empty_database: Database,
) -> None:
    with pytest.raises(SchemaMissing, match="Restart Bascule"):
        async with empty_database.change(author="somebody"):
            pass


async def test_a_migration_waits_for_another_one(database: Database) -> None:
    order: list[str] = []

    async def second() -> None:
        async with database.migration():
            order.append("second")

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        async with database.migration():
            waiting = tasks.create_task(second())
            await database.ping()
            order.append("first")
        await waiting
    assert order == ["first", "second"]


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())

"""Transactions: what is kept, what is not, and who waits for whom."""

import asyncio

import pytest
from sqlalchemy import text

from bascule.gateway.errors import Conflict
from bascule.storage.counter import current_version
from bascule.storage.database import Database, open_database
from bascule.storage.engines import PoolConfig
from bascule.storage.errors import DatabaseLocked, StatementTimedOut
from bascule.storage.repositories.tenants import Tenants


async def _version(database: Database) -> int:
    async with database.read() as session:
        return await current_version(session)


async def _names(database: Database) -> list[str]:
    async with database.read() as session:
        return [tenant.name for tenant in await Tenants(session).list()]


async def test_a_change_is_kept_and_counted(database: Database) -> None:
    async with database.change(author="t") as session:
        await Tenants(session).create("one")
    assert await _names(database) == ["one"]
    assert await _version(database) == 1


async def test_a_failed_change_leaves_nothing_and_is_not_counted(database: Database) -> None:
    async def fail() -> None:
        async with database.change(author="t") as session:
            await Tenants(session).create("one")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await _names(database) == []
    assert await _version(database) == 0


async def test_a_refused_statement_undoes_the_whole_change(database: Database) -> None:
    async def fail() -> None:
        async with database.change(author="t") as session:
            await Tenants(session).create("one")
            await session.execute(text("INSERT INTO tenants SELECT * FROM tenants"))

    with pytest.raises(Conflict):
        await fail()
    assert await _names(database) == []


async def test_a_cancelled_change_leaves_nothing_and_frees_the_way(database: Database) -> None:
    started = asyncio.Event()

    async def endless() -> None:
        async with database.change(author="t") as session:
            await Tenants(session).create("one")
            started.set()
            await asyncio.Event().wait()

    async with asyncio.timeout(5):
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(endless())
            await started.wait()
            task.cancel()
        async with database.change(author="t") as session:
            await Tenants(session).create("two")
    assert await _names(database) == ["two"]
    assert await _version(database) == 1


async def test_a_statement_cut_short_is_a_cancellation_and_not_a_failure(
    database: Database, engine: str
) -> None:
    slow = (
        "SELECT pg_sleep(60)"
        if engine == "postgresql"
        else "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) "
        "SELECT max(i) FROM n"
    )

    async def run() -> None:
        async with database.change(author="t") as session:
            await session.execute(text(slow))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run(), 0.05)
    async with asyncio.timeout(5), database.change(author="t") as session:
        assert await current_version(session) == 1


async def test_changes_made_at_once_get_different_versions(database: Database) -> None:
    seen: list[int] = []

    async def change(name: str) -> None:
        async with database.change(author="t") as session:
            seen.append(await current_version(session))
            await Tenants(session).create(name)

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for number in range(8):
            tasks.create_task(change(f"tenant-{number}"))
    assert sorted(seen) == list(range(1, 9))
    assert await _version(database) == 8
    assert len(await _names(database)) == 8


async def test_checking_and_then_adding_is_safe_in_changes_made_at_once(
    database: Database,
) -> None:
    created: list[bool] = []

    async def ensure() -> None:
        async with database.change(author="t") as session:
            tenants = Tenants(session)
            missing = await tenants.find("only") is None
            if missing:
                await tenants.create("only")
            created.append(missing)

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(ensure())
    assert sorted(created) == [False, False, False, True]


async def test_a_reader_sees_one_state_while_others_write(database: Database) -> None:
    async with database.read() as before:
        assert await current_version(before) == 0
        async with asyncio.timeout(5), database.change(author="t") as session:
            await Tenants(session).create("one")
        assert await current_version(before) == 0
        assert await Tenants(before).list() == ()
    assert await _version(database) == 1


async def test_an_uncommitted_change_is_seen_by_nobody_else(database: Database) -> None:
    async with asyncio.timeout(5), database.change(author="t") as session:
        await Tenants(session).create("one")
        assert await _names(database) == []
        assert await _version(database) == 0


async def test_a_change_that_waits_too_long_says_so(migrated_url: str) -> None:
    impatient = PoolConfig(lock_wait_seconds=0.05, statement_seconds=0.05)
    async with open_database(migrated_url) as patient, open_database(migrated_url, impatient) as b:
        async with asyncio.timeout(5), patient.change(author="t"):
            with pytest.raises((DatabaseLocked, StatementTimedOut), match="Try again"):
                async with b.change(author="t"):
                    pass
        async with b.change(author="t") as session:
            assert await current_version(session) == 2


async def test_values_outlive_the_session_they_came_from(database: Database) -> None:
    async with database.change(author="t") as session:
        tenant = await Tenants(session).create("one", "first")
    assert (tenant.name, tenant.description, tenant.is_active) == ("one", "first", True)


async def test_ping_answers(empty_database: Database) -> None:
    await empty_database.ping()


async def test_what_was_written_is_there_after_opening_again(migrated_url: str) -> None:
    for expected in (1, 2):
        async with (
            open_database(migrated_url) as database,
            database.change(author="t") as session,
        ):
            assert await current_version(session) == expected

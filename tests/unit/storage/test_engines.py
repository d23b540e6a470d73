"""How connections are set up, and what may be stored as JSON."""

import asyncio
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import text
from sqlalchemy import text as sql

from bascule.gateway.errors import InvalidValue
from bascule.storage.database import Database, open_database
from bascule.storage.engines import PoolConfig, encode_json
from bascule.storage.errors import DatabaseUnusable, StatementTimedOut, StorageExhausted
from bascule.storage.schema import migrate

# Leaving WAL mode needs the file for oneself.
_TAKE_ALL = """
import sqlite3, sys
try:
    sqlite3.connect(sys.argv[1], timeout=0).execute("PRAGMA journal_mode = DELETE")
except sqlite3.OperationalError as error:
    print(error)
"""


async def test_sqlite_commits_are_durable_and_keys_are_enforced(tmp_path: Path) -> None:
    async with (
        open_database(f"sqlite:///{tmp_path}/b.db") as database,
        database.migration() as connection,
    ):
        settings = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    full = 2
    assert settings == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": full,
        "busy_timeout": 10_000,
    }


async def test_an_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path}/b.db") as database:
        async with database.migration() as connection:
            await connection.execute(sql("CREATE TABLE t (a INTEGER)"))
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("b.db*")}
    assert modes == {0o600}


async def test_opening_a_file_again_keeps_the_locks_of_this_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/b.db"
    async with open_database(url) as first:
        await migrate(first)
        async with asyncio.timeout(20), first.read() as session:
            await session.execute(sql("SELECT * FROM tenants"))
            async with open_database(url):
                pass
            intruder = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _TAKE_ALL, f"{tmp_path}/b.db", stdout=asyncio.subprocess.PIPE
            )
            output, _ = await intruder.communicate()
    assert output == b"database is locked\n"


async def test_a_postgresql_session_has_the_limits_and_utc(
    postgres_url: str,
) -> None:
    async with (
        open_database(postgres_url, PoolConfig(statement_seconds=7)) as database,
        database.read() as session,
    ):
        shown = {
            name: await session.scalar(sql(f"SHOW {name}"))
            for name in (
                "statement_timeout",
                "idle_in_transaction_session_timeout",
                "timezone",
                "transaction_isolation",
            )
        }
    assert shown == {
        "statement_timeout": "7s",
        "idle_in_transaction_session_timeout": "7s",
        "timezone": "UTC",
        "transaction_isolation": "repeatable read",
    }


async def test_a_statement_that_takes_too_long_is_cancelled(postgres_url: str) -> None:
    async with open_database(postgres_url, PoolConfig(statement_seconds=0.05)) as database:
        with pytest.raises(StatementTimedOut, match="statement timeout"):
            async with database.read() as session:
                await session.execute(sql("SELECT pg_sleep(5)"))


async def test_a_pool_in_full_use_says_so(database_url: str) -> None:
    narrow = PoolConfig(kept_connections=1, most_connections=1, checkout_seconds=0.05)
    async with open_database(database_url, narrow) as database, database.read():
        with pytest.raises(StorageExhausted, match="widen the pool"):
            async with database.read():
                pass


async def test_nothing_can_be_written_while_reading(database: Database) -> None:
    with pytest.raises(DatabaseUnusable, match="only be read"):
        async with database.read() as session:
            await session.execute(sql("UPDATE change_counter SET version = 99"))
    async with database.change(author="t") as session:
        assert await session.scalar(sql("SELECT version FROM change_counter")) == 1


@pytest.mark.parametrize("document", [{"a": "\0"}, {"\\\0": 1}, ["\\\\\0"], {"a": "\ud800"}])
def test_json_that_one_engine_could_not_hold_is_refused(document: object) -> None:
    with pytest.raises(InvalidValue):
        encode_json(document)


def test_json_without_an_end_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(InvalidValue):
        encode_json(endless)


@given(text())
def test_exactly_the_texts_with_a_nul_are_refused(value: str) -> None:
    refused = False
    try:
        encode_json([value, {value: 1}])
    except InvalidValue:
        refused = True
    assert refused == ("\0" in value)

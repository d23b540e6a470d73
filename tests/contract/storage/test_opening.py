"""A database that cannot be used says why, and what to do, and never its password."""

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from bascule.storage.database import Database, open_database
from bascule.storage.engines import PoolConfig
from bascule.storage.errors import (
    AccessRefused,
    DatabaseDamaged,
    DatabaseLocked,
    DatabaseUnreachable,
    DatabaseUnusable,
    StorageError,
)
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.schema import migrate
from contract.storage.databases import fresh_postgres_database

_HANG_UP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'storage_tests'"
_PASSWORD = "open-sesame"


async def _refusal(url: str, config: PoolConfig | None = None) -> StorageError:
    with pytest.raises(StorageError) as caught:
        async with open_database(url, config or PoolConfig()) as database:
            await migrate(database)
    assert _PASSWORD not in caught.value.public + caught.value.private
    return caught.value


async def test_a_directory_that_does_not_exist(tmp_path: Path) -> None:
    error = await _refusal(f"sqlite:///{tmp_path}/missing/b.db")
    assert type(error) is DatabaseUnusable
    assert f"{tmp_path}/missing/b.db cannot be opened. Create its directory" in error.public


async def test_a_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert type(await _refusal(f"sqlite:///{tmp_path}/file/b.db")) is DatabaseUnusable


async def test_a_file_that_is_a_directory(tmp_path: Path) -> None:
    error = await _refusal(f"sqlite:///{tmp_path}")
    assert type(error) is DatabaseUnusable
    assert "cannot be opened" in error.public


async def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    path.write_bytes(b"%PDF-1.7 " * 1000)
    error = await _refusal(f"sqlite:///{path}")
    assert type(error) is DatabaseDamaged
    assert "is not an SQLite database. Move the file away" in error.public
    assert path.read_bytes() == b"%PDF-1.7 " * 1000, "what is not ours stays as it is"


async def test_a_file_with_damaged_pages(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    async with open_database(f"sqlite:///{path}") as database:
        await migrate(database)
        async with database.change(author="t") as session:
            for number in range(200):
                await Tenants(session).create(f"tenant-{number}", "x" * 200)
    intact = path.read_bytes()
    path.write_bytes(intact[:4096] + os.urandom(len(intact) - 4096))
    error = await _refusal(f"sqlite:///{path}")
    assert type(error) is DatabaseDamaged
    assert "restore a backup" in error.public


async def test_a_file_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    async with open_database(f"sqlite:///{path}") as database:
        await migrate(database)
    path.write_bytes(path.read_bytes()[: 5 * 4096])
    assert type(await _refusal(f"sqlite:///{path}")) is DatabaseDamaged


async def test_a_file_somebody_else_is_writing(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        error = await _refusal(f"sqlite:///{path}", PoolConfig(lock_wait_seconds=0.05))
        assert type(error) is DatabaseLocked
        assert "end the process that holds it" in error.public
        other.execute("ROLLBACK")
    async with open_database(f"sqlite:///{path}") as database:
        await migrate(database)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine that nobody listens on while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_a_server_that_does_not_run(closed_port: int) -> None:
    error = await _refusal(f"postgresql://u:{_PASSWORD}@127.0.0.1:{closed_port}/bascule")
    assert type(error) is DatabaseUnreachable
    assert f"127.0.0.1:{closed_port}/bascule does not answer. Check that" in error.public


async def test_a_host_that_does_not_exist() -> None:
    error = await _refusal(f"postgresql://u:{_PASSWORD}@nowhere.invalid/bascule")
    assert type(error) is DatabaseUnreachable


async def test_a_server_that_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        url = f"postgresql://u:{_PASSWORD}@127.0.0.1:{port}/bascule"
        error = await _refusal(url, PoolConfig(connect_seconds=0.1))
    assert type(error) is DatabaseUnreachable


async def test_a_wrong_password(postgres_url: str) -> None:
    server = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        await server.execute("DROP ROLE IF EXISTS guarded")
        await server.execute("CREATE ROLE guarded LOGIN PASSWORD 'the right one'")
    finally:
        await server.close()
    for credentials in (f"guarded:{_PASSWORD}", "guarded:"):
        error = await _refusal(postgres_url.replace("postgres:@", f"{credentials}@"))
        assert type(error) is AccessRefused
        assert "refused the user or password" in error.public
    async with open_database(postgres_url.replace("postgres:@", "guarded:the%20right%20one@")):
        pass


async def test_a_user_and_a_database_that_do_not_exist(postgres_url: str) -> None:
    error = await _refusal(postgres_url.replace("postgres:@", f"ghost:{_PASSWORD}@"))
    assert type(error) is AccessRefused
    error = await _refusal(postgres_url.replace("/postgres?", "/nothing?"))
    assert type(error) is AccessRefused
    assert "Create it (createdb)" in error.public


async def test_a_user_who_may_not_make_tables(postgres_url: str) -> None:
    server = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        await server.execute("DROP ROLE IF EXISTS reader")
        await server.execute("CREATE ROLE reader LOGIN")
    finally:
        await server.close()
    error = await _refusal(postgres_url.replace("postgres:@", "reader:@"))
    assert type(error) is AccessRefused
    assert "Make the user owner of the database" in error.public


async def test_a_connection_lost_under_way_is_named_and_then_replaced(postgres_url: str) -> None:
    async def change(database: Database, server: asyncpg.Connection) -> None:
        async with database.change(author="t") as session:
            await server.execute(_HANG_UP)
            await Tenants(session).create("lost")

    server = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        async with (
            fresh_postgres_database(postgres_url) as url,
            open_database(url) as database,
        ):
            await migrate(database)
            with pytest.raises(DatabaseUnreachable):
                await change(database, server)
            await server.execute(_HANG_UP)
            async with database.change(author="t") as session:
                assert await Tenants(session).list() == ()
    finally:
        await server.close()

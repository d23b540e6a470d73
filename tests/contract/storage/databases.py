"""Fixtures: an empty database of each engine, and the same with tables and a tenant in it."""

import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from bascule.storage.database import Database, open_database
from bascule.storage.repositories.scope import TenantId
from bascule.storage.schema import migrate
from bascule.storage.seed import seed_defaults
from bascule.storage.tables import Base

__all__ = [
    "database",
    "database_url",
    "empty_database",
    "engine",
    "fresh_postgres_database",
    "migrated_url",
    "tenant",
]

_NO_ROWS = "; ".join(
    [
        *(f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables)),  # noqa: S608 - names of ours
        "INSERT INTO change_counter VALUES (1, 0, now(), 'migration')",
    ]
)


@asynccontextmanager
async def fresh_postgres_database(postgres_url: str) -> AsyncGenerator[str]:
    """The URL of an empty database on that server: the same one again, which is far quicker."""
    url = await _made(postgres_url, "storage_tests")
    await _execute(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    yield url


async def _made(postgres_url: str, name: str) -> str:
    with suppress(asyncpg.DuplicateDatabaseError):
        await _execute(postgres_url, f"CREATE DATABASE {name}")
    # A test that failed half-way may have left a transaction open.
    await _execute(
        postgres_url,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",  # noqa: S608 - our names
    )
    return postgres_url.replace("/postgres?", f"/{name}?")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Every test that opens a database runs on both."""
    return request.param


@pytest.fixture
async def database_url(engine: str, tmp_path: Path, postgres_url: str) -> AsyncIterator[str]:
    """The URL of a database without tables."""
    if engine == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/empty.db"
    else:
        async with fresh_postgres_database(postgres_url) as url:
            yield url


@pytest.fixture
async def migrated_url(
    engine: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, postgres_url: str
) -> AsyncIterator[str]:
    """The URL of a database with tables and no rows. Migrated once and reused: alter no table."""
    if engine == "sqlite":
        template = tmp_path_factory.getbasetemp() / "migrated.db"
        if not template.exists():
            async with open_database(f"sqlite:///{template}") as made:
                await migrate(made)
        yield f"sqlite+aiosqlite:///{shutil.copy(template, tmp_path / 'bascule.db')}"
    else:
        url = await _made(postgres_url, "storage_rows")
        try:
            await _execute(url, _NO_ROWS)
        except asyncpg.UndefinedTableError:
            async with open_database(url) as made:
                await migrate(made)
        yield url


@pytest.fixture
async def empty_database(database_url: str) -> AsyncIterator[Database]:
    """An open database without tables."""
    async with open_database(database_url) as database:
        yield database


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """An open database with the tables of this release, and nothing in them."""
    async with open_database(migrated_url) as database:
        yield database


@pytest.fixture
async def tenant(database: Database) -> TenantId:
    """The id of the default tenant, which has the built-in roles."""
    async with database.change(author="fixture") as session:
        return (await seed_defaults(session)).id

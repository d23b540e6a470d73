"""One database: opened once, read and changed in transactions, closed with its block."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from bascule.storage.counter import count_change
from bascule.storage.engines import Backend, PoolConfig, backend_of
from bascule.storage.failures import named_failures
from bascule.storage.tenancy import bind_scope, guard_engine, open_session, unlimited
from bascule.storage.urls import describe, parse_url

DEFAULT_POOL: Final = PoolConfig()


class Database:
    """An open database. Safe to share between tasks; each block below has its own connection."""

    def __init__(self, engine: AsyncEngine, backend: Backend) -> None:
        self._engine = engine
        self._backend = backend
        self.location = describe(engine.url)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession]:
        """See one state of everything, whoever writes meanwhile. A write in here fails.

        Raises:
            StorageError: no connection, or a statement failed.
        """
        async with open_session(self._engine) as session:
            with named_failures(self.location):
                await self._backend.begin_read(await bind_scope(session))
            yield session

    @asynccontextmanager
    async def change(self, *, author: str) -> AsyncGenerator[AsyncSession]:
        """One transaction: counted, and committed where the block ends without an exception.

        Changes of all processes run one after the other, so what a block reads stays true until
        it commits. Nothing is kept of a block that fails or is cancelled.

        Raises:
            StorageError: no connection, another writer held on too long, or a statement failed.
            Conflict: a unique or foreign key would be violated.
        """
        async with open_session(self._engine) as session:
            with named_failures(self.location):
                await self._backend.begin_change(await bind_scope(session))
                await count_change(session, author)
            yield session
            await session.commit()

    @asynccontextmanager
    async def jotting(self) -> AsyncGenerator[AsyncSession]:
        """One transaction for what no snapshot holds, such as who was last seen when; not counted.

        As `change` otherwise.

        Raises:
            StorageError: no connection, another writer held on too long, or a statement failed.
            Conflict: a unique or foreign key would be violated.
        """
        async with open_session(self._engine) as session:
            with named_failures(self.location):
                await self._backend.begin_change(await bind_scope(session))
            yield session
            await session.commit()

    @asynccontextmanager
    async def migration(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction for changing tables, alone among all processes; not counted."""
        with named_failures(self.location):
            async with self._engine.connect() as connection:
                await self._backend.begin_migration(connection)
                await unlimited(connection, "migrations alter the tables of all tenants")
                yield connection
                await connection.commit()

    async def ping(self) -> None:
        """Ask for an answer.

        Raises:
            StorageError: there was none.
        """
        with named_failures(self.location):
            async with self._engine.connect() as connection:
                await connection.exec_driver_sql("SELECT 1")


@asynccontextmanager
async def open_database(url: str, config: PoolConfig = DEFAULT_POOL) -> AsyncGenerator[Database]:
    """Connect to `url`, check that it is whole, and close every connection at the end.

    SQLite: `sqlite+aiosqlite:///file` (created if missing, its directory is not). PostgreSQL:
    `postgresql+asyncpg://user:password@host:port/name`, with `?ssl=verify-full` for TLS.

    Raises:
        StorageError: of the class that says what is wrong.
    """
    parsed = parse_url(url)
    backend = backend_of(parsed)
    with named_failures(describe(parsed)):
        engine = backend.create(parsed, config)
        guard_engine(engine.sync_engine)
    try:
        with named_failures(describe(parsed)):
            async with engine.connect() as connection:
                await backend.check(connection)
        yield Database(engine, backend)
    finally:
        await engine.dispose()

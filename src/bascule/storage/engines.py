"""The two engines: how each is connected to, and how each begins a read or a change."""

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

import msgspec
from sqlalchemy import URL, event
from sqlalchemy.engine.interfaces import AdaptedConnection, DBAPIConnection, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bascule.gateway.errors import GatewayError, InvalidValue
from bascule.storage.errors import DatabaseDamaged
from bascule.storage.failures import name_failure, name_file_failure
from bascule.storage.urls import POSTGRES, SQLITE, describe

_LOCK_NUMBER: Final = 0x62617363
"""Key of the PostgreSQL advisory lock under which the schema changes."""


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """Connections and their limits. `lock_wait_seconds` is SQLite's busy timeout."""

    kept_connections: int = 5
    most_connections: int = 20
    recycle_seconds: int = 1800
    checkout_seconds: float = 10.0
    connect_seconds: float = 5.0
    statement_seconds: float = 30.0
    lock_wait_seconds: float = 10.0


class Backend(Protocol):
    """What differs between the engines, and nothing else."""

    def create(self, url: URL, config: PoolConfig) -> AsyncEngine:
        """An engine that has not connected yet."""
        ...

    async def check(self, connection: AsyncConnection) -> None:
        """Refuse a database that answers but is not whole."""
        ...

    async def begin_read(self, connection: AsyncConnection) -> None:
        """Start a transaction that sees one state throughout and cannot write."""
        ...

    async def begin_change(self, connection: AsyncConnection) -> None:
        """Start a transaction that may write."""
        ...

    async def begin_migration(self, connection: AsyncConnection) -> None:
        """Start a transaction that may alter tables, alone among all processes."""
        ...


class Sqlite:
    """A file, in WAL mode, where a commit is on the disk when it returns."""

    def create(self, url: URL, config: PoolConfig) -> AsyncEngine:
        """A missing file is made here, for its owner's eyes only, as SQLite would not.

        Raises:
            StorageError: the file can neither be used nor made.
        """
        _make_private(str(url.database))
        engine = _engine(url, config, {"isolation_level": None})
        busy_milliseconds = int(config.lock_wait_seconds * 1000)

        @event.listens_for(engine.sync_engine, "connect")
        def configure(connection: DBAPIConnection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
            _configure(connection, busy_milliseconds)

        event.listen(engine.sync_engine, "invalidate", _abandon)
        return engine

    async def check(self, connection: AsyncConnection) -> None:
        """Walk the whole file once: some 10 ms per 10 MB."""
        found = (await connection.exec_driver_sql("PRAGMA quick_check(1)")).scalar_one()
        if found != "ok":
            raise DatabaseDamaged(
                f"The database {describe(connection.engine.url)} is damaged. Stop Bascule, keep a "
                "copy of the file and its -wal, and restore a backup.",
                private=str(found),
            )

    async def begin_read(self, connection: AsyncConnection) -> None:
        """A deferred transaction: in WAL mode it sees the state of its first read."""
        await connection.exec_driver_sql("PRAGMA query_only = ON")
        await connection.exec_driver_sql("BEGIN")

    async def begin_change(self, connection: AsyncConnection) -> None:
        """Take the write lock first, so that no change fails half-way for want of it."""
        await connection.exec_driver_sql("PRAGMA query_only = OFF")
        await connection.exec_driver_sql("BEGIN IMMEDIATE")

    async def begin_migration(self, connection: AsyncConnection) -> None:
        """As any change: SQLite has one writer at a time."""
        await self.begin_change(connection)


class Postgres:
    """A server, spoken to by asyncpg."""

    def create(self, url: URL, config: PoolConfig) -> AsyncEngine:
        """Limits are set on the server for each session, and once more on our side of the wire."""
        milliseconds = str(int(config.statement_seconds * 1000))
        arguments = {
            "timeout": config.connect_seconds,
            # A server that vanished without a word is noticed, too.
            "command_timeout": config.statement_seconds + 5,
            "server_settings": {
                "application_name": "bascule",
                "timezone": "UTC",
                "statement_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
            },
        }
        return _engine(url, config, arguments)

    async def check(self, connection: AsyncConnection) -> None:
        """The server looks after its own files; an answer is enough."""
        await connection.exec_driver_sql("SELECT 1")

    async def begin_read(self, connection: AsyncConnection) -> None:
        """One state for all statements of the transaction, as the snapshot compiler needs."""
        await connection.exec_driver_sql(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        )

    async def begin_change(self, connection: AsyncConnection) -> None:
        """READ COMMITTED: the change counter's row lock is what puts changes in order."""

    async def begin_migration(self, connection: AsyncConnection) -> None:
        """Wait for any other process that migrates, however long its statements take."""
        await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_NUMBER})")


def backend_of(url: URL) -> Backend:
    """The backend that serves `url`, as parsed by `parse_url`."""
    return Sqlite() if url.drivername == SQLITE else Postgres()


def _engine(url: URL, config: PoolConfig, connect_args: dict[str, Any]) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=config.kept_connections,
        max_overflow=config.most_connections - config.kept_connections,
        pool_recycle=config.recycle_seconds,
        pool_timeout=config.checkout_seconds,
        pool_pre_ping=url.drivername == POSTGRES,
        # Values may be key digests or credentials of upstreams; errors never quote them.
        hide_parameters=True,
        json_serializer=encode_json,
        json_deserializer=msgspec.json.decode,
        connect_args=connect_args,
    )
    location = describe(url)

    @event.listens_for(engine.sync_engine, "handle_error")
    def name(context: ExceptionContext) -> GatewayError | None:  # pyright: ignore[reportUnusedFunction]
        # Out of step with a server that hung up: asyncpg does not always notice that itself.
        if type(context.original_exception).__name__ == "InternalClientError":
            context.is_disconnect = True
        if context.is_disconnect and context.sqlalchemy_exception is not None:
            return name_failure(ConnectionError(str(context.original_exception)), location)
        return name_failure(context.sqlalchemy_exception or context.original_exception, location)

    return engine


def encode_json(document: object) -> str:
    """JSON text for a column of either engine.

    Raises:
        InvalidValue: the document has a lone surrogate, a NUL or is nested without end.
    """
    try:
        text = msgspec.json.encode(document).decode()
    except (UnicodeEncodeError, OverflowError, RecursionError) as error:
        raise InvalidValue(f"A JSON document cannot be stored: {error}.") from None
    # PostgreSQL's jsonb cannot hold U+0000; the other engine refuses it alike.
    if "\\u0000" in text and _holds_nul(text):
        raise InvalidValue("A JSON document holds a NUL character (\\u0000). Remove it.")
    return text


def _holds_nul(text: str) -> bool:
    return "\\u0000" in text.replace("\\\\", "")


def _make_private(path: str) -> None:
    # An existing file is not even opened: closing it again would drop the locks that another
    # connection of this process holds (https://www.sqlite.org/howtocorrupt.html, 2.2).
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if not Path(path).is_file() or not os.access(path, os.R_OK | os.W_OK):
            raise name_file_failure(path, "not a file, or not ours to write") from None
    except OSError as failure:
        raise name_file_failure(path, str(failure)) from None


def _abandon(connection: AdaptedConnection, _record: object, _failure: object) -> None:
    # A cancelled statement outlives the closing of its connection, and with it the write lock,
    # until its cursor happens to be collected. So stop it and give the lock back first.
    with suppress(sqlite3.Error):
        connection.run_async(lambda driver: driver.interrupt())
        cast(DBAPIConnection, connection).rollback()


def _configure(connection: DBAPIConnection, busy_milliseconds: int) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {busy_milliseconds}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()

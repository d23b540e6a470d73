"""One SQLite file, a fresh connection for every request."""

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from booking.schema import APPLICATION_ID, SCHEMA_VERSION, STATEMENTS

BUSY_TIMEOUT_SECONDS = 10.0


class UnusableDatabase(Exception):
    """The file is a database, but not one this service may write to."""


class Database:
    """Hands out connections to the file at `path`; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Create the file and its tables where they are missing; several processes may race.

        Raises:
            UnusableDatabase: the file belongs to another program or another version.
            sqlite3.Error: the file cannot be opened, is not SQLite, or cannot be written.
        """
        with self._open("rwc") as connection:
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in STATEMENTS:
                    connection.execute(statement)
            self._check_identity(connection)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")

    @contextmanager
    def connect(self) -> Generator[sqlite3.Connection]:
        """A connection for reading, closed on exit."""
        # Never "rwc": a deleted file must be reported, not replaced by an empty one.
        with self._open("rw") as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection]:
        """The only writer until the block ends: committed on exit, rolled back on an exception."""
        with self.connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _open(self, mode: str) -> Generator[sqlite3.Connection]:
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        # Closing without COMMIT rolls back, so no exception path can leave a half-made change.
        with closing(
            sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        ) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection

    def _check_identity(self, connection: sqlite3.Connection) -> None:
        application_id = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application_id != APPLICATION_ID:
            raise UnusableDatabase("the file holds another program's tables")
        if version != SCHEMA_VERSION:
            raise UnusableDatabase(f"its tables are version {version}, not {SCHEMA_VERSION}")


def insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> bool:
    """Insert `row` unless a unique key already holds it; tells whether it was inserted.

    `table` and the keys of `row` become SQL text: they must come from this code, never a caller.
    """
    columns, values = ", ".join(row), ", ".join(f":{column}" for column in row)
    statement = f"INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608
    return connection.execute(statement, dict(row)).rowcount == 1

"""From a driver's error to one of ours: what happened, where, and what to do about it."""

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bascule.gateway.errors import Conflict, GatewayError, InvalidValue
from bascule.storage.errors import (
    AccessRefused,
    DatabaseDamaged,
    DatabaseLocked,
    DatabaseUnreachable,
    DatabaseUnusable,
    SchemaMissing,
    StatementTimedOut,
    StorageError,
    StorageExhausted,
)

_log = structlog.get_logger(__name__)

_Kind = tuple[type[StorageError], str]

_CANNOT_OPEN: Final[_Kind] = (
    DatabaseUnusable,
    "cannot be opened. Create its directory, or let the user Bascule runs as read and write there.",
)
_LOCKED: Final[_Kind] = (
    DatabaseLocked,
    "is being written by someone else. Try again; if it persists, end the process that holds it.",
)
_DAMAGED: Final[_Kind] = (
    DatabaseDamaged,
    "is damaged. Stop Bascule, keep a copy of the file and its -wal, and restore a backup.",
)
_FULL: Final[_Kind] = (
    StorageExhausted,
    "has no room left on its disk. Free some space; nothing of this change was kept.",
)
_NO_TABLES: Final[_Kind] = (
    SchemaMissing,
    "lacks tables this release needs. Restart Bascule: it brings them up to date as it starts.",
)
_UNREACHABLE: Final[_Kind] = (
    DatabaseUnreachable,
    "does not answer. Check that the server runs, and the host and port in the database URL.",
)
_TIMED_OUT: Final[_Kind] = (
    StatementTimedOut,
    "took longer than the statement timeout allows. Try again when it is less busy, or raise it.",
)

_UNNAMED: Final[_Kind] = (StorageError, "failed. The log has the driver's own words.")

# Primary result codes: https://www.sqlite.org/rescode.html
_SQLITE: Final[Mapping[int, _Kind]] = MappingProxyType(
    {
        sqlite3.SQLITE_PERM: _CANNOT_OPEN,
        sqlite3.SQLITE_CANTOPEN: _CANNOT_OPEN,
        sqlite3.SQLITE_BUSY: _LOCKED,
        sqlite3.SQLITE_LOCKED: _LOCKED,
        sqlite3.SQLITE_CORRUPT: _DAMAGED,
        sqlite3.SQLITE_FULL: _FULL,
        sqlite3.SQLITE_READONLY: (
            DatabaseUnusable,
            "may only be read here. Let the user Bascule runs as write to the file.",
        ),
        sqlite3.SQLITE_NOTADB: (
            DatabaseDamaged,
            "is not an SQLite database. Move the file away, or name another one.",
        ),
        sqlite3.SQLITE_IOERR: (
            DatabaseUnusable,
            "failed to read or write its file. Check the disk and the system log.",
        ),
    }
)

# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES: Final[Mapping[str, _Kind]] = MappingProxyType(
    {
        "28": (
            AccessRefused,
            "refused the user or password. Correct them in the database URL or its secret.",
        ),
        "3D": (
            AccessRefused,
            "does not exist on its server. Create it (createdb), or correct the name in the URL.",
        ),
        "42501": (
            AccessRefused,
            "does not let this user do that. Make the user owner of the database.",
        ),
        "53300": (
            StorageExhausted,
            "has no connection left. Raise max_connections there, or lower the pool size here.",
        ),
        "53": _FULL,
        "57014": _TIMED_OUT,
        "25P03": _TIMED_OUT,
        "25006": (DatabaseUnusable, "may only be read here. Use the primary, not a replica."),
        "57P": _UNREACHABLE,
        "08": _UNREACHABLE,
        "55P03": _LOCKED,
        "40": _LOCKED,
        "42P01": _NO_TABLES,
        "42703": _NO_TABLES,
        "XX001": _DAMAGED,
        "XX002": _DAMAGED,
    }
)
_SQLSTATE_PREFIX_LENGTHS: Final = (5, 3, 2)
_UNSTORABLE_VALUE: Final = "22"


def name_failure(failure: BaseException, location: str) -> GatewayError | None:
    """The error to raise instead of `failure`; `location` names the database in its sentence.

    None for what is no failure of the database: a cancellation, or a mistake in the program.
    """
    if isinstance(failure, StatementError) and isinstance(failure.orig, GatewayError):
        return failure.orig
    if not isinstance(failure, DBAPIError | PoolTimeout | OSError):
        return None
    cause = failure.orig if isinstance(failure, DBAPIError) else failure
    # The first line only: PostgreSQL quotes the row's values in the next.
    private = f"{location}: {type(cause).__name__}: {str(cause).partition(chr(10))[0]}"
    if isinstance(failure, IntegrityError):
        return Conflict(
            "This conflicts with something that exists already, or is still in use. "
            "Load it again and decide anew.",
            private=private,
        )
    sqlstate = getattr(cause, "sqlstate", None)
    if isinstance(sqlstate, str) and sqlstate.startswith(_UNSTORABLE_VALUE):
        return InvalidValue(
            "A value cannot be stored: it is too long, or holds a NUL character.", private=private
        )
    error, sentence = _kind(cause, sqlstate)
    if error is StorageError:
        _log.error("storage.failed", reason=private)
    return error(f"The database {location} {sentence}", private=private)


def name_file_failure(path: str, reason: str) -> StorageError:
    """The error for a file that cannot be opened or made; `reason` is for the log."""
    error, sentence = _CANNOT_OPEN
    return error(f"The database {path} {sentence}", private=f"{path}: {reason}")


def _kind(cause: BaseException | None, sqlstate: object) -> _Kind:
    if isinstance(cause, sqlite3.Error):
        return _sqlite_kind(cause)
    if isinstance(sqlstate, str):
        for length in _SQLSTATE_PREFIX_LENGTHS:
            if found := _POSTGRES.get(sqlstate[:length]):
                return found
    if isinstance(cause, PoolTimeout):
        return StorageExhausted, "has every pooled connection in use. Try again, or widen the pool."
    if isinstance(cause, OSError):  # TimeoutError is one
        return _UNREACHABLE
    return _UNNAMED


def _sqlite_kind(cause: sqlite3.Error) -> _Kind:
    if "no such table" in str(cause) or "no such column" in str(cause):
        return _NO_TABLES
    code = getattr(cause, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else -1
    return _SQLITE.get(primary, _UNNAMED)


@contextmanager
def named_failures(location: str) -> Generator[None]:
    """Raise every database or network failure inside under its name."""
    try:
        yield
    except (SQLAlchemyError, OSError) as failure:
        named = name_failure(failure, location)
        if named is None:
            raise
        # The driver's error may quote values; what may be told of it is in `named.private`.
        raise named from None

"""Whatever a driver raises becomes an error that says what to do."""

import asyncio
import sqlite3
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
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
from bascule.storage.failures import name_failure, named_failures


def _postgres(sqlstate: str, words: str = "words") -> DBAPIError:
    cause = Exception(words)
    cause.sqlstate = sqlstate  # type: ignore[attr-defined]
    return DBAPIError("SELECT 1", {}, cause)


def _sqlite(code: int, words: str = "words") -> DBAPIError:
    cause = sqlite3.OperationalError(words)
    cause.sqlite_errorcode = code
    return DBAPIError("SELECT 1", {}, cause)


@pytest.mark.parametrize(
    ("failure", "named"),
    [
        (_postgres("28P01"), AccessRefused),
        (_postgres("3D000"), AccessRefused),
        (_postgres("42501"), AccessRefused),
        (_postgres("53100"), StorageExhausted),
        (_postgres("53300"), StorageExhausted),
        (_postgres("57014"), StatementTimedOut),
        (_postgres("57P01"), DatabaseUnreachable),
        (_postgres("08006"), DatabaseUnreachable),
        (_postgres("40P01"), DatabaseLocked),
        (_postgres("42P01"), SchemaMissing),
        (_postgres("25006"), DatabaseUnusable),
        (_postgres("XX001"), DatabaseDamaged),
        (_postgres("99999"), StorageError),
        (_postgres("22021"), InvalidValue),
        (_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), DatabaseLocked),
        (_sqlite(sqlite3.SQLITE_CORRUPT_INDEX), DatabaseDamaged),
        (_sqlite(sqlite3.SQLITE_FULL), StorageExhausted),
        (_sqlite(sqlite3.SQLITE_IOERR_WRITE), DatabaseUnusable),
        (_sqlite(sqlite3.SQLITE_ERROR, "no such table: tools"), SchemaMissing),
        (_sqlite(sqlite3.SQLITE_ERROR), StorageError),
        (ConnectionRefusedError("[Errno 111]"), DatabaseUnreachable),
        (TimeoutError(), DatabaseUnreachable),
        (PoolTimeout("QueuePool limit"), StorageExhausted),
        (IntegrityError("INSERT", {}, Exception("duplicate key")), Conflict),
    ],
)
def test_each_failure_has_its_name(failure: Exception, named: type[GatewayError]) -> None:
    error = name_failure(failure, "db.example/bascule")
    assert error is not None
    assert type(error) is named
    assert error.public.endswith(".")


def test_a_refusal_raised_while_binding_a_value_passes_through_unchanged() -> None:
    refusal = InvalidValue("The name is too long.")
    assert name_failure(StatementError("m", "INSERT", {}, refusal), "here") is refusal


def test_the_values_postgresql_quotes_are_kept_out() -> None:
    cause = Exception("duplicate key\nDETAIL:  Key (digest)=(\\x6765) already exists.")
    error = name_failure(IntegrityError("INSERT", {"digest": b"ge"}, cause), "here")
    assert error is not None
    assert error.private == "here: Exception: duplicate key"


def test_the_drivers_own_error_does_not_come_along() -> None:
    with pytest.raises(DatabaseLocked) as caught, named_failures("here"):
        raise _sqlite(sqlite3.SQLITE_BUSY)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "failure",
    [asyncio.CancelledError(), StatementError("m", "INSERT", {}, ValueError()), RuntimeError()],
)
def test_a_mistake_or_a_cancellation_is_no_failure_of_the_database(failure: Exception) -> None:
    assert name_failure(failure, "here") is None


def test_what_is_no_failure_of_the_database_is_left_alone() -> None:
    with pytest.raises(KeyError), named_failures("here"):
        raise KeyError(SimpleNamespace)

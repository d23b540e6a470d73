"""Database URLs are read, and shown without their passwords."""

import pytest
from hypothesis import given
from hypothesis.strategies import text
from sqlalchemy import URL

from bascule.storage.errors import DatabaseUnusable
from bascule.storage.urls import describe, parse_url


@pytest.mark.parametrize(
    ("written", "driver"),
    [
        ("sqlite:///a.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:////var/lib/bascule/a.db", "sqlite+aiosqlite"),
        ("postgres://u@h/d", "postgresql+asyncpg"),
        ("postgresql://u@h/d", "postgresql+asyncpg"),
        ("postgresql+asyncpg://u@h/d", "postgresql+asyncpg"),
    ],
)
def test_the_driver_is_settled_for_whatever_people_write(written: str, driver: str) -> None:
    assert parse_url(written).drivername == driver


@pytest.mark.parametrize(
    "written",
    [
        "",
        "bascule.db",
        "mysql://u:geheim@h/d",
        "postgresql+psycopg://u:geheim@h/d",
        "postgresql://u:geheim@h:port/d",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=ro",
        "sqlite:///a.db?mode=ro",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_quoting_it(written: str) -> None:
    with pytest.raises(DatabaseUnusable) as caught:
        parse_url(written)
    assert "geheim" not in caught.value.public + caught.value.private
    assert caught.value.__cause__ is None


def test_sslmode_as_libpq_writes_it_is_understood() -> None:
    assert parse_url("postgresql://h/d?sslmode=verify-full").query == {"ssl": "verify-full"}


@given(text(min_size=8), text(min_size=8))
def test_neither_user_nor_password_is_ever_shown(user: str, password: str) -> None:
    url = URL.create("postgresql+asyncpg", user, password, "db.example", 5432, "bascule")
    assert describe(url) == "db.example:5432/bascule"
    assert describe(url.set(query={"password": password})) == "db.example:5432/bascule"


def test_a_file_is_named_by_its_path_and_a_socket_by_its_directory() -> None:
    assert describe(parse_url("sqlite:////var/lib/bascule.db")) == "/var/lib/bascule.db"
    assert describe(parse_url("postgresql:///bascule?host=/run/pg")) == "/run/pg/bascule"

"""Database URLs: which ones are understood, and how a database is named without its password."""

from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bascule.storage.errors import DatabaseUnusable

SQLITE: Final = "sqlite+aiosqlite"
POSTGRES: Final = "postgresql+asyncpg"
_DRIVERS: Final = {
    "sqlite": SQLITE,
    SQLITE: SQLITE,
    "postgres": POSTGRES,
    "postgresql": POSTGRES,
    POSTGRES: POSTGRES,
}
_EXAMPLES: Final = f"{SQLITE}:///bascule.db or {POSTGRES}://user:password@host:5432/bascule"


def parse_url(text: str) -> URL:
    """Read a database URL, settling its driver; libpq's `sslmode` becomes asyncpg's `ssl`.

    Raises:
        DatabaseUnusable: not a URL, or not one of the two engines; never quotes `text`.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise DatabaseUnusable(f"The database URL cannot be read. Write {_EXAMPLES}.") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise DatabaseUnusable(
            f"Databases of type {url.drivername} are not supported. Write {_EXAMPLES}."
        )
    url = url.set(drivername=driver)
    return _file_url(url) if driver == SQLITE else _server_url(url)


def describe(url: URL) -> str:
    """Name a database for people: the file, or host, port and name. Never user or password."""
    if url.drivername == SQLITE:
        return str(url.database)
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"{host}{port}/{url.database or ''}"


def _file_url(url: URL) -> URL:
    if not url.database or ":memory:" in url.database or url.database.startswith("file:"):
        # One connection would be shared by all sessions, whose transactions would mix.
        raise DatabaseUnusable(f"An SQLite database needs a plain file path. Write {_EXAMPLES}.")
    if url.query:
        raise DatabaseUnusable(
            "An SQLite URL takes no parameters here; the durability settings are fixed."
        )
    return url.set(database=str(Path(url.database).expanduser()))


def _server_url(url: URL) -> URL:
    if "sslmode" not in url.query:
        return url
    mode = url.query["sslmode"]
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})

"""Bringing the tables of a database to this release's form, and back."""

from typing import Final

import structlog
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bascule.storage.database import Database
from bascule.storage.errors import SchemaTooNew
from bascule.storage.metadata import metadata
from bascule.storage.search_tables import FOREIGN

_log = structlog.get_logger(__name__)

# An importable place rather than a path: it works from a wheel as from a checkout.
_SCRIPTS: Final = "bascule.storage:migrations"


async def migrate(database: Database, revision: str = "head") -> str:
    """Upgrade the tables to `revision`, all or nothing; tells the revision reached.

    Safe to call from several processes at once, and again at every start; within one process,
    call it for one database at a time.

    Raises:
        SchemaTooNew: a later release has been here.
        StorageError: the database failed, and is as it was.
    """
    async with database.migration() as connection:
        before = await connection.run_sync(_known_revision, database.location)
        await connection.run_sync(_upgrade, revision)
        after = await connection.run_sync(_revision)
    if before != after:
        _log.info("schema.migrated", before=before, after=after, database=database.location)
    return after or ""


async def downgrade(database: Database, revision: str) -> None:
    """Take the tables back to `revision` (`base` for none at all), losing what does not fit.

    Raises:
        SchemaTooNew: a later release has been here.
        StorageError: the database failed, and is as it was.
    """
    async with database.migration() as connection:
        await connection.run_sync(_known_revision, database.location)
        await connection.run_sync(_downgrade, revision)


async def differences(database: Database) -> list[object]:
    """How the tables differ from what the code expects, as Alembic operations; should be none."""
    async with database.migration() as connection:
        return await connection.run_sync(_compare)


def _known_revision(connection: Connection, location: str) -> str | None:
    found = _revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaTooNew(
            f"The database {location} was upgraded by a later release of Bascule (revision "
            f"{found}). Run that release or a newer one, or restore a backup made before."
        )
    return found


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection, revision: str) -> None:
    command.upgrade(_config(connection), revision)


def _downgrade(connection: Connection, revision: str) -> None:
    command.downgrade(_config(connection), revision)


def _compare(connection: Connection) -> list[object]:
    options = {"compare_server_default": True, "include_name": _is_ours}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leaves out what only one engine has, and what that keeps in tables of its own."""
    return kind == "schema" or not str(name).startswith(FOREIGN)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.attributes["connection"] = connection
    return config

"""Runs the revisions on the connection, and in the transaction, that the caller opened."""

from alembic import context
from sqlalchemy import Connection

from bascule.storage.metadata import metadata

connection: Connection | None = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("run migrations through bascule.storage.schema, which opens the database")

context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite alters most things only by building the table anew.
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

"""The Alembic environment. `bascule.storage.schema` runs it; each revision stands alone."""

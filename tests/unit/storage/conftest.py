"""The databases that storage is tested against."""

from contract.storage.databases import (
    database,
    database_url,
    empty_database,
    engine,
    migrated_url,
    tenant,
)

__all__ = ["database", "database_url", "empty_database", "engine", "migrated_url", "tenant"]

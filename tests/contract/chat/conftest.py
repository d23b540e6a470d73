"""Where conversations are kept, as the assistant is tested against it."""

from contract.chat.shelves import engine, kind, shelf
from contract.storage.databases import database, migrated_url, tenant

__all__ = ["database", "engine", "kind", "migrated_url", "shelf", "tenant"]

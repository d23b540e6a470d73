"""All that one tenant has: to see whether anything is left of it, and to clear the rest away."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

from sqlalchemy import delete, func, select

from bascule.storage.metadata import metadata
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import ApiKeyRow, Base, OfTenant

_WORTHLESS: Final = frozenset(
    {"roles", "metadata_standards", "api_keys", "tool_index", "tool_tags", "elevations"}
    | {"conversations", "chat_messages"}
)
"""What every tenant has, or what nobody misses: keys count as long as they are in force, and grants
of elevation end with what they are for. Conversations are of people who have to be gone first."""
_NOUNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tool_bundles": "bundles",
        "openapi_specs": "imports",
        "group_roles": "groups",
        "user_identities": "identities",
        "user_sessions": "sessions",
        "user_grants": "grants of upstreams",
        "oauth_clients": "registrations at upstreams",
        "certificate_rules": "certificate rules",
    }
)


class Holdings(Scoped):
    """A tenant's rows, of whatever kind."""

    async def count(self) -> dict[str, int]:
        """How many things of each kind somebody would miss; kinds without any are left out."""
        keys = await self._session.scalar(
            select(func.count(ApiKeyRow.id)).where(
                ApiKeyRow.tenant_id == self._tenant_id, ApiKeyRow.revoked_at.is_(None)
            )
        )
        found = {"keys": keys or 0}
        for kind in _owned():
            name = kind.__tablename__
            if name not in _WORTHLESS:
                counted = (
                    select(func.count()).select_from(kind).where(kind.tenant_id == self._tenant_id)
                )
                noun = _NOUNS.get(name, name.replace("_", " "))
                found[noun] = await self._session.scalar(counted) or 0
        return {noun: count for noun, count in found.items() if count}

    async def clear(self) -> None:
        """Remove every row of the tenant but its own."""
        for kind in reversed(_owned()):
            await self._session.execute(delete(kind).where(kind.tenant_id == self._tenant_id))


class _Kind(OfTenant, Base):
    """What all of them are."""

    __abstract__ = True


def _owned() -> list[type[_Kind]]:
    """The kinds of rows that tenants have, those first that others refer to."""
    order = {table.name: place for place, table in enumerate(metadata.sorted_tables)}
    kinds = [
        cast("type[_Kind]", mapper.class_)
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, OfTenant)
    ]
    return sorted(kinds, key=lambda kind: order[kind.__tablename__])

"""API keys of one tenant: digests and what is known about them. The secrets are nowhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.storage.counter import author_of
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import ApiKeyRow, RoleRow
from bascule.storage.types import utc_now

_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """A key to keep: `digest` is the SHA-256 of the secret, `prefix` its first 12 characters.

    `expires_at` is aware; None is never.
    """

    name: str
    digest: bytes
    prefix: str
    roles: frozenset[str]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as operators see it: enough to recognise, nothing to use."""

    id: UUID
    name: str
    prefix: str
    roles: frozenset[str]
    expires_at: datetime | None
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    last_used_at: datetime | None


class Keys(Scoped):
    """A tenant's API keys."""

    async def create(self, draft: KeyDraft) -> StoredKey:
        """Keep a key.

        Raises:
            InvalidValue: no role is named, one does not exist, or the digest is not one.
            Conflict: a key of that name is still valid, or the digest is known.
        """
        if len(draft.digest) != _DIGEST_BYTES:
            raise InvalidValue("The digest of a key is a SHA-256: 32 bytes.")
        await self._check_roles(draft.roles)
        await self._check_name(draft.name)
        row = ApiKeyRow(
            tenant_id=self._tenant_id,
            name=draft.name,
            digest=draft.digest,
            prefix=draft.prefix,
            roles=sorted(draft.roles),
            expires_at=draft.expires_at,
            created_by=author_of(self._session),
        )
        self._session.add(row)
        await self._session.flush()
        return _stored(row)

    async def list(self) -> tuple[StoredKey, ...]:
        """Every key by name and age, revoked ones included."""
        rows = await self._session.scalars(
            select(ApiKeyRow)
            .where(ApiKeyRow.tenant_id == self._tenant_id)
            .order_by(ApiKeyRow.name, ApiKeyRow.created_at, ApiKeyRow.id)
        )
        return tuple(_stored(row) for row in rows)

    async def revoke(self, key_id: UUID) -> StoredKey:
        """End a key for good. A second time changes nothing.

        Raises:
            NotFound: this tenant has none with that id.
        """
        row = (
            await self._session.scalars(
                select(ApiKeyRow).where(
                    ApiKeyRow.tenant_id == self._tenant_id, ApiKeyRow.id == key_id
                )
            )
        ).one_or_none()
        if row is None:
            raise NotFound(f"There is no API key {key_id}.")
        row.revoked_at = row.revoked_at or utc_now()
        await self._session.flush()
        return _stored(row)

    async def _check_roles(self, wanted: Iterable[str]) -> None:
        known = set(
            await self._session.scalars(
                select(RoleRow.name).where(RoleRow.tenant_id == self._tenant_id)
            )
        )
        unknown = sorted(set(wanted) - known)
        if unknown or not wanted:
            raise InvalidValue(
                f"Unknown roles: {', '.join(unknown)}." if unknown else "A key needs a role.",
                details={"field": "roles", "known": sorted(known)},
            )

    async def _check_name(self, name: str) -> None:
        taken = await self._session.scalar(
            select(ApiKeyRow.id).where(
                ApiKeyRow.tenant_id == self._tenant_id,
                ApiKeyRow.name == name,
                ApiKeyRow.revoked_at.is_(None),
            )
        )
        if taken is not None:
            raise Conflict(f"A key named {name} exists already. Revoke it, or choose another name.")


def _stored(row: ApiKeyRow) -> StoredKey:
    return StoredKey(
        row.id,
        row.name,
        row.prefix,
        frozenset(row.roles),
        row.expires_at,
        row.created_at,
        row.created_by,
        row.revoked_at,
        row.last_used_at,
    )

"""API keys of one tenant: digests and what is known about them. The secrets are nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, or_, select, update

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.storage.counter import author_of
from bascule.storage.identity_tables import UserRow
from bascule.storage.repositories.grants import UserGrants
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import Scoped, TenantId
from bascule.storage.tables import ApiKeyRow
from bascule.storage.types import utc_now

_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """A key to keep: `digest` is the SHA-256 of the secret, `prefix` its first 12 characters.

    `expires_at` is aware; None is never. `scopes` are the permissions it is limited to, None for
    no limit. With `user_id` it acts for a person, and never has more than that person.
    """

    name: str
    digest: bytes
    prefix: str
    roles: frozenset[str]
    expires_at: datetime | None = None
    scopes: frozenset[str] | None = None
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewSecret:
    """What is kept of a secret that takes another's place; the other holds until `grace_until`."""

    digest: bytes
    prefix: str
    grace_until: datetime | None = None


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
    scopes: frozenset[str] | None = None
    user_id: UUID | None = None
    user: str | None = None
    """The name of the person it acts for."""


class Keys(Scoped):
    """A tenant's API keys."""

    async def create(self, draft: KeyDraft) -> StoredKey:
        """Keep a key.

        Raises:
            InvalidValue: no role is named, one does not exist, or the digest is not one.
            Conflict: a key of that name is still valid, or the digest is known.
            NotFound: there is nobody with that `user_id`.
        """
        _check_digest(draft.digest)
        if not draft.roles:
            raise InvalidValue(
                "A key needs a role, its own or of the person it is for.",
                details={"field": "roles"},
            )
        await Roles(self._session, self._tenant_id).check(draft.roles)
        await self._check_name(draft)
        user = None if draft.user_id is None else await self._name_of(draft.user_id)
        row = ApiKeyRow(
            tenant_id=self._tenant_id,
            name=draft.name,
            digest=draft.digest,
            prefix=draft.prefix,
            roles=sorted(draft.roles),
            expires_at=draft.expires_at,
            scopes=None if draft.scopes is None else sorted(draft.scopes),
            user_id=draft.user_id,
            created_by=author_of(self._session),
        )
        self._session.add(row)
        await self._session.flush()
        return _stored(row, user)

    async def list(self, user_id: UUID | None = None) -> tuple[StoredKey, ...]:
        """Every key by name and age, revoked ones included; with `user_id` those of one person."""
        wanted = (
            select(ApiKeyRow, UserRow.name)
            .outerjoin(
                UserRow,
                (UserRow.tenant_id == ApiKeyRow.tenant_id) & (UserRow.id == ApiKeyRow.user_id),
            )
            .where(ApiKeyRow.tenant_id == self._tenant_id)
            .order_by(ApiKeyRow.name, ApiKeyRow.created_at, ApiKeyRow.id)
        )
        if user_id is not None:
            wanted = wanted.where(ApiKeyRow.user_id == user_id)
        return tuple(_stored(row, user) for row, user in await self._session.execute(wanted))

    async def get(self, key_id: UUID) -> StoredKey:
        """The key with that id.

        Raises:
            NotFound: this tenant has none.
        """
        return await self._whole(await self._row(key_id))

    async def revoke(self, key_id: UUID) -> StoredKey:
        """End a key for good. A second time changes nothing.

        Raises:
            NotFound: this tenant has none with that id.
        """
        row = await self._row(key_id)
        if row.revoked_at is None and row.user_id is None:
            # The name is free again, and what upstreams gave its bearer is not the next one's.
            grants = UserGrants(self._session, self._tenant_id)
            await grants.forget_owner(f"key|{row.name}")
        row.revoked_at = row.revoked_at or utc_now()
        row.previous_digest = row.previous_until = None
        await self._session.flush()
        return await self._whole(row)

    async def rotate(self, key_id: UUID, new: NewSecret) -> StoredKey:
        """Give a key another secret; all else about it stays.

        Raises:
            NotFound: this tenant has none with that id.
            Conflict: it is revoked, and so has an end.
            InvalidValue: the digest is not one.
        """
        _check_digest(new.digest)
        row = await self._row(key_id)
        if row.revoked_at is not None:
            raise Conflict(f"The key {row.name} is revoked. Make a new one.")
        keeps = new.grace_until is not None
        row.previous_digest = row.digest if keeps else None
        row.previous_until = new.grace_until
        row.digest, row.prefix = new.digest, new.prefix
        await self._session.flush()
        return await self._whole(row)

    async def note_uses(self, moments: Mapping[UUID, datetime]) -> None:
        """Note when keys were last used; for `Database.jotting`. A later moment stays."""
        for key_id, moment in moments.items():
            await self._session.execute(
                update(ApiKeyRow)
                .where(
                    ApiKeyRow.tenant_id == self._tenant_id,
                    ApiKeyRow.id == key_id,
                    or_(ApiKeyRow.last_used_at.is_(None), ApiKeyRow.last_used_at < moment),
                )
                .values(last_used_at=moment)
            )

    async def _whole(self, row: ApiKeyRow) -> StoredKey:
        user = None
        if row.user_id is not None:
            user = await self._session.scalar(_name_of(self._tenant_id, row.user_id))
        return _stored(row, user)

    async def _row(self, key_id: UUID) -> ApiKeyRow:
        row = (
            await self._session.scalars(
                select(ApiKeyRow).where(
                    ApiKeyRow.tenant_id == self._tenant_id, ApiKeyRow.id == key_id
                )
            )
        ).one_or_none()
        if row is None:
            raise NotFound(f"There is no API key {key_id}.")
        return row

    async def _name_of(self, user_id: UUID) -> str:
        name = await self._session.scalar(_name_of(self._tenant_id, user_id))
        if name is None:
            raise NotFound(f"There is no user {user_id}.")
        return name

    async def _check_name(self, draft: KeyDraft) -> None:
        taken = await self._session.scalar(
            select(ApiKeyRow.id).where(
                ApiKeyRow.tenant_id == self._tenant_id,
                ApiKeyRow.name == draft.name,
                ApiKeyRow.user_id.is_(None)
                if draft.user_id is None
                else ApiKeyRow.user_id == draft.user_id,
                ApiKeyRow.revoked_at.is_(None),
            )
        )
        if taken is not None:
            raise Conflict(
                f"A key named {draft.name} exists already. Revoke it, or choose another name."
            )


def _check_digest(digest: bytes) -> None:
    if len(digest) != _DIGEST_BYTES:
        raise InvalidValue("The digest of a key is a SHA-256: 32 bytes.")


def _name_of(tenant_id: TenantId, user_id: UUID) -> Select[str]:
    return select(UserRow.name).where(UserRow.tenant_id == tenant_id, UserRow.id == user_id)


def _stored(row: ApiKeyRow, user: str | None) -> StoredKey:
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
        None if row.scopes is None else frozenset(row.scopes),
        row.user_id,
        user,
    )

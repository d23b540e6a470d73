"""What authorization servers gave the callers of one tenant, encrypted: this room has no key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, select

from bascule.gateway.errors import NotFound
from bascule.gateway.secrets import SealedSecret
from bascule.storage.identity_tables import OAuthClientRow, UserGrantRow, UserRow
from bascule.storage.repositories.page import Page, offset_of
from bascule.storage.repositories.scope import Scoped


@dataclass(frozen=True, slots=True)
class GrantKey:
    """What a grant is for: there is one at most."""

    owner: str
    upstream: str
    issuer: str
    resource: str


@dataclass(frozen=True, slots=True)
class GrantDraft:
    """A grant to keep; `sealed` holds its tokens. `expires_at` is aware, None where unknown."""

    key: GrantKey
    client_id: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    sealed: SealedSecret


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """A grant and what the database adds to it. `revision` grows with every change."""

    id: UUID
    key: GrantKey
    client_id: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    sealed: SealedSecret
    revision: int
    created_at: datetime
    updated_at: datetime


class UserGrants(Scoped):
    """A tenant's grants. No snapshot holds them: write in `Database.jotting`."""

    async def find(self, owner: str, upstream: str, resource: str) -> StoredGrant | None:
        """What `owner` has for `resource` at `upstream`; of several issuers, the last to give."""
        rows = await self._session.scalars(
            select(UserGrantRow)
            .where(self._of(owner, upstream), UserGrantRow.resource == resource)
            .order_by(UserGrantRow.updated_at.desc(), UserGrantRow.id)
            .limit(1)
        )
        row = rows.one_or_none()
        return None if row is None else _stored(row)

    async def put(self, draft: GrantDraft) -> StoredGrant:
        """Keep the grant, in place of any for the same."""
        row = await self._find(draft.key)
        if row is None:
            key = draft.key
            row = UserGrantRow(
                tenant_id=self._tenant_id,
                owner=key.owner,
                upstream_name=key.upstream,
                issuer=key.issuer,
                resource=key.resource,
                revision=0,
            )
            self._session.add(row)
        return await self._fill(row, draft)

    async def replace(self, draft: GrantDraft, revision: int) -> StoredGrant | None:
        """Keep the grant in place of the one of that `revision`; None where that is gone."""
        row = await self._find(draft.key)
        if row is None or row.revision != revision:
            return None
        return await self._fill(row, draft)

    async def reseal(self, grant_id: UUID, sealed: SealedSecret) -> None:
        """Keep the same grant in another encryption."""
        row = await self._row(grant_id)
        row.nonce, row.ciphertext, row.key_id = sealed.nonce, sealed.ciphertext, sealed.key_id
        await self._session.flush()

    async def list(
        self, *, owner: str = "", upstream: str = "", page: int = 1, limit: int = 50
    ) -> Page[StoredGrant]:
        """A page of grants by upstream and owner; of one owner or upstream, where named."""
        offset = offset_of(page, limit)
        wanted = [UserGrantRow.tenant_id == self._tenant_id]
        if owner:
            wanted.append(UserGrantRow.owner == owner)
        if upstream:
            wanted.append(UserGrantRow.upstream_name == upstream)
        total = await self._session.scalar(select(func.count()).where(*wanted)) or 0
        rows = await self._session.scalars(
            select(UserGrantRow)
            .where(*wanted)
            .order_by(UserGrantRow.upstream_name, UserGrantRow.created_at, UserGrantRow.id)
            .offset(offset)
            .limit(limit)
        )
        return Page(tuple(_stored(row) for row in rows), total, page, limit)

    async def all(self) -> Sequence[StoredGrant]:
        """Every grant of the tenant."""
        rows = await self._session.scalars(
            select(UserGrantRow)
            .where(UserGrantRow.tenant_id == self._tenant_id)
            .order_by(UserGrantRow.id)
        )
        return [_stored(row) for row in rows]

    async def lender(self, upstream: str) -> str | None:
        """The owner "" where that has a grant for `upstream`, else who has one the longest.

        Who is kept out lends nothing.
        """
        out = await self._session.scalars(
            select(UserRow.id).where(
                UserRow.tenant_id == self._tenant_id, UserRow.is_active.is_(False)
            )
        )
        rows = await self._session.scalars(
            select(UserGrantRow.owner)
            .where(
                UserGrantRow.tenant_id == self._tenant_id,
                UserGrantRow.upstream_name == upstream,
                UserGrantRow.owner.not_in([f"user|{user_id}" for user_id in out]),
            )
            .order_by(UserGrantRow.owner != "", UserGrantRow.created_at, UserGrantRow.id)
            .limit(1)
        )
        return rows.one_or_none()

    async def forget(self, owner: str, upstream: str, resource: str) -> int:
        """Remove what `owner` has for `resource` at `upstream`; gives how many that were."""
        return await self._delete(
            and_(self._of(owner, upstream), UserGrantRow.resource == resource)
        )

    async def forget_owner(self, owner: str) -> int:
        """Remove everything that `owner` was given; gives how many that were."""
        return await self._delete(
            and_(UserGrantRow.tenant_id == self._tenant_id, UserGrantRow.owner == owner)
        )

    async def remove(self, grant_id: UUID, owner: str | None = None) -> StoredGrant:
        """Remove one grant, which must be `owner`'s where one is named.

        Raises:
            NotFound: there is none with that id, or not of that owner.
        """
        row = await self._row(grant_id)
        if owner is not None and row.owner != owner:
            raise _missing(grant_id)
        gone = _stored(row)
        await self._session.delete(row)
        await self._session.flush()
        return gone

    def _of(self, owner: str, upstream: str) -> ColumnElement[bool]:
        return and_(
            UserGrantRow.tenant_id == self._tenant_id,
            UserGrantRow.owner == owner,
            UserGrantRow.upstream_name == upstream,
        )

    async def _delete(self, where: ColumnElement[bool]) -> int:
        gone = await self._session.scalars(
            delete(UserGrantRow).where(where).returning(UserGrantRow.id)  # tenant: in `where`
        )
        return len(gone.all())

    async def _find(self, key: GrantKey) -> UserGrantRow | None:
        rows = await self._session.scalars(
            select(UserGrantRow).where(
                self._of(key.owner, key.upstream),
                UserGrantRow.issuer == key.issuer,
                UserGrantRow.resource == key.resource,
            )
        )
        return rows.one_or_none()

    async def _row(self, grant_id: UUID) -> UserGrantRow:
        rows = await self._session.scalars(
            select(UserGrantRow).where(
                UserGrantRow.tenant_id == self._tenant_id, UserGrantRow.id == grant_id
            )
        )
        row = rows.one_or_none()
        if row is None:
            raise _missing(grant_id)
        return row

    async def _fill(self, row: UserGrantRow, draft: GrantDraft) -> StoredGrant:
        sealed = draft.sealed
        row.client_id, row.scopes, row.expires_at = (
            draft.client_id,
            list(draft.scopes),
            draft.expires_at,
        )
        row.nonce, row.ciphertext, row.key_id = sealed.nonce, sealed.ciphertext, sealed.key_id
        row.revision += 1
        await self._session.flush()
        return _stored(row)


@dataclass(frozen=True, slots=True)
class StoredClient:
    """A registration; `sealed` holds the secret, and `document` all that is no secret."""

    issuer: str
    client_id: str
    document: dict[str, Any]
    sealed: SealedSecret


class OAuthClients(Scoped):
    """This gateway as authorization servers know it. Write in `Database.jotting`."""

    async def find(self, issuer: str) -> StoredClient | None:
        """The registration at `issuer`, if there is one."""
        row = await self._find(issuer)
        if row is None:
            return None
        return _client(row)

    async def put(self, client: StoredClient) -> None:
        """Keep the registration, in place of any at the same issuer."""
        row = await self._find(client.issuer)
        if row is None:
            row = OAuthClientRow(tenant_id=self._tenant_id, issuer=client.issuer)
            self._session.add(row)
        row.client_id, row.registration = client.client_id, client.document
        sealed = client.sealed
        row.nonce, row.ciphertext, row.key_id = sealed.nonce, sealed.ciphertext, sealed.key_id
        await self._session.flush()

    async def all(self) -> Sequence[StoredClient]:
        """Every registration of the tenant."""
        rows = await self._session.scalars(
            select(OAuthClientRow)
            .where(OAuthClientRow.tenant_id == self._tenant_id)
            .order_by(OAuthClientRow.issuer)
        )
        return [_client(row) for row in rows]

    async def _find(self, issuer: str) -> OAuthClientRow | None:
        rows = await self._session.scalars(
            select(OAuthClientRow).where(
                OAuthClientRow.tenant_id == self._tenant_id, OAuthClientRow.issuer == issuer
            )
        )
        return rows.one_or_none()


def _missing(grant_id: UUID) -> NotFound:
    return NotFound(f"There is no grant {grant_id}.")


def _stored(row: UserGrantRow) -> StoredGrant:
    return StoredGrant(
        row.id,
        GrantKey(row.owner, row.upstream_name, row.issuer, row.resource),
        row.client_id,
        tuple(row.scopes),
        row.expires_at,
        SealedSecret("", row.nonce, row.ciphertext, row.key_id),
        row.revision,
        row.created_at,
        row.updated_at,
    )


def _client(row: OAuthClientRow) -> StoredClient:
    sealed = SealedSecret("", row.nonce, row.ciphertext, row.key_id)
    return StoredClient(row.issuer, row.client_id, dict(row.registration), sealed)

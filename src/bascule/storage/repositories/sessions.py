"""Sign-ins of one tenant's people that last. The cookies are nowhere, only their digests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update

from bascule.gateway.errors import InvalidValue, NotFound
from bascule.storage.identity_tables import UserRow, UserSessionRow
from bascule.storage.repositories.scope import Scoped

_DIGEST_BYTES: Final = 32
_MOST_AGENT: Final = 300
_MOST_PEER: Final = 100


@dataclass(frozen=True, slots=True)
class SessionDraft:
    """A sign-in to keep: `digest` is the SHA-256 of the cookie.

    `issuer` vouched for the person, "" where a password did; `claims` is what it said of roles
    and groups, after mapping.
    """

    user_id: UUID
    digest: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime
    issuer: str = ""
    claims: Mapping[str, object] = field(default_factory=dict[str, object])
    peer: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A sign-in as kept here."""

    id: UUID
    user_id: UUID
    issuer: str
    claims: Mapping[str, object]
    peer: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class Sessions(Scoped):
    """A tenant's sign-ins; for `Database.jotting`, as no snapshot holds them.

    What has ended is not found any more, and neither is what a password opened that was changed
    since.
    """

    async def open(self, draft: SessionDraft) -> StoredSession:
        """Keep a sign-in.

        Raises:
            InvalidValue: the digest is not one.
            Conflict: the digest is known, or there is no such user.
        """
        if len(draft.digest) != _DIGEST_BYTES:
            raise InvalidValue("The digest of a session is a SHA-256: 32 bytes.")
        row = UserSessionRow(
            tenant_id=self._tenant_id,
            user_id=draft.user_id,
            digest=draft.digest,
            issuer=draft.issuer,
            claims=dict(draft.claims),
            peer=_storable(draft.peer)[:_MOST_PEER],
            agent=_storable(draft.agent)[:_MOST_AGENT],
            created_at=draft.created_at,
            seen_at=draft.created_at,
            expires_at=draft.expires_at,
        )
        self._session.add(row)
        await self._session.flush()
        return _stored(row)

    async def find(self, digest: bytes) -> StoredSession | None:
        """The sign-in whose cookie has that digest, if it has not ended; expired or not."""
        return await self._find(UserSessionRow.digest == digest)

    async def is_open(self, session_id: UUID) -> bool:
        """Whether the sign-in of that id has not ended; expired or not."""
        return await self._find(UserSessionRow.id == session_id) is not None

    async def _find(self, which: ColumnElement[bool]) -> StoredSession | None:
        known = await self._session.execute(
            select(UserSessionRow, UserRow.password_changed_at)
            .join(
                UserRow,
                (UserRow.tenant_id == UserSessionRow.tenant_id)
                & (UserRow.id == UserSessionRow.user_id),
            )
            .where(
                UserSessionRow.tenant_id == self._tenant_id,
                UserRow.tenant_id == self._tenant_id,
                UserSessionRow.ended_at.is_(None),
                which,
            )
        )
        found = known.one_or_none()
        if found is None:
            return None
        row, changed_at = found
        if row.issuer == "" and changed_at is not None and row.created_at < changed_at:
            return None
        return _stored(row)

    async def list(self, user_id: UUID, now: datetime) -> tuple[StoredSession, ...]:
        """A person's sign-ins that are not over, the one seen last first."""
        rows = await self._session.scalars(
            select(UserSessionRow)
            .where(
                UserSessionRow.tenant_id == self._tenant_id,
                UserSessionRow.user_id == user_id,
                UserSessionRow.ended_at.is_(None),
                UserSessionRow.expires_at > now,
            )
            .order_by(UserSessionRow.seen_at.desc(), UserSessionRow.id)
        )
        return tuple(_stored(row) for row in rows)

    async def touch(self, session_id: UUID, seen_at: datetime) -> None:
        """Note when a sign-in was used; what has ended stays as it is."""
        await self._session.execute(
            update(UserSessionRow)
            .where(
                UserSessionRow.tenant_id == self._tenant_id,
                UserSessionRow.id == session_id,
                UserSessionRow.ended_at.is_(None),
                UserSessionRow.seen_at < seen_at,
            )
            .values(seen_at=seen_at)
        )

    async def end(self, user_id: UUID, session_id: UUID, at: datetime) -> None:
        """End one of a person's sign-ins; a second time changes nothing.

        Raises:
            NotFound: the person has none with that id.
        """
        ended = await self._session.scalar(
            update(UserSessionRow)
            .where(
                UserSessionRow.tenant_id == self._tenant_id,
                UserSessionRow.user_id == user_id,
                UserSessionRow.id == session_id,
            )
            .values(ended_at=at)
            .returning(UserSessionRow.id)
        )
        if ended is None:
            raise NotFound("There is no such session; it may have ended already.")

    async def end_all(self, user_id: UUID, at: datetime) -> None:
        """End all of a person's sign-ins."""
        await self._session.execute(
            update(UserSessionRow)
            .where(
                UserSessionRow.tenant_id == self._tenant_id,
                UserSessionRow.user_id == user_id,
                UserSessionRow.ended_at.is_(None),
            )
            .values(ended_at=at)
        )

    async def forget(self, before: datetime) -> None:
        """Remove what expired before then."""
        await self._session.execute(
            delete(UserSessionRow).where(
                UserSessionRow.tenant_id == self._tenant_id, UserSessionRow.expires_at < before
            )
        )


def _storable(text: str) -> str:
    """What a client wrote into a header, without what a database or a page could not hold."""
    return "".join(character for character in text if character.isprintable())


def _stored(row: UserSessionRow) -> StoredSession:
    return StoredSession(
        row.id,
        row.user_id,
        row.issuer,
        row.claims,
        row.peer,
        row.agent,
        row.created_at,
        row.seen_at,
        row.expires_at,
    )

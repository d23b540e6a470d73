"""Requests for elevation of one tenant, and what became of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.errors import Conflict, NotFound
from bascule.policy.elevation import ElevationStatus, Holder, may_follow
from bascule.storage.elevation_tables import ElevationRow
from bascule.storage.repositories.page import Page, offset_of
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import TenantRow

_PENDING: Final = ElevationStatus.PENDING
_APPROVED: Final = ElevationStatus.APPROVED


@dataclass(frozen=True, slots=True)
class Filter:
    """Which to list; all where empty. `user` is the name of who has or would have the grant.

    `owner` is `Principal.owner` of who has it or asked for it.
    """

    status: ElevationStatus | None = None
    user: str = ""
    tool: str = ""
    owner: str = ""
    page: int = 1
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Origin:
    """What a request came of: names of tool and bundle, and the call's digest, as far as known.

    `arguments` are those of the call, masked; None where there was no call.
    """

    tool: str = ""
    bundle: str = ""
    digest: str = ""
    arguments: object = None


@dataclass(frozen=True, slots=True)
class ElevationDraft:
    """A request to keep. Moments are aware; after `void_at` nobody can decide about it."""

    holder: Holder
    asked_by: str
    asked_owner: str
    scope: Scope
    origin: Origin
    reason: str
    ticket: str
    minutes: int
    requested_at: datetime
    void_at: datetime


@dataclass(frozen=True, slots=True)
class StoredElevation:
    """A request and all that followed. Moments are None where it did not come to that.

    `scope` and `minutes` are those granted once it is approved, `asked_scope` and `asked_minutes`
    those that were asked for. `tool`, `bundle`, `digest` and `arguments` are as in `Origin`.
    """

    id: UUID
    status: ElevationStatus
    holder: Holder
    asked_by: str
    asked_owner: str
    scope: Scope
    asked_scope: str
    tool: str
    bundle: str
    digest: str
    arguments: object
    reason: str
    ticket: str
    minutes: int
    asked_minutes: int
    requested_at: datetime
    void_at: datetime
    decided_by: str
    decided_at: datetime | None
    comment: str
    reference: str
    expires_at: datetime | None
    ended_by: str
    ended_at: datetime | None
    end_comment: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision: `by` is the approver's name. What is granted follows, unless it is denied."""

    by: str
    at: datetime
    comment: str = ""
    scope: Scope | None = None
    minutes: int = 0
    expires_at: datetime | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request or grant ended without a decision about it; `by` is a name, or empty."""

    status: ElevationStatus
    at: datetime
    by: str = ""
    comment: str = ""


class Elevations(Scoped):
    """A tenant's requests. No snapshot holds them: write in `Database.jotting`."""

    async def lock(self) -> None:
        """Wait until nobody else decides about this tenant's requests; holds until the end.

        What is counted or compared before it is written needs it; a single row is safe without.
        """
        # `key_share`: rows of the tenant can be made meanwhile.
        await self._session.execute(
            select(TenantRow.id)
            .where(TenantRow.id == self._tenant_id)
            .with_for_update(key_share=True)
        )

    async def create(self, draft: ElevationDraft) -> StoredElevation:
        """Keep a request.

        Raises:
            InvalidValue: a text is too long, or cannot be stored.
        """
        holder, scope, origin = draft.holder, draft.scope, draft.origin
        row = ElevationRow(
            tenant_id=self._tenant_id,
            status=_PENDING,
            owner=holder.owner,
            subject=holder.subject,
            user_id=holder.user_id,
            key_id=holder.key_id,
            asked_by=draft.asked_by,
            asked_owner=draft.asked_owner,
            asked_scope=scope.text,
            tool_name=origin.tool,
            bundle_name=origin.bundle,
            digest=origin.digest,
            arguments=None if origin.arguments is None else json.dumps(origin.arguments),
            reason=draft.reason,
            ticket=draft.ticket,
            minutes=draft.minutes,
            asked_minutes=draft.minutes,
            requested_at=draft.requested_at,
            void_at=draft.void_at,
        )
        _set_scope(row, scope)
        self._session.add(row)
        await self._session.flush()
        return _stored(row)

    async def get(self, elevation_id: UUID) -> StoredElevation:
        """The request with that id.

        Raises:
            NotFound: this tenant has none.
        """
        return _stored(await self._row(self._one(elevation_id), elevation_id))

    async def list(self, wanted: Filter) -> Page[StoredElevation]:
        """A page of requests, the newest first."""
        offset = offset_of(wanted.page, wanted.limit)
        where = self._wanted(wanted)
        total = await self._session.scalar(select(func.count(ElevationRow.id)).where(*where)) or 0
        rows = await self._session.scalars(
            select(ElevationRow)  # tenant: in `where`
            .where(*where)
            .order_by(ElevationRow.requested_at.desc(), ElevationRow.id)
            .offset(offset)
            .limit(wanted.limit)
        )
        return Page(tuple(_stored(row) for row in rows), total, wanted.page, wanted.limit)

    async def history(self, owner: str) -> dict[str, int]:
        """How many requests there were for `owner`, by status."""
        rows = await self._session.execute(
            select(ElevationRow.status, func.count(ElevationRow.id))
            .where(ElevationRow.tenant_id == self._tenant_id, ElevationRow.owner == owner)
            .group_by(ElevationRow.status)
        )
        return {row[0]: row[1] for row in rows}

    async def asked(self, owner: str, since: datetime) -> tuple[int, int]:
        """How many requests of `owner` wait for a decision, and how many they made `since`."""
        mine = and_(ElevationRow.tenant_id == self._tenant_id, ElevationRow.asked_owner == owner)
        waiting = await self._session.scalar(
            select(func.count(ElevationRow.id)).where(mine, ElevationRow.status == _PENDING)
        )
        recent = await self._session.scalar(
            select(func.count(ElevationRow.id)).where(mine, ElevationRow.requested_at > since)
        )
        return waiting or 0, recent or 0

    async def alike(
        self, owner: str, scope: Scope, status: ElevationStatus
    ) -> Sequence[StoredElevation]:
        """What stands at `status` for the same owner and scope."""
        rows = await self._session.scalars(
            select(ElevationRow)
            .where(
                ElevationRow.tenant_id == self._tenant_id,
                ElevationRow.owner == owner,
                ElevationRow.scope_kind == scope.kind,
                ElevationRow.scope_name == scope.name,
                ElevationRow.scope_digest == scope.digest,
                ElevationRow.status == status,
            )
            .order_by(ElevationRow.requested_at, ElevationRow.id)
        )
        return [_stored(row) for row in rows]

    async def overdue(self, now: datetime, limit: int) -> Sequence[StoredElevation]:
        """Requests that are void and grants that are over, and do not say so yet."""
        rows = await self._session.scalars(
            select(ElevationRow)
            .where(
                ElevationRow.tenant_id == self._tenant_id,
                or_(
                    and_(ElevationRow.status == _PENDING, ElevationRow.void_at <= now),
                    and_(ElevationRow.status == _APPROVED, ElevationRow.expires_at <= now),
                ),
            )
            .order_by(ElevationRow.requested_at, ElevationRow.id)
            .limit(limit)
        )
        return [_stored(row) for row in rows]

    async def live(self, now: datetime) -> Sequence[StoredElevation]:
        """Every grant that is live at `now`."""
        rows = await self._session.scalars(
            select(ElevationRow)
            .where(
                ElevationRow.tenant_id == self._tenant_id,
                ElevationRow.status == _APPROVED,
                ElevationRow.expires_at > now,
            )
            .order_by(ElevationRow.requested_at, ElevationRow.id)
        )
        return [_stored(row) for row in rows]

    async def rule(self, elevation_id: UUID, ruling: Ruling) -> StoredElevation:
        """Approve what has a `scope` in `ruling`, deny the rest.

        Raises:
            NotFound: there is no such request.
            Conflict: it is decided already, or over.
        """
        status = ElevationStatus.DENIED if ruling.scope is None else _APPROVED
        row = await self._moved(elevation_id, status)
        row.decided_by, row.decided_at, row.comment = ruling.by, ruling.at, ruling.comment
        if ruling.scope is not None:
            _set_scope(row, ruling.scope)
            row.minutes, row.expires_at = ruling.minutes, ruling.expires_at
            row.reference = ruling.reference
        await self._session.flush()
        return _stored(row)

    async def end(self, elevation_id: UUID, ending: Ending) -> StoredElevation:
        """Let it be used, revoked, cancelled or expired.

        Raises:
            NotFound: there is no such request.
            Conflict: it does not stand so that this could follow.
        """
        row = await self._moved(elevation_id, ending.status)
        row.ended_by, row.ended_at, row.end_comment = ending.by, ending.at, ending.comment
        await self._session.flush()
        return _stored(row)

    def _wanted(self, wanted: Filter) -> Sequence[ColumnElement[bool]]:
        where = [ElevationRow.tenant_id == self._tenant_id]
        if wanted.status is not None:
            where.append(ElevationRow.status == wanted.status)
        if wanted.user:
            where.append(ElevationRow.subject == wanted.user)
        if wanted.tool:
            where.append(ElevationRow.tool_name == wanted.tool)
        if wanted.owner:
            asked = ElevationRow.asked_owner == wanted.owner
            where.append(or_(asked, ElevationRow.owner == wanted.owner))
        return where

    async def _moved(self, elevation_id: UUID, status: ElevationStatus) -> ElevationRow:
        # Who waited for this row sees what became of it.
        locked = self._one(elevation_id).with_for_update().execution_options(populate_existing=True)
        row = await self._row(locked, elevation_id)
        if not may_follow(ElevationStatus(row.status), status):
            raise Conflict(_standing(row), details={"status": row.status})
        row.status = status
        return row

    def _one(self, elevation_id: UUID) -> Select[ElevationRow]:
        return select(ElevationRow).where(
            ElevationRow.tenant_id == self._tenant_id, ElevationRow.id == elevation_id
        )

    async def _row(self, wanted: Select[ElevationRow], elevation_id: UUID) -> ElevationRow:
        row = (await self._session.scalars(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no request for elevation {elevation_id}.")
        return row


def _standing(row: ElevationRow) -> str:
    """Why nothing can be done about it any more, or not yet."""
    by = f" by {row.ended_by}" if row.ended_by else ""
    match ElevationStatus(row.status):
        case ElevationStatus.PENDING:
            return "Nobody has decided about this request yet. Cancel or deny it instead."
        case ElevationStatus.APPROVED:
            return f"This request was already decided by {row.decided_by}: approved."
        case ElevationStatus.DENIED:
            return f"This request was already decided by {row.decided_by}: denied."
        case ElevationStatus.EXPIRED:
            return "The time of this request is over. Ask again."
        case ended:
            return f"This request was already {ended}{by}. Ask again."


def _set_scope(row: ElevationRow, scope: Scope) -> None:
    row.scope_kind, row.scope_name, row.scope_digest = scope.kind, scope.name, scope.digest


def _stored(row: ElevationRow) -> StoredElevation:
    arguments = None if row.arguments is None else json.loads(row.arguments)
    return StoredElevation(
        row.id,
        ElevationStatus(row.status),
        Holder(row.owner, row.subject, row.user_id, row.key_id),
        row.asked_by,
        row.asked_owner,
        Scope(ScopeKind(row.scope_kind), row.scope_name, row.scope_digest),
        row.asked_scope,
        row.tool_name,
        row.bundle_name,
        row.digest,
        arguments,
        row.reason,
        row.ticket,
        row.minutes,
        row.asked_minutes,
        row.requested_at,
        row.void_at,
        row.decided_by,
        row.decided_at,
        row.comment,
        row.reference,
        row.expires_at,
        row.ended_by,
        row.ended_at,
        row.end_comment,
    )

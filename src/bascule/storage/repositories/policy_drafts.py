"""Changes of one tenant's policies that are not in force yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.counter import author_of
from bascule.storage.documents import PolicyState, policy_document, read_policy
from bascule.storage.policy_tables import PolicyDraftRow
from bascule.storage.repositories.scope import Scoped
from bascule.storage.suggestion import did_you_mean
from bascule.storage.types import utc_now

Changes = Mapping[str, PolicyState | None]
"""What policies are to say, by name; None for those that are to go."""


MOST_DRAFTS: Final = 200
"""Of one tenant."""


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """Changes to the version `base`."""

    name: str
    base: int
    reason: str
    changes: Changes
    created_by: str
    updated_by: str
    created_at: datetime
    updated_at: datetime


class PolicyDrafts(Scoped):
    """A tenant's drafts."""

    async def put(self, name: str, base: int, changes: Changes, reason: str = "") -> StoredDraft:
        """Add a draft, or make the one of that name like it.

        Raises:
            Conflict: there are as many as there may be.
        """
        row = await self._find(name)
        author = author_of(self._session)
        if row is None:
            await self._require_room()
            row = PolicyDraftRow(tenant_id=self._tenant_id, name=name, created_by=author)
            self._session.add(row)
        row.base, row.reason, row.updated_by = base, reason, author
        row.changes = {
            policy: None if state is None else policy_document(state)
            for policy, state in changes.items()
        }
        row.updated_at = utc_now()
        await self._session.flush()
        return _stored(row)

    async def find(self, name: str) -> StoredDraft | None:
        """The draft of that name, if there is one."""
        row = await self._find(name)
        return None if row is None else _stored(row)

    async def get(self, name: str) -> StoredDraft:
        """The draft of that name.

        Raises:
            NotFound: there is none; names the one that was probably meant.
        """
        row = await self._find(name)
        if row is None:
            raise await self._missing(name)
        return _stored(row)

    async def list(self) -> tuple[StoredDraft, ...]:
        """Every draft by name."""
        rows = await self._session.scalars(
            select(PolicyDraftRow)
            .where(PolicyDraftRow.tenant_id == self._tenant_id)
            .order_by(PolicyDraftRow.name)
        )
        return tuple(_stored(row) for row in rows)

    async def delete(self, name: str) -> None:
        """Remove a draft.

        Raises:
            NotFound: there is none of that name.
        """
        row = await self._find(name)
        if row is None:
            raise await self._missing(name)
        await self._session.delete(row)
        await self._session.flush()

    async def _require_room(self) -> None:
        found = await self._session.scalar(
            select(func.count())
            .select_from(PolicyDraftRow)
            .where(PolicyDraftRow.tenant_id == self._tenant_id)
        )
        if (found or 0) >= MOST_DRAFTS:
            raise Conflict(
                f"There are {found} drafts of policies, and no more than {MOST_DRAFTS} are kept. "
                "Publish or remove some first."
            )

    async def _missing(self, name: str) -> NotFound:
        known = await self._session.scalars(
            select(PolicyDraftRow.name).where(PolicyDraftRow.tenant_id == self._tenant_id)
        )
        guess = did_you_mean(name, known.all())
        return NotFound(f"There is no draft named {name}.{guess}", details={"field": "draft"})

    async def _find(self, name: str) -> PolicyDraftRow | None:
        return (
            await self._session.scalars(
                select(PolicyDraftRow).where(
                    PolicyDraftRow.tenant_id == self._tenant_id, PolicyDraftRow.name == name
                )
            )
        ).one_or_none()


def _stored(row: PolicyDraftRow) -> StoredDraft:
    changes = {
        policy: None if document is None else read_policy(policy, document)
        for policy, document in row.changes.items()
    }
    return StoredDraft(
        name=row.name,
        base=row.base,
        reason=row.reason,
        changes=changes,
        created_by=row.created_by,
        updated_by=row.updated_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

"""The versions of one tenant's policies: every change that was made, by number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from bascule.gateway.errors import NotFound
from bascule.storage.counter import author_of
from bascule.storage.policy_tables import PolicyChangeRow
from bascule.storage.repositories.page import Page, offset_of
from bascule.storage.repositories.policies import Document, Policies
from bascule.storage.repositories.scope import Scoped


class Deed(StrEnum):
    """What was done to a policy."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Alteration:
    """What a policy said before and after; None where it was not there."""

    policy: str
    before: Document | None
    after: Document | None

    @property
    def deed(self) -> Deed:
        """What was done to it."""
        if self.before is None:
            return Deed.ADDED
        return Deed.REMOVED if self.after is None else Deed.CHANGED


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A version: who made it, why, out of what, and the policies it touched.

    `alterations` are empty where they were not asked for.
    """

    number: int
    author: str
    reason: str
    origin: str
    created_at: datetime
    summary: tuple[tuple[str, Deed], ...]
    alterations: tuple[Alteration, ...] = ()


class PolicyChanges(Scoped):
    """A tenant's versions. The state before the first change has the number 0."""

    async def append(
        self, alterations: Iterable[Alteration], *, reason: str = "", origin: str = ""
    ) -> int:
        """Number a change that is made in this transaction; what changed nothing is left out.

        Gives the number of the version there is now. Changes of a database run one after the
        other, so that numbers have no gaps.
        """
        made = sorted(
            (one for one in alterations if one.before != one.after), key=lambda one: one.policy
        )
        number = await self.latest()
        if not made:
            return number
        row = PolicyChangeRow(
            tenant_id=self._tenant_id,
            number=number + 1,
            author=author_of(self._session),
            reason=reason,
            origin=origin,
            summary=[[one.policy, one.deed.value] for one in made],
            documents=[[one.before, one.after] for one in made],
        )
        self._session.add(row)
        await self._session.flush()
        return row.number

    async def latest(self) -> int:
        """The number of the version in force."""
        found = await self._session.scalar(
            select(func.max(PolicyChangeRow.number)).where(
                PolicyChangeRow.tenant_id == self._tenant_id
            )
        )
        return found or 0

    async def list(self, page: int = 1, limit: int = 100) -> Page[PolicyChange]:
        """The versions, the newest first, without what was said in them.

        Raises:
            InvalidValue: the page makes no sense.
        """
        offset = offset_of(page, limit)
        total = await self.latest()
        rows = await self._session.scalars(
            select(PolicyChangeRow)
            .where(PolicyChangeRow.tenant_id == self._tenant_id)
            .order_by(PolicyChangeRow.number.desc())
            .offset(offset)
            .limit(limit)
        )
        return Page(tuple(_told(row) for row in rows), total, page, limit)

    async def get(self, number: int) -> PolicyChange:
        """A version, with what it changed.

        Raises:
            NotFound: there is none of that number.
        """
        rows = await self._session.scalars(
            select(PolicyChangeRow)
            .where(PolicyChangeRow.tenant_id == self._tenant_id, PolicyChangeRow.number == number)
            .options(undefer(PolicyChangeRow.documents))
        )
        row = rows.one_or_none()
        if row is None:
            raise await self._missing(number)
        return _whole(row)

    async def touched_since(self, number: int) -> Mapping[str, int]:
        """The policies that were changed after the version `number`, and by which one last."""
        rows = await self._session.execute(
            select(PolicyChangeRow.number, PolicyChangeRow.summary)
            .where(PolicyChangeRow.tenant_id == self._tenant_id, PolicyChangeRow.number > number)
            .order_by(PolicyChangeRow.number)
        )
        return {policy: last for last, summary in rows for policy, _ in summary}

    async def state_at(self, number: int) -> Mapping[str, Document]:
        """What every policy said in the version `number`, by name.

        Raises:
            NotFound: there was none.
        """
        latest = await self.latest()
        if not 0 <= number <= latest:
            raise await self._missing(number)
        state = dict(await Policies(self._session, self._tenant_id).documents())
        later = await self._session.scalars(
            select(PolicyChangeRow)
            .where(PolicyChangeRow.tenant_id == self._tenant_id, PolicyChangeRow.number > number)
            .order_by(PolicyChangeRow.number.desc())
            .options(undefer(PolicyChangeRow.documents))
        )
        for one in (each for row in later for each in _whole(row).alterations):
            state.pop(one.policy, None)
            if one.before is not None:
                state[one.policy] = one.before
        return state

    async def _missing(self, number: int) -> NotFound:
        latest = await self.latest()
        there = f"They go from 1 to {latest}." if latest else "Nothing was changed yet."
        return NotFound(
            f"There is no version {number} of the policies. {there}", details={"field": "number"}
        )


def compare(
    before: Mapping[str, Document], after: Mapping[str, Document]
) -> tuple[Alteration, ...]:
    """What leads from one state to another, by the policies' names."""
    return tuple(
        Alteration(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def _told(row: PolicyChangeRow) -> PolicyChange:
    summary = tuple((policy, Deed(deed)) for policy, deed in row.summary)
    return PolicyChange(row.number, row.author, row.reason, row.origin, row.created_at, summary)


def _whole(row: PolicyChangeRow) -> PolicyChange:
    summary = tuple((policy, Deed(deed)) for policy, deed in row.summary)
    alterations = tuple(
        Alteration(policy, before, after)
        for (policy, _), (before, after) in zip(row.summary, row.documents, strict=True)
    )
    return PolicyChange(
        row.number, row.author, row.reason, row.origin, row.created_at, summary, alterations
    )

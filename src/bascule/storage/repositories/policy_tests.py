"""What one tenant's policies have to decide, whatever is changed about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.rule import Effect
from bascule.storage.counter import author_of
from bascule.storage.policy_tables import PolicyTestRow
from bascule.storage.repositories.scope import Scoped
from bascule.storage.suggestion import did_you_mean
from bascule.storage.types import utc_now

MOST_TESTS: Final = 2000
"""Of one tenant."""


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """A case, JSON of whoever decides it, with what is to come of it.

    `rule` is the policy that is to decide; empty for any.
    """

    name: str
    case: Mapping[str, Any]
    expected: Effect
    rule: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class StoredPolicyTest:
    """A test and what the database adds to it."""

    test: PolicyTest
    created_at: datetime
    updated_at: datetime
    updated_by: str


class PolicyTests(Scoped):
    """A tenant's tests of policies."""

    async def put(self, test: PolicyTest) -> StoredPolicyTest:
        """Add a test, or make the one of that name like it.

        Raises:
            Conflict: there are as many as there may be.
        """
        row = await self._find(test.name)
        if row is None:
            await self._require_room()
            row = PolicyTestRow(tenant_id=self._tenant_id, name=test.name)
            self._session.add(row)
        row.asked, row.expected = dict(test.case), test.expected.value
        row.rule, row.description = test.rule, test.description
        row.updated_by = author_of(self._session)
        row.updated_at = utc_now()
        await self._session.flush()
        return _stored(row)

    async def get(self, name: str) -> StoredPolicyTest:
        """The test of that name.

        Raises:
            NotFound: there is none; names the one that was probably meant.
        """
        row = await self._find(name)
        if row is None:
            raise await self._missing(name)
        return _stored(row)

    async def list(self) -> tuple[StoredPolicyTest, ...]:
        """Every test by name."""
        rows = await self._session.scalars(
            select(PolicyTestRow)
            .where(PolicyTestRow.tenant_id == self._tenant_id)
            .order_by(PolicyTestRow.name)
        )
        return tuple(_stored(row) for row in rows)

    async def delete(self, name: str) -> None:
        """Remove a test.

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
            .select_from(PolicyTestRow)
            .where(PolicyTestRow.tenant_id == self._tenant_id)
        )
        if (found or 0) >= MOST_TESTS:
            raise Conflict(
                f"There are {found} tests of policies, and no more than {MOST_TESTS} are kept. "
                "Remove some first."
            )

    async def _missing(self, name: str) -> NotFound:
        guess = did_you_mean(name, [one.test.name for one in await self.list()])
        return NotFound(f"There is no test named {name}.{guess}", details={"field": "test"})

    async def _find(self, name: str) -> PolicyTestRow | None:
        return (
            await self._session.scalars(
                select(PolicyTestRow).where(
                    PolicyTestRow.tenant_id == self._tenant_id, PolicyTestRow.name == name
                )
            )
        ).one_or_none()


def _stored(row: PolicyTestRow) -> StoredPolicyTest:
    test = PolicyTest(row.name, row.asked, Effect(row.expected), row.rule, row.description)
    return StoredPolicyTest(test, row.created_at, row.updated_at, row.updated_by)

"""Policies of one tenant, of every kind, as they are now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.rule import Rule, RuleKind
from bascule.storage.documents import PolicyState, rule_document
from bascule.storage.mapping import rule_from
from bascule.storage.repositories.scope import Scoped
from bascule.storage.suggestion import did_you_mean
from bascule.storage.tables import PolicyRow
from bascule.storage.types import utc_now

Document = dict[str, Any]
"""What a policy says, as `storage.documents.policy_document` writes it."""


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A rule and what the database adds to it. An inactive one decides nothing."""

    id: UUID
    rule: Rule
    description: str
    is_active: bool
    created_at: datetime
    updated_at: datetime

    @property
    def state(self) -> PolicyState:
        """What it says, without when it was said."""
        return PolicyState(self.rule, self.description, self.is_active)


class Policies(Scoped):
    """A tenant's policies. What changes them for good is numbered: `PolicyChanges`."""

    async def create(
        self, rule: Rule, description: str = "", *, is_active: bool = True
    ) -> StoredPolicy:
        """Add a policy under the rule's name.

        Raises:
            Conflict: the name is taken.
        """
        if await self._find(rule.name) is not None:
            raise name_taken(rule.name)
        return await self.put(rule, description, is_active=is_active)

    async def put(
        self, rule: Rule, description: str = "", *, is_active: bool = True
    ) -> StoredPolicy:
        """Add a policy, or make the one of that name like it."""
        row = self._write(await self._find(rule.name), PolicyState(rule, description, is_active))
        await self._session.flush()
        return _stored(row)

    async def apply(self, changes: Mapping[str, PolicyState | None]) -> Mapping[str, Document]:
        """Let policies say what `changes` has for their names; None removes what is there.

        Gives what those of them that were there said before, as `documents`.
        """
        if len(changes) == 1:
            row = await self._find(next(iter(changes)))
            found = {} if row is None else {row.name: row}
        else:
            found = {row.name: row for row in await self._rows() if row.name in changes}
        before = {name: _document(row) for name, row in found.items()}
        for name, state in changes.items():
            if state is not None:
                self._write(found.get(name), state)
            elif name in found:
                await self._session.delete(found[name])
        await self._session.flush()
        return before

    async def list(
        self, kind: RuleKind | None = None, *, is_active: bool | None = None
    ) -> tuple[StoredPolicy, ...]:
        """Every policy, or those of one kind, the highest priority first, then by name.

        Raises:
            StorageError: one cannot be read; says which.
        """
        wanted = select(PolicyRow).where(PolicyRow.tenant_id == self._tenant_id)
        if kind is not None:
            wanted = wanted.where(PolicyRow.type == kind.value)
        if is_active is not None:
            wanted = wanted.where(PolicyRow.is_active.is_(is_active))
        rows = await self._session.scalars(
            wanted.order_by(PolicyRow.priority.desc(), PolicyRow.name)
        )
        return tuple(_stored(row) for row in rows)

    async def get(self, name: str) -> StoredPolicy:
        """The policy of that name.

        Raises:
            NotFound: there is none; names the one that was probably meant.
            StorageError: it cannot be read.
        """
        row = await self._find(name)
        if row is None:
            raise policy_missing(name, await self.documents())
        return _stored(row)

    async def documents(self) -> Mapping[str, Document]:
        """What every policy says, by name.

        Those that cannot be read any more are here as they are.
        """
        return {row.name: _document(row) for row in await self._rows()}

    async def find_document(self, name: str) -> Document | None:
        """As `documents`, of one policy; None where there is none of that name."""
        row = await self._find(name)
        return None if row is None else _document(row)

    async def delete(self, name: str) -> None:
        """Remove a policy, even one that cannot be read any more.

        Raises:
            NotFound: there is none of that name.
        """
        row = await self._find(name)
        if row is None:
            raise policy_missing(name)
        await self._session.delete(row)
        await self._session.flush()

    def _write(self, row: PolicyRow | None, state: PolicyState) -> PolicyRow:
        rule = state.rule
        if row is None:
            row = PolicyRow(tenant_id=self._tenant_id, name=rule.name)
            self._session.add(row)
        row.description, row.is_active = state.description, state.is_active
        row.type, row.priority = rule.kind.value, rule.priority
        row.rules = rule_document(rule)
        row.updated_at = utc_now()
        return row

    async def _rows(self) -> Iterable[PolicyRow]:
        return await self._session.scalars(
            select(PolicyRow).where(PolicyRow.tenant_id == self._tenant_id).order_by(PolicyRow.name)
        )

    async def _find(self, name: str) -> PolicyRow | None:
        return (
            await self._session.scalars(
                select(PolicyRow).where(
                    PolicyRow.tenant_id == self._tenant_id, PolicyRow.name == name
                )
            )
        ).one_or_none()


def name_taken(name: str) -> Conflict:
    """The failure where a policy is to be made under a name that another has."""
    return Conflict(f"A policy named {name} exists already. Choose another name.")


def policy_missing(name: str, known: Mapping[str, object] | None = None) -> NotFound:
    """The failure where there is no policy `name`; of the `known` ones it names the closest."""
    guess = did_you_mean(name, known or ())
    return NotFound(f"There is no policy named {name}.{guess}", details={"field": "name"})


def _document(row: PolicyRow) -> Document:
    return {
        "type": row.type,
        "priority": row.priority,
        "description": row.description,
        "is_active": row.is_active,
        "rules": row.rules,
    }


def _stored(row: PolicyRow) -> StoredPolicy:
    return StoredPolicy(
        row.id, rule_from(row), row.description, row.is_active, row.created_at, row.updated_at
    )

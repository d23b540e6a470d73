"""The tables of the versions of policies, their drafts and their tests."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bascule.storage.tables import Base, Dated, Owned
from bascule.storage.types import Json, Line, Name, Prose, UtcDateTime, utc_now


class PolicyChangeRow(Owned, Base):
    """A version of a tenant's policies: the change that led to it. Numbers have no gaps.

    `summary` names the policies with what was done to them; `documents` are pairs of before and
    after (`storage.documents.policy_document`), in the same order. `origin` says in words where
    it came from; empty for a direct change.
    """

    __tablename__ = "policy_changes"
    __table_args__ = (UniqueConstraint("tenant_id", "number"),)

    number: Mapped[int]
    author: Mapped[str] = mapped_column(Line(200, "author"))
    reason: Mapped[str] = mapped_column(Prose("reason"), default="")
    origin: Mapped[str] = mapped_column(Line(200, "origin"), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    summary: Mapped[list[list[str]]] = mapped_column(Json)
    documents: Mapped[list[list[dict[str, Any] | None]]] = mapped_column(Json, deferred=True)


class PolicyDraftRow(Owned, Dated, Base):
    """Changes that are not in force: documents by policy, None for a removal.

    `base` is the number of the version that they are changes to.
    """

    __tablename__ = "policy_drafts"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(Name(100, "draft name"))
    base: Mapped[int]
    reason: Mapped[str] = mapped_column(Prose("reason"), default="")
    changes: Mapped[dict[str, dict[str, Any] | None]] = mapped_column(Json)
    created_by: Mapped[str] = mapped_column(Line(200, "author"))
    updated_by: Mapped[str] = mapped_column(Line(200, "author"))


class PolicyTestRow(Owned, Dated, Base):
    """What policies have to decide: `expected` is an effect, `rule` the policy that is to decide.

    `asked` is a document of whoever runs it.
    """

    __tablename__ = "policy_tests"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(Name(100, "test name"))
    description: Mapped[str] = mapped_column(Prose("description"), default="")
    asked: Mapped[dict[str, Any]] = mapped_column(Json)
    expected: Mapped[str] = mapped_column(Line(20, "effect"))
    rule: Mapped[str] = mapped_column(Line(100, "policy name"), default="")
    updated_by: Mapped[str] = mapped_column(Line(200, "author"))

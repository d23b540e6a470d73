"""The table of requests for elevation, and of the grants that came of them."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from bascule.storage.tables import Base, Owned
from bascule.storage.types import Line, Name, Prose, UtcDateTime


class ElevationRow(Owned, Base):
    """A request, and what became of it; kept when user, key, tool or bundle are gone.

    `owner` is `Principal.owner` of who has the grant, `asked_owner` that of who asked. `scope_*`
    and `minutes` are what was asked for until somebody grants less. `arguments` is JSON, masked:
    not `jsonb`, which cannot hold every text.
    """

    __tablename__ = "elevations"
    __table_args__ = (
        Index(None, "tenant_id", "requested_at"),
        Index(None, "tenant_id", "status"),
        Index(None, "tenant_id", "asked_owner"),
    )

    status: Mapped[str] = mapped_column(Line(20, "status"))
    owner: Mapped[str] = mapped_column(Line(1100, "owner"))
    subject: Mapped[str] = mapped_column(Name(600, "caller's name"))
    user_id: Mapped[str | None] = mapped_column(Line(64, "user id"))
    key_id: Mapped[str] = mapped_column(Line(64, "key id"))
    asked_by: Mapped[str] = mapped_column(Line(600, "caller's name"))
    asked_owner: Mapped[str] = mapped_column(Line(1100, "owner"))
    scope_kind: Mapped[str] = mapped_column(Line(20, "scope"))
    scope_name: Mapped[str] = mapped_column(Name(500, "name of a tool or bundle"))
    scope_digest: Mapped[str] = mapped_column(Line(64, "digest"))
    asked_scope: Mapped[str] = mapped_column(Line(600, "scope"))
    tool_name: Mapped[str] = mapped_column(Name(500, "tool name"))
    bundle_name: Mapped[str] = mapped_column(Name(200, "bundle name"))
    digest: Mapped[str] = mapped_column(Line(64, "digest"))
    arguments: Mapped[str | None] = mapped_column(Prose("arguments"))
    reason: Mapped[str] = mapped_column(Prose("reason"))
    ticket: Mapped[str] = mapped_column(Line(200, "ticket"))
    minutes: Mapped[int]
    asked_minutes: Mapped[int]
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    void_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str] = mapped_column(Line(600, "approver's name"), default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    comment: Mapped[str] = mapped_column(Prose("comment"), default="")
    reference: Mapped[str] = mapped_column(Line(100, "reference"), default="")
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str] = mapped_column(Line(600, "name"), default="")
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_comment: Mapped[str] = mapped_column(Prose("comment"), default="")

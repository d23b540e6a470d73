"""The table of what was decided about the tools of MCP servers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bascule.storage.tables import Base, Owned
from bascule.storage.types import Line, UtcDateTime, utc_now


class PinRow(Owned, Base):
    """A tool of a server, by the name that the server gives it.

    `approved_*` is what may be served, `seen_*` the last definition that was not, `rejected_digest`
    one that somebody has looked at and does not want. Digests are SHA-256.
    """

    __tablename__ = "pins"
    __table_args__ = (
        UniqueConstraint("tenant_id", "upstream_id", "tool_name"),
        ForeignKeyConstraint(
            ["tenant_id", "upstream_id"],
            ["upstreams.tenant_id", "upstreams.id"],
            ondelete="CASCADE",
        ),
    )

    upstream_id: Mapped[UUID]
    tool_name: Mapped[str] = mapped_column(Line(500, "tool name"))
    approved_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    approved_definition: Mapped[bytes | None] = mapped_column(LargeBinary)
    approved_by: Mapped[str] = mapped_column(Line(200, "author"), default="")
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    seen_definition: Mapped[bytes | None] = mapped_column(LargeBinary)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rejected_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

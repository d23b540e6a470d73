"""The tables of conversations with the assistant."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, Uuid, false
from sqlalchemy.orm import Mapped, mapped_column

from bascule.storage.tables import Base, OfTenant, Owned
from bascule.storage.types import Json, Line, Prose, UtcDateTime


class ConversationRow(Owned, Base):
    """A conversation of `owner`, which is `Principal.owner`.

    `head_id` is the message at the end of the branch that is shown. `allowed` are tools that are
    used without asking again. `search_text` is the title without its case.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        Index(None, "tenant_id", "owner", "updated_at"),
        Index(None, "tenant_id", "deleted_at"),
    )

    owner: Mapped[str] = mapped_column(Line(1100, "owner"))
    title: Mapped[str] = mapped_column(Line(200, "title"), default="")
    search_text: Mapped[str] = mapped_column(Prose("title"), default="")
    head_id: Mapped[str | None] = mapped_column(Line(64, "message id"))
    is_pinned: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_titled: Mapped[bool] = mapped_column(default=False, server_default=false())
    allowed: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChatMessageRow(OfTenant, Base):
    """A message. Its id is given by who writes it; `parts` is JSON of the assistant's own form.

    `parts` is text, not `jsonb`, which cannot hold every text of a tool's answer. `search_text` is
    what was written in it, without its case and not beyond a bound. `version` counts savings.
    """

    __tablename__ = "chat_messages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "conversation_id"], ["conversations.tenant_id", "conversations.id"]
        ),
        UniqueConstraint("tenant_id", "conversation_id", "idempotency_key"),
        Index(None, "tenant_id", "conversation_id", "at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[str] = mapped_column(Line(64, "message id"), primary_key=True)
    conversation_id: Mapped[UUID]
    parent_id: Mapped[str | None] = mapped_column(Line(64, "message id"))
    role: Mapped[str] = mapped_column(Line(20, "role"))
    status: Mapped[str] = mapped_column(Line(20, "status"))
    parts: Mapped[str] = mapped_column(Prose("message"))
    search_text: Mapped[str] = mapped_column(Prose("message"), default="")
    model: Mapped[str] = mapped_column(Line(200, "model"), default="")
    tokens_in: Mapped[int] = mapped_column(default=0)
    tokens_out: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    idempotency_key: Mapped[str | None] = mapped_column(Line(200, "idempotency key"))

"""Conversations with the assistant, and their messages.

Revision 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "conversations",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        _line("owner", 1100),
        _line("title", 200),
        _text("search_text"),
        sa.Column("head_id", sa.String(64), nullable=True),
        sa.Column("is_pinned", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("is_titled", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("allowed", _DOCUMENT, nullable=False, server_default="[]"),
        _moment("created_at", nullable=False),
        _moment("updated_at", nullable=False),
        _moment("deleted_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_conversations_tenant_id")
        ),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_conversations_tenant_id_id")),
    )
    _index("conversations", "tenant_id", "owner", "updated_at")
    _index("conversations", "tenant_id", "deleted_at")
    op.create_table(
        "chat_messages",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        _line("id", 64),
        sa.Column("conversation_id", sa.Uuid, nullable=False),
        sa.Column("parent_id", sa.String(64), nullable=True),
        _line("role", 20),
        _line("status", 20),
        _text("parts"),
        _text("search_text"),
        _line("model", 200),
        sa.Column("tokens_in", sa.Integer, nullable=False),
        sa.Column("tokens_out", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        _moment("at", nullable=False),
        sa.Column("idempotency_key", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_chat_messages")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_chat_messages_tenant_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_chat_messages_tenant_id_conversation_id"),
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "conversation_id",
            "idempotency_key",
            name=op.f("uq_chat_messages_tenant_id_conversation_id_idempotency_key"),
        ),
    )
    _index("chat_messages", "tenant_id", "conversation_id", "at")


def downgrade() -> None:
    """Drop them again, with all that was said."""
    op.drop_table("chat_messages")
    op.drop_table("conversations")


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _line(name: str, characters: int) -> sa.Column[object]:
    return sa.Column(name, sa.String(characters), nullable=False)


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=False)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)

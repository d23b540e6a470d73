"""Requests for elevation.

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "elevations",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        _line("status", 20),
        _line("owner", 1100),
        _sorted("subject", 600),
        sa.Column("user_id", sa.String(64), nullable=True),
        _line("key_id", 64),
        _line("asked_by", 600),
        _line("asked_owner", 1100),
        _line("scope_kind", 20),
        _sorted("scope_name", 500),
        _line("scope_digest", 64),
        _line("asked_scope", 600),
        _sorted("tool_name", 500),
        _sorted("bundle_name", 200),
        _line("digest", 64),
        sa.Column("arguments", sa.Text, nullable=True),
        _text("reason"),
        _line("ticket", 200),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("asked_minutes", sa.Integer, nullable=False),
        _moment("requested_at", nullable=False),
        _moment("void_at", nullable=False),
        _line("decided_by", 600),
        _moment("decided_at"),
        _text("comment"),
        _line("reference", 100),
        _moment("expires_at"),
        _line("ended_by", 600),
        _moment("ended_at"),
        _text("end_comment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elevations")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_elevations_tenant_id")
        ),
    )
    for column in ("requested_at", "status", "asked_owner"):
        name = op.f(f"ix_elevations_tenant_id_{column}")
        op.create_index(name, "elevations", ["tenant_id", column])


def downgrade() -> None:
    """Drop them again: whatever was granted ends with the process that knows of it."""
    op.drop_table("elevations")


def _line(name: str, characters: int) -> sa.Column[object]:
    return sa.Column(name, sa.String(characters), nullable=False)


def _sorted(name: str, characters: int) -> sa.Column[object]:
    """Sorted by code point on both engines."""
    collated = sa.String(characters, collation="C")
    kind = sa.String(characters).with_variant(collated, "postgresql")
    return sa.Column(name, kind, nullable=False)


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=False)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)

"""Approved definitions of MCP tools.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the pins, and whether a server is held to them."""
    # Not by a batch: SQLite would build the table anew, and tools refer to it.
    op.add_column(
        "upstreams",
        sa.Column("pinning", sa.String(20), nullable=False, server_default="first_seen"),
    )
    op.create_table(
        "pins",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("upstream_id", sa.Uuid, nullable=False),
        sa.Column("tool_name", sa.String(500), nullable=False),
        sa.Column("approved_digest", sa.LargeBinary(32)),
        sa.Column("approved_definition", sa.LargeBinary),
        sa.Column("approved_by", sa.String(200), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True)),
        sa.Column("seen_digest", sa.LargeBinary(32)),
        sa.Column("seen_definition", sa.LargeBinary),
        sa.Column("seen_at", sa.DateTime(timezone=True)),
        sa.Column("rejected_digest", sa.LargeBinary(32)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pins")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_pins_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "upstream_id"],
            ["upstreams.tenant_id", "upstreams.id"],
            name=op.f("fk_pins_tenant_id_upstream_id"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "upstream_id",
            "tool_name",
            name=op.f("uq_pins_tenant_id_upstream_id_tool_name"),
        ),
    )


def downgrade() -> None:
    """Drop them again: what servers list is served as it comes."""
    op.drop_table("pins")
    op.drop_column("upstreams", "pinning")

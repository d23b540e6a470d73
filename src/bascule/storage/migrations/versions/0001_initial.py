"""The first tables.

Revision 0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "change_counter",
    "tenants",
    "tool_bundles",
    "openapi_specs",
    "upstreams",
    "tools",
    "roles",
    "policies",
    "api_keys",
)


def upgrade() -> None:
    """Make every table, and the one row of the change counter."""
    _create_counter()
    _create_tenants()
    _create_bundles()
    _create_specs()
    _create_upstreams()
    _create_tools()
    _create_roles()
    _create_policies()
    _create_keys()


def downgrade() -> None:
    """Drop everything."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_counter() -> None:
    counter = op.create_table(
        "change_counter",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        _moment("changed_at"),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_change_counter_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_counter")),
    )
    now = sa.func.current_timestamp()
    op.execute(counter.insert().values(id=1, version=0, changed_at=now, changed_by="migration"))


def _create_tenants() -> None:
    op.create_table(
        "tenants",
        _id(),
        _name(100),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("name", name=op.f("uq_tenants_name")),
    )


def _create_bundles() -> None:
    op.create_table(
        "tool_bundles",
        *_owned("tool_bundles", ["name"], ["id"]),
        _name(100),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("version", sa.String(50), nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
    )


def _create_specs() -> None:
    op.create_table(
        "openapi_specs",
        *_owned("openapi_specs", ["name", "version"], ["id"]),
        _name(100),
        sa.Column("version", sa.String(50), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("uploaded_by", sa.String(200), nullable=False),
        _moment("uploaded_at"),
        *_reference("openapi_specs", "bundle_id", "tool_bundles"),
    )
    _index("openapi_specs", "bundle_id")


def _create_upstreams() -> None:
    op.create_table(
        "upstreams",
        *_owned("upstreams", ["name"], ["id"]),
        _name(100),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        _json("command"),
        _json("headers"),
        sa.Column("connect_timeout_seconds", sa.Double, nullable=False),
        sa.Column("timeout_seconds", sa.Double, nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
    )


def _create_tools() -> None:
    op.create_table(
        "tools",
        *_owned("tools", ["name", "version"]),
        _name(100),
        sa.Column("title", sa.String(200)),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("version", sa.String(50), nullable=False),
        *_reference("tools", "bundle_id", "tool_bundles"),
        *_reference("tools", "upstream_id", "upstreams"),
        *_reference("tools", "spec_id", "openapi_specs", nullable=True),
        _json("source"),
        _json("input_schema"),
        _json("output_schema", nullable=True),
        sa.Column("definition", sa.LargeBinary),
        sa.Column("http_method", sa.String(10)),
        sa.Column("api_path", sa.String(500)),
        sa.Column("risk_level", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        _json("tags"),
        sa.Column("domain", sa.String(100)),
        sa.Column("owner", sa.String(100)),
        _json("examples"),
        sa.Column("idempotent", sa.Boolean, nullable=False),
        sa.Column("timeout_seconds", sa.Double),
        sa.Column("created_by", sa.String(200), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
    )
    for column in ("status", "bundle_id", "upstream_id", "spec_id"):
        _index("tools", column)


def _create_roles() -> None:
    op.create_table(
        "roles",
        *_owned("roles", ["name"]),
        _name(50),
        sa.Column("description", sa.Text, nullable=False),
        _json("permissions"),
        _moment("created_at"),
    )


def _create_policies() -> None:
    op.create_table(
        "policies",
        *_owned("policies", ["name"]),
        _name(100),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("type", sa.String(50), nullable=False),
        _json("rules"),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
    )


def _create_keys() -> None:
    op.create_table(
        "api_keys",
        *_owned("api_keys"),
        _name(100),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("prefix", sa.String(12), nullable=False),
        _json("roles"),
        _moment("expires_at", nullable=True),
        _moment("created_at"),
        sa.Column("created_by", sa.String(200), nullable=False),
        _moment("revoked_at", nullable=True),
        _moment("last_used_at", nullable=True),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    live = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_api_keys_live_name",
        "api_keys",
        ["tenant_id", "name"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid, nullable=False)


def _name(characters: int) -> sa.Column[object]:
    # Sorted by code point on both engines.
    name = sa.String(characters).with_variant(sa.String(characters, collation="C"), "postgresql")
    return sa.Column("name", name, nullable=False)


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.JSON().with_variant(JSONB(), "postgresql"), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _owned(table: str, *unique: list[str]) -> list[sa.schema.SchemaItem]:
    """The id, the tenant, and what is unique within it."""
    return [
        _id(),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        *(
            sa.UniqueConstraint(
                "tenant_id", *columns, name=op.f(f"uq_{table}_tenant_id_{'_'.join(columns)}")
            )
            for columns in unique
        ),
    ]


def _reference(
    table: str, column: str, target: str, *, nullable: bool = False
) -> list[sa.schema.SchemaItem]:
    """A reference that cannot leave the tenant."""
    return [
        sa.Column(column, sa.Uuid, nullable=nullable),
        sa.ForeignKeyConstraint(
            ["tenant_id", column],
            [f"{target}.tenant_id", f"{target}.id"],
            name=op.f(f"fk_{table}_tenant_id_{column}"),
        ),
    ]


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_tenant_id_{column}"), table, ["tenant_id", column])

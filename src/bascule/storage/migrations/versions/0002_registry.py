"""What the registry keeps of imports, bundles and standards.

Revision 0002, after 0001.
"""

import gzip
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what a tool's answers may be kept for."""
    with op.batch_alter_table("tools") as tools:
        tools.add_column(sa.Column("cache_seconds", sa.Double, nullable=False, server_default="0"))
        tools.add_column(sa.Column("edited", _json(), nullable=False, server_default="[]"))
    _add_selections()
    _add_standards()
    _add_imports()


def downgrade() -> None:
    """Drop it again."""
    _drop_imports()
    op.drop_table("metadata_standards")
    op.drop_table("bundle_releases")
    op.drop_table("bundle_members")
    with op.batch_alter_table("tools") as tools:
        tools.drop_column("edited")
        tools.drop_column("cache_seconds")


def _add_selections() -> None:
    """What bundles borrow, and their releases."""
    # Sorted by code point on both engines.
    shown_name = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
    op.create_table(
        "bundle_members",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("bundle_id", sa.Uuid, nullable=False),
        sa.Column("shown_name", shown_name, nullable=False),
        sa.Column("tool", sa.String(200), nullable=False),
        sa.Column("server", sa.String(100), nullable=False),
        sa.Column("version", sa.String(50), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("defaults", _json(), nullable=False),
        *_of_bundle("bundle_members", "shown_name"),
    )
    op.create_table(
        "bundle_releases",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("bundle_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.String(50), nullable=False),
        sa.Column("members", _json(), nullable=False),
        sa.Column("is_served", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        *_of_bundle("bundle_releases", "version"),
    )


def _of_bundle(table: str, unique: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bundle_id"],
            ["tool_bundles.tenant_id", "tool_bundles.id"],
            name=op.f(f"fk_{table}_tenant_id_bundle_id"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "tenant_id", "bundle_id", unique, name=op.f(f"uq_{table}_tenant_id_bundle_id_{unique}")
        ),
    )


def _add_standards() -> None:
    """What tenants ask of a tool before it is published."""
    op.create_table(
        "metadata_standards",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("document", _json(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metadata_standards")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_metadata_standards_tenant_id")
        ),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_metadata_standards_tenant_id")),
    )


def _json() -> sa.JSON:
    return sa.JSON().with_variant(JSONB(), "postgresql")


def _add_imports() -> None:
    """A document becomes one of many of its API, with what it made of the tools."""
    tools = _release_tools()
    with op.batch_alter_table("openapi_specs") as specs:
        specs.drop_constraint("uq_openapi_specs_tenant_id_name_version", type_="unique")
        for column, default in _import_columns():
            specs.add_column(
                sa.Column(
                    column.name, column.type, nullable=default is None, server_default=default
                )
            )
    _fill_imports(tools)
    with op.batch_alter_table("openapi_specs") as specs:
        specs.drop_column("content")
        for column, _ in _import_columns():
            specs.alter_column(
                column.name,
                existing_type=column.type,
                nullable=bool(column.nullable),
                server_default=None,
            )
    op.create_index(
        op.f("ix_openapi_specs_tenant_id_upstream_status"),
        "openapi_specs",
        ["tenant_id", "upstream", "status"],
    )
    _hold_tools(tools)


def _drop_imports() -> None:
    """One document for each name and version again: the latest. The others are lost."""
    tools = _release_tools()
    op.drop_index(op.f("ix_openapi_specs_tenant_id_upstream_status"), "openapi_specs")
    with op.batch_alter_table("openapi_specs") as specs:
        specs.add_column(sa.Column("content", sa.Text, nullable=False, server_default=""))
    kept = _keep_latest()
    with op.batch_alter_table("openapi_specs") as specs:
        specs.alter_column("content", existing_type=sa.Text, server_default=None)
        for column, _ in _import_columns():
            specs.drop_column(column.name)
        specs.create_unique_constraint(
            op.f("uq_openapi_specs_tenant_id_name_version"), ["tenant_id", "name", "version"]
        )
    _hold_tools([(tool, spec) for tool, spec in tools if spec in kept])


def _import_columns() -> list[tuple[sa.Column[Any], str | None]]:
    """Each new column, and what it holds until it is filled."""
    upstream = sa.String(100).with_variant(sa.String(100, collation="C"), "postgresql")
    return [
        (sa.Column("upstream", upstream, nullable=False), ""),
        (sa.Column("base_url", sa.String(2000), nullable=False), ""),
        (sa.Column("base_url_before", sa.String(2000)), None),
        (sa.Column("status", sa.String(20), nullable=False), "draft"),
        (sa.Column("filename", sa.String(200), nullable=False), ""),
        (sa.Column("document", sa.LargeBinary, nullable=False), None),
        (sa.Column("size_bytes", sa.BigInteger, nullable=False), "0"),
        (sa.Column("summary", _json(), nullable=False), "{}"),
        (sa.Column("steps", _json(), nullable=False), "[]"),
        (sa.Column("changes", _json(), nullable=False), "[]"),
        (sa.Column("findings", _json(), nullable=False), "[]"),
        (sa.Column("undo", _json(), nullable=False), "[]"),
        (sa.Column("replaces", sa.Uuid), None),
        (sa.Column("decided_by", sa.String(200)), None),
        (sa.Column("decided_at", sa.DateTime(timezone=True)), None),
    ]


_SPECS: Final = sa.table(
    "openapi_specs",
    sa.column("id", sa.Uuid),
    sa.column("tenant_id", sa.Uuid),
    sa.column("name", sa.String),
    sa.column("version", sa.String),
    sa.column("content", sa.Text),
    sa.column("document", sa.LargeBinary),
    sa.column("size_bytes", sa.BigInteger),
    sa.column("upstream", sa.String),
    sa.column("base_url", sa.String),
    sa.column("status", sa.String),
    sa.column("steps", sa.JSON().with_variant(JSONB(), "postgresql")),
    sa.column("uploaded_at", sa.DateTime(timezone=True)),
)
_TOOLS: Final = sa.table(
    "tools",
    sa.column("id", sa.Uuid),
    sa.column("spec_id", sa.Uuid),
    sa.column("upstream_id", sa.Uuid),
    sa.column("name", sa.String),
    sa.column("version", sa.String),
    sa.column("status", sa.String),
)
_UPSTREAMS: Final = sa.table(
    "upstreams", sa.column("id", sa.Uuid), sa.column("name", sa.String), sa.column("url", sa.String)
)


def _release_tools() -> list[tuple[UUID, UUID]]:
    """Tools and their documents, which lose each other: SQLite builds the table anew."""
    has_spec = _TOOLS.c.spec_id.is_not(None)
    found = op.get_bind().execute(sa.select(_TOOLS.c.id, _TOOLS.c.spec_id).where(has_spec)).all()
    op.execute(_TOOLS.update().values(spec_id=None))
    return [(tool, spec) for tool, spec in found]


def _hold_tools(tools: list[tuple[UUID, UUID]]) -> None:
    if tools:
        update = _TOOLS.update().where(_TOOLS.c.id == sa.bindparam("tool"))
        rows = [{"tool": tool, "spec": spec} for tool, spec in tools]
        op.get_bind().execute(update.values(spec_id=sa.bindparam("spec")), rows)


def _fill_imports(tools: list[tuple[UUID, UUID]]) -> None:
    """What is known of documents that came before: their tools, and where those call."""
    bind = op.get_bind()
    ids = bind.execute(sa.select(_SPECS.c.id)).scalars().all()
    for spec in ids:
        content = bind.execute(sa.select(_SPECS.c.content).where(_SPECS.c.id == spec)).scalar_one()
        rows = bind.execute(
            sa.select(_TOOLS.c.name, _TOOLS.c.version, _TOOLS.c.status, _UPSTREAMS)
            .join(_UPSTREAMS, _UPSTREAMS.c.id == _TOOLS.c.upstream_id)
            .where(_TOOLS.c.id.in_([tool for tool, its in tools if its == spec]))
        ).all()
        is_live = any(row.status in ("active", "deprecated") for row in rows)
        steps = [
            {"name": row[0], "action": "added", "version": row.version, "status": "active"}
            for row in rows
        ]
        known = {"upstream": rows[0][4], "base_url": rows[0].url} if rows else {}
        content_bytes = content.encode()
        bind.execute(
            _SPECS.update()
            .where(_SPECS.c.id == spec)
            .values(
                document=gzip.compress(content_bytes, mtime=0),
                size_bytes=len(content_bytes),
                status="published" if is_live else "draft" if rows else "discarded",
                steps=steps,
                **known,
            )
        )


def _keep_latest() -> set[UUID]:
    """Write out the documents, and delete all but the latest of each name and version."""
    bind = op.get_bind()
    kept: dict[tuple[UUID, str, str], UUID] = {}
    latest = sa.select(_SPECS.c.id, _SPECS.c.tenant_id, _SPECS.c.name, _SPECS.c.version)
    for row in bind.execute(latest.order_by(_SPECS.c.uploaded_at)):
        kept[row.tenant_id, row.name, row.version] = row.id
    for spec in kept.values():
        document = sa.select(_SPECS.c.document).where(_SPECS.c.id == spec)
        content = gzip.decompress(bind.execute(document).scalar_one())
        text = content.decode(errors="replace").replace("\0", "")
        bind.execute(_SPECS.update().where(_SPECS.c.id == spec).values(content=text))
    bind.execute(_SPECS.delete().where(_SPECS.c.id.not_in(list(kept.values()))))
    return set(kept.values())

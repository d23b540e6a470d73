"""Users, issuers, certificates and groups; sessions; what upstreams gave their callers.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
_BUILTIN = ("user", "developer", "operator", "admin", "viewer", "system_admin")


def upgrade() -> None:
    """Add them; the roles that come with every tenant are marked as such."""
    op.add_column(
        "roles", sa.Column("is_builtin", sa.Boolean, nullable=False, server_default=sa.false())
    )
    roles = sa.table("roles", sa.column("name", sa.String), sa.column("is_builtin", sa.Boolean))
    op.execute(roles.update().where(roles.c.name.in_(_BUILTIN)).values(is_builtin=True))
    op.add_column("tenants", sa.Column("hosts", _DOCUMENT, nullable=False, server_default="[]"))
    op.add_column("api_keys", sa.Column("scopes", _DOCUMENT, nullable=True))
    op.add_column("api_keys", sa.Column("user_id", sa.Uuid, nullable=True))
    op.add_column("api_keys", sa.Column("previous_digest", sa.LargeBinary(32), nullable=True))
    op.add_column("api_keys", _moment("previous_until", nullable=True))
    _index_names("revoked_at IS NULL AND user_id IS NULL")
    _unique(
        "uq_api_keys_personal_name",
        ["tenant_id", "user_id", "name"],
        "revoked_at IS NULL AND user_id IS NOT NULL",
    )
    _add_people()
    _add_sessions()
    _add_grants()
    _add_issuers()


def downgrade() -> None:
    """Drop them again: everybody signs in anew after the next upgrade, with new accounts."""
    for table in (
        "certificate_rules", "issuers", "oauth_clients", "user_grants", "user_sessions",
        "group_roles", "user_identities", "users",
    ):  # fmt: skip
        op.drop_table(table)
    # Nobody would be behind them any more, and what two people named alike would be one name.
    op.execute(
        "UPDATE api_keys SET revoked_at = created_at "
        "WHERE user_id IS NOT NULL AND revoked_at IS NULL"
    )
    op.drop_index("uq_api_keys_personal_name", "api_keys")
    _index_names("revoked_at IS NULL")
    op.drop_column("api_keys", "previous_until")
    op.drop_column("api_keys", "previous_digest")
    op.drop_column("api_keys", "user_id")
    op.drop_column("api_keys", "scopes")
    op.drop_column("tenants", "hosts")
    op.drop_column("roles", "is_builtin")


def _index_names(condition: str) -> None:
    op.drop_index("uq_api_keys_live_name", "api_keys")
    _unique("uq_api_keys_live_name", ["tenant_id", "name"], condition)


def _unique(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(
        name, "api_keys", columns, unique=True, sqlite_where=where, postgresql_where=where
    )


def _owned(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
    ]


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "user_id"],
        ["users.tenant_id", "users.id"],
        name=op.f(f"fk_{table}_tenant_id_user_id"),
        ondelete="CASCADE",
    )


def _sealed() -> list[sa.Column[object]]:
    return [
        sa.Column("nonce", sa.LargeBinary(12), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
    ]


def _sorted(characters: int) -> sa.types.TypeEngine[str]:
    """Sorted by code point on both engines."""
    collated = sa.String(characters, collation="C")
    return sa.String(characters).with_variant(collated, "postgresql")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _add_people() -> None:
    """Users, how issuers call them, and what groups bring."""
    op.create_table(
        "users",
        *_owned("users"),
        sa.Column("name", _sorted(200), nullable=False),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("roles", _DOCUMENT, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("password_hash", sa.String(300), nullable=True),
        _moment("password_changed_at", nullable=True),
        _moment("signed_out_at", nullable=True),
        _moment("last_sign_in_at", nullable=True),
        sa.Column("created_by", sa.String(200), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_users_tenant_id_name")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_users_tenant_id_id")),
    )
    op.create_table(
        "user_identities",
        *_owned("user_identities"),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(500), nullable=False),
        _moment("created_at"),
        _of_user("user_identities"),
        sa.UniqueConstraint(
            "tenant_id", "issuer", "subject",
            name=op.f("uq_user_identities_tenant_id_issuer_subject"),
        ),
    )  # fmt: skip
    op.create_index(
        op.f("ix_user_identities_tenant_id_user_id"), "user_identities", ["tenant_id", "user_id"]
    )
    op.create_table(
        "group_roles",
        *_owned("group_roles"),
        sa.Column("group_name", _sorted(300), nullable=False),
        sa.Column("roles", _DOCUMENT, nullable=False),
        sa.Column("updated_by", sa.String(200), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint(
            "tenant_id", "group_name", name=op.f("uq_group_roles_tenant_id_group_name")
        ),
    )


def _add_sessions() -> None:
    """Sign-ins that last."""
    op.create_table(
        "user_sessions",
        *_owned("user_sessions"),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("claims", _DOCUMENT, nullable=False),
        sa.Column("peer", sa.String(100), nullable=False),
        sa.Column("agent", sa.String(300), nullable=False),
        _moment("created_at"),
        _moment("seen_at"),
        _moment("expires_at"),
        _moment("ended_at", nullable=True),
        _of_user("user_sessions"),
        sa.UniqueConstraint("digest", name=op.f("uq_user_sessions_digest")),
    )
    op.create_index(
        op.f("ix_user_sessions_tenant_id_user_id"), "user_sessions", ["tenant_id", "user_id"]
    )
    op.create_index(op.f("ix_user_sessions_expires_at"), "user_sessions", ["expires_at"])


def _add_grants() -> None:
    """What authorization servers gave, to callers and to this gateway."""
    op.create_table(
        "user_grants",
        *_owned("user_grants"),
        sa.Column("owner", sa.String(1100), nullable=False),
        sa.Column("upstream_name", _sorted(100), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("resource", sa.String(1000), nullable=False),
        sa.Column("client_id", sa.String(1000), nullable=False),
        sa.Column("scopes", _DOCUMENT, nullable=False),
        _moment("expires_at", nullable=True),
        *_sealed(),
        sa.Column("revision", sa.Integer, nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint(
            "tenant_id", "owner", "upstream_name", "issuer", "resource",
            name=op.f("uq_user_grants_tenant_id_owner_upstream_name_issuer_resource"),
        ),
    )  # fmt: skip
    op.create_index(
        op.f("ix_user_grants_tenant_id_upstream_name"),
        "user_grants",
        ["tenant_id", "upstream_name"],
    )
    op.create_table(
        "oauth_clients",
        *_owned("oauth_clients"),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("client_id", sa.String(1000), nullable=False),
        sa.Column("registration", _DOCUMENT, nullable=False),
        *_sealed(),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint("tenant_id", "issuer", name=op.f("uq_oauth_clients_tenant_id_issuer")),
    )


def _add_issuers() -> None:
    """Whom this installation believes."""
    op.create_table(
        "issuers",
        *_owned("issuers"),
        sa.Column("name", _sorted(100), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("document", _DOCUMENT, nullable=False),
        sa.Column("updated_by", sa.String(200), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_issuers_tenant_id_name")),
        sa.UniqueConstraint("issuer", name=op.f("uq_issuers_issuer")),
    )
    op.create_table(
        "certificate_rules",
        *_owned("certificate_rules"),
        sa.Column("name", _sorted(100), nullable=False),
        sa.Column("pattern", sa.String(1000), nullable=False),
        sa.Column("issuer", sa.String(1000), nullable=False),
        sa.Column("roles", _DOCUMENT, nullable=False),
        sa.Column("updated_by", sa.String(200), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_certificate_rules_tenant_id_name")),
    )

"""Policies of every kind; their versions, drafts and tests; who may approve elevations.

Revision 0007, after 0006.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
_APPROVE = "elevations:approve"
_APPROVERS = ("admin", "system_admin")
_RBAC = "rbac"
_OLD_MEMBERS = frozenset(
    {"effect", "roles", "actions", "bundles", "tools", "prompts", "resources", "risks"}
)


def upgrade() -> None:
    """Add the tables. Policies that are there stay as they are, and become version 0."""
    _add_changes()
    _add_drafts()
    _add_tests()
    _let_approve(may=True)


def downgrade() -> None:
    """Drop them, and leave of the policies what the release before can read.

    It knows no conditions: what allowed under some is dropped, and what denied under some denies
    always, to the tenant's every role. Nothing is allowed that was not.
    """
    _let_approve(may=False)
    _narrow_policies()
    for table in ("policy_tests", "policy_drafts", "policy_changes"):
        op.drop_table(table)


def _owned(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
    ]


def _named(table: str) -> list[sa.schema.SchemaItem]:
    name = sa.String(100).with_variant(sa.String(100, collation="C"), "postgresql")
    return [
        sa.Column("name", name, nullable=False),
        sa.UniqueConstraint("tenant_id", "name", name=op.f(f"uq_{table}_tenant_id_name")),
    ]


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _add_changes() -> None:
    op.create_table(
        "policy_changes",
        *_owned("policy_changes"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("origin", sa.String(200), nullable=False),
        _moment("created_at"),
        sa.Column("summary", _DOCUMENT, nullable=False),
        sa.Column("documents", _DOCUMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_policy_changes_tenant_id_number")),
    )


def _add_drafts() -> None:
    op.create_table(
        "policy_drafts",
        *_owned("policy_drafts"),
        *_named("policy_drafts"),
        sa.Column("base", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("changes", _DOCUMENT, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("updated_by", sa.String(200), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
    )


def _add_tests() -> None:
    op.create_table(
        "policy_tests",
        *_owned("policy_tests"),
        *_named("policy_tests"),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("asked", _DOCUMENT, nullable=False),
        sa.Column("expected", sa.String(20), nullable=False),
        sa.Column("rule", sa.String(100), nullable=False),
        sa.Column("updated_by", sa.String(200), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
    )


_ROLES = sa.table(
    "roles",
    sa.column("id", sa.Uuid),
    sa.column("tenant_id", sa.Uuid),
    sa.column("name", sa.String),
    sa.column("permissions", _DOCUMENT),
    sa.column("is_builtin", sa.Boolean),
)
_POLICIES = sa.table(
    "policies",
    sa.column("id", sa.Uuid),
    sa.column("tenant_id", sa.Uuid),
    sa.column("type", sa.String),
    sa.column("rules", _DOCUMENT),
)


def _let_approve(*, may: bool) -> None:
    connection = op.get_bind()
    found = connection.execute(
        sa.select(_ROLES.c.id, _ROLES.c.permissions).where(
            _ROLES.c.name.in_(_APPROVERS), _ROLES.c.is_builtin.is_(True)
        )
    )
    for role_id, permissions in found.all():
        others = set[str](permissions) - {_APPROVE}
        wanted = sorted(others | {_APPROVE} if may else others)
        connection.execute(_ROLES.update().where(_ROLES.c.id == role_id).values(permissions=wanted))


def _narrow_policies() -> None:
    connection = op.get_bind()
    roles: dict[Any, list[str]] = {}
    for tenant_id, name in connection.execute(sa.select(_ROLES.c.tenant_id, _ROLES.c.name)):
        roles.setdefault(tenant_id, []).append(name)
    for policy_id, tenant_id, kind, rules in connection.execute(sa.select(_POLICIES)).all():
        narrowed = _narrowed(kind, rules, sorted(roles.get(tenant_id, ())))
        same = _POLICIES.c.id == policy_id
        if narrowed is None:
            connection.execute(_POLICIES.delete().where(same))
        else:
            values = {"type": _RBAC, "rules": narrowed}
            connection.execute(_POLICIES.update().where(same).values(**values))


def _narrowed(kind: str, rules: Mapping[str, Any], roles: list[str]) -> dict[str, Any] | None:
    """What the release before is to make of a policy; None for nothing."""
    known = {member: value for member, value in rules.items() if member in _OLD_MEMBERS}
    has_more = any(value for member, value in rules.items() if member not in _OLD_MEMBERS)
    allows = rules.get("effect") == "allow"
    if kind == "rate_limit":
        return None
    if kind == "allow_list":  # denied all else in its bundles
        wide: dict[str, list[str]] = {"tools": [], "prompts": [], "resources": []}
        return {**known, **wide, "effect": "deny", "roles": rules.get("roles") or roles}
    if kind != "rego" and allows:
        return None if has_more or not rules.get("roles") else known
    return {**known, "effect": "deny", "roles": rules.get("roles") or roles}

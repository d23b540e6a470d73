"""The tables. Every row but a tenant's own and the counter belongs to exactly one tenant.

References between rows carry the tenant along, so the database itself refuses a tool in another
tenant's bundle.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bascule.storage.types import Json, Line, Name, Prose, UtcDateTime, utc_now

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every table shares: names for constraints, so that migrations can refer to them."""

    metadata = MetaData(naming_convention=_NAMES)


class OfTenant:
    """What is one tenant's: sessions of others never see it (`storage.tenancy`)."""

    tenant_id: Mapped[UUID] = mapped_column(Uuid)


class Owned(OfTenant):
    """A row of one tenant."""

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))


class Dated:
    """When a row was made and last changed."""

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)


class ChangeCounterRow(Base):
    """One row: how many changes were committed, and who made the last one."""

    __tablename__ = "change_counter"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(Line(200, "author"))


class TenantRow(Dated, Base):
    """Whose everything else is."""

    __tablename__ = "tenants"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(Name(100, "tenant name"), unique=True)
    description: Mapped[str] = mapped_column(Prose("description"), default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    hosts: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")


class BundleRow(Owned, Dated, Base):
    """A named selection of tools."""

    __tablename__ = "tool_bundles"
    __table_args__ = (UniqueConstraint("tenant_id", "name"), UniqueConstraint("tenant_id", "id"))

    name: Mapped[str] = mapped_column(Name(100, "bundle name"))
    description: Mapped[str] = mapped_column(Prose("description"), default="")
    version: Mapped[str] = mapped_column(Line(50, "version"), default="1.0.0")
    owner: Mapped[str] = mapped_column(Line(100, "owner"), default="")
    status: Mapped[str] = mapped_column(Line(20, "status"), default="active")


class ImportRow(Owned, Base):
    """An OpenAPI document that was handed over, and what became of it.

    `document` is gzip of the very bytes, `content_hash` their SHA-256. `upstream` is the name of
    the service that its tools call: imports with the same one are of the same API. `steps` and
    `changes` are documents of `catalogue.planning`, `undo` how the tools' versions stood before it
    was published, `replaces` the import that was published until then.
    """

    __tablename__ = "openapi_specs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        ForeignKeyConstraint(
            ["tenant_id", "bundle_id"], ["tool_bundles.tenant_id", "tool_bundles.id"]
        ),
        Index(None, "tenant_id", "bundle_id"),
        Index(None, "tenant_id", "upstream", "status"),
    )

    name: Mapped[str] = mapped_column(Name(100, "document name"))
    version: Mapped[str] = mapped_column(Line(50, "version"))
    bundle_id: Mapped[UUID]
    upstream: Mapped[str] = mapped_column(Name(100, "upstream name"))
    base_url: Mapped[str] = mapped_column(Line(2000, "URL"))
    base_url_before: Mapped[str | None] = mapped_column(Line(2000, "URL"))
    status: Mapped[str] = mapped_column(Line(20, "status"))
    filename: Mapped[str] = mapped_column(Line(200, "file name"))
    document: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_hash: Mapped[str] = mapped_column(Line(64, "digest"))
    summary: Mapped[dict[str, int]] = mapped_column(Json)
    steps: Mapped[list[dict[str, Any]]] = mapped_column(Json, deferred=True)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Json, deferred=True)
    undo: Mapped[list[list[str]]] = mapped_column(Json, deferred=True)
    replaces: Mapped[UUID | None]
    uploaded_by: Mapped[str] = mapped_column(Line(200, "author"))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    decided_by: Mapped[str | None] = mapped_column(Line(200, "author"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UpstreamRow(Owned, Dated, Base):
    """A service behind the gateway. `headers` are pairs, `command` is an argv."""

    __tablename__ = "upstreams"
    __table_args__ = (UniqueConstraint("tenant_id", "name"), UniqueConstraint("tenant_id", "id"))

    name: Mapped[str] = mapped_column(Name(100, "upstream name"))
    kind: Mapped[str] = mapped_column(Line(20, "kind"))
    url: Mapped[str] = mapped_column(Line(2000, "URL"), default="")
    command: Mapped[list[str]] = mapped_column(Json, default=list)
    headers: Mapped[list[list[str]]] = mapped_column(Json, default=list)
    connect_timeout_seconds: Mapped[float]
    timeout_seconds: Mapped[float]
    connector: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    pinning: Mapped[str] = mapped_column(
        Line(20, "pinning"), default="first_seen", server_default="first_seen"
    )


class ToolRow(Owned, Dated, Base):
    """A version of a tool. `definition` holds a relayed tool's own bytes, where it has some."""

    __tablename__ = "tools"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name", "version"),
        ForeignKeyConstraint(
            ["tenant_id", "bundle_id"], ["tool_bundles.tenant_id", "tool_bundles.id"]
        ),
        ForeignKeyConstraint(["tenant_id", "upstream_id"], ["upstreams.tenant_id", "upstreams.id"]),
        ForeignKeyConstraint(
            ["tenant_id", "spec_id"], ["openapi_specs.tenant_id", "openapi_specs.id"]
        ),
        Index(None, "tenant_id", "status"),
        Index(None, "tenant_id", "bundle_id"),
        Index(None, "tenant_id", "upstream_id"),
        Index(None, "tenant_id", "spec_id"),
    )

    name: Mapped[str] = mapped_column(Name(100, "tool name"))
    title: Mapped[str | None] = mapped_column(Line(200, "title"))
    description: Mapped[str] = mapped_column(Line(500, "description"))
    version: Mapped[str] = mapped_column(Line(50, "version"))
    bundle_id: Mapped[UUID]
    upstream_id: Mapped[UUID]
    spec_id: Mapped[UUID | None]
    source: Mapped[dict[str, Any]] = mapped_column(Json)
    input_schema: Mapped[dict[str, Any]] = mapped_column(Json)
    output_schema: Mapped[dict[str, Any] | None] = mapped_column(Json)
    definition: Mapped[bytes | None] = mapped_column(LargeBinary)
    http_method: Mapped[str | None] = mapped_column(Line(10, "HTTP method"))
    api_path: Mapped[str | None] = mapped_column(Line(500, "path"))
    risk_level: Mapped[str] = mapped_column(Line(20, "risk level"))
    status: Mapped[str] = mapped_column(Line(20, "status"))
    tags: Mapped[list[str]] = mapped_column(Json, default=list)
    domain: Mapped[str | None] = mapped_column(Line(100, "domain"))
    owner: Mapped[str | None] = mapped_column(Line(100, "owner"))
    examples: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    idempotent: Mapped[bool] = mapped_column(default=False)
    timeout_seconds: Mapped[float | None]
    cache_seconds: Mapped[float] = mapped_column(default=0.0, server_default="0")
    edited: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    created_by: Mapped[str] = mapped_column(Line(200, "author"))


class RoleRow(Owned, Base):
    """A named set of permissions."""

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(Name(50, "role name"))
    description: Mapped[str] = mapped_column(Prose("description"), default="")
    permissions: Mapped[list[str]] = mapped_column(Json, default=list)
    is_builtin: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class PolicyRow(Owned, Dated, Base):
    """An access policy; `rules` is a document whose form depends on `type`."""

    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(Name(100, "policy name"))
    description: Mapped[str] = mapped_column(Prose("description"), default="")
    type: Mapped[str] = mapped_column(Line(50, "policy type"), default="rbac")
    rules: Mapped[dict[str, Any]] = mapped_column(Json)
    priority: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)


class ApiKeyRow(Owned, Base):
    """An API key without its secret: `digest` is the SHA-256, `prefix` what people recognise.

    `scopes` are the permissions it is limited to, None for no limit; `user_id` whose it is, where
    it acts for a person. `previous_digest` is of the secret before, good until `previous_until`.
    """

    __tablename__ = "api_keys"

    name: Mapped[str] = mapped_column(Name(100, "key name"))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    prefix: Mapped[str] = mapped_column(Line(12, "key prefix"))
    roles: Mapped[list[str]] = mapped_column(Json, default=list)
    scopes: Mapped[list[str] | None] = mapped_column(Json)
    user_id: Mapped[UUID | None]
    previous_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    previous_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    created_by: Mapped[str] = mapped_column(Line(200, "author"))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    _own: ClassVar = text("revoked_at IS NULL AND user_id IS NULL")
    _personal: ClassVar = text("revoked_at IS NULL AND user_id IS NOT NULL")
    __table_args__ = (
        # A name is free again once its key is revoked, and every person has names of their own.
        Index(
            "uq_api_keys_live_name",
            "tenant_id",
            "name",
            unique=True,
            sqlite_where=_own,
            postgresql_where=_own,
        ),
        Index(
            "uq_api_keys_personal_name",
            "tenant_id",
            "user_id",
            "name",
            unique=True,
            sqlite_where=_personal,
            postgresql_where=_personal,
        ),
    )

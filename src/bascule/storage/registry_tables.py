"""The tables of what the registry keeps beside tools and bundles."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bascule.storage.tables import Base, Owned
from bascule.storage.types import Json, Line, Name, Prose, UtcDateTime, utc_now


class BundleMemberRow(Owned, Base):
    """A tool that a bundle borrows, and what it changes about it; by name, as tools come and go."""

    __tablename__ = "bundle_members"
    __table_args__ = (
        UniqueConstraint("tenant_id", "bundle_id", "shown_name"),
        ForeignKeyConstraint(
            ["tenant_id", "bundle_id"],
            ["tool_bundles.tenant_id", "tool_bundles.id"],
            ondelete="CASCADE",
        ),
    )

    bundle_id: Mapped[UUID]
    shown_name: Mapped[str] = mapped_column(Name(128, "name in the bundle"))
    tool: Mapped[str] = mapped_column(Line(200, "tool name"))
    server: Mapped[str] = mapped_column(Line(100, "server name"), default="")
    version: Mapped[str] = mapped_column(Line(50, "version"), default="")
    description: Mapped[str] = mapped_column(Prose("description"), default="")
    defaults: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class BundleReleaseRow(Owned, Base):
    """A bundle's selection as it was frozen; `members` are documents of `gateway.tool.Member`."""

    __tablename__ = "bundle_releases"
    __table_args__ = (
        UniqueConstraint("tenant_id", "bundle_id", "version"),
        ForeignKeyConstraint(
            ["tenant_id", "bundle_id"],
            ["tool_bundles.tenant_id", "tool_bundles.id"],
            ondelete="CASCADE",
        ),
    )

    bundle_id: Mapped[UUID]
    version: Mapped[str] = mapped_column(Line(50, "version"))
    members: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    is_served: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    created_by: Mapped[str] = mapped_column(Line(200, "author"))


class MetadataStandardRow(Owned, Base):
    """What a tenant asks of a tool before it is published: one document for each tenant."""

    __tablename__ = "metadata_standards"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    document: Mapped[dict[str, Any]] = mapped_column(Json)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)
    updated_by: Mapped[str] = mapped_column(Line(200, "author"))

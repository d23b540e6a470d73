"""What tools are found by: narrow copies of their rows, kept by triggers of the database.

The triggers are made by revision 0005. A later revision that builds the table `tools` anew, as
SQLite does to alter most things, loses them there and has to make them again.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, Text, Uuid, column, table
from sqlalchemy.orm import Mapped, mapped_column

from bascule.storage.tables import Base, OfTenant
from bascule.storage.types import Line, Name

FOREIGN: Final = ("tool_text", "ix_tool_index_text")
"""How the names begin of what one engine has and the tables here do not say: see revision 0005."""

MOST_TAG_CHARACTERS: Final = 200
"""A tag of any length can be stored, but not indexed."""


class ToolIndexRow(OfTenant, Base):
    """A version of a tool, without what is big. Read it; the triggers write it.

    `revision` is the number of the change that last touched the tool. `search_name` is the name
    in small letters; `search_text` that, the title and the description, a line each.
    """

    __tablename__ = "tool_index"
    __table_args__ = (
        # All that lists are filtered by, in the order in which they are listed.
        Index(
            "ix_tool_index_listing",
            "tenant_id",
            "name",
            "version",
            "search_name",
            "bundle_id",
            "status",
            "risk_level",
            "domain",
            "owner",
            "tool_id",
        ),
        Index(None, "tenant_id", "search_name"),
        Index(None, "revision"),
    )

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    tool_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    tenant_id: Mapped[UUID]
    bundle_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Name(100, "tool name"))
    version: Mapped[str] = mapped_column(Line(50, "version"))
    status: Mapped[str] = mapped_column(Line(20, "status"))
    risk_level: Mapped[str] = mapped_column(Line(20, "risk level"))
    domain: Mapped[str | None] = mapped_column(Line(100, "domain"))
    owner: Mapped[str | None] = mapped_column(Line(100, "owner"))
    revision: Mapped[int] = mapped_column(BigInteger)
    search_name: Mapped[str] = mapped_column(Name(100, "tool name"))
    search_text: Mapped[str] = mapped_column(Text().with_variant(Text(collation="C"), "postgresql"))


class ToolTagRow(OfTenant, Base):
    """A tag of a version of a tool; of a long one, what it begins with."""

    __tablename__ = "tool_tags"
    __table_args__ = (
        Index("ix_tool_tags_listing", "tenant_id", "tag", "name", "version", "tool_id"),
    )

    tool_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tag: Mapped[str] = mapped_column(Line(MOST_TAG_CHARACTERS, "tag"), primary_key=True)
    tenant_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Name(100, "tool name"))
    version: Mapped[str] = mapped_column(Line(50, "version"))


TOOL_TEXT: Final = table("tool_text", column("rowid", Integer), column("tool_text", Text))
"""SQLite's full-text index over `tool_index.search_text`, three characters at a time."""

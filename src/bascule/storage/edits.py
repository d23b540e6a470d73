"""What people changed about a tool by hand: an import of its document keeps that."""

from dataclasses import replace
from typing import Any, Final

from bascule.gateway.tool import Tool
from bascule.storage.tables import ToolRow

EDITABLE: Final = (
    "title",
    "description",
    "tags",
    "domain",
    "owner",
    "risk",
    "examples",
    "idempotent",
    "timeout_seconds",
    "cache_seconds",
)
"""Fields of `gateway.tool.Tool`; all but `risk` are columns of the same name."""


def column_of(field: str) -> str:
    """The column that holds the editable `field`."""
    return "risk_level" if field == "risk" else field


def keep_edits(tool: Tool, edited: tuple[str, ...], before: Tool) -> Tool:
    """`tool`, as it was converted anew, with what was `edited` about the one `before` it."""
    kept: dict[str, Any] = {field: getattr(before, field) for field in edited if field in EDITABLE}
    return replace(tool, **kept) if kept else tool


def carry_edits(row: ToolRow, before: ToolRow) -> None:
    """Give a new version what was edited about the one `before` it."""
    for field in before.edited:
        setattr(row, column_of(field), getattr(before, column_of(field)))
    row.edited = list(before.edited)

"""The tools an upstream lists, page by page, kept byte for byte."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from bascule.upstreams.mcp.definitions import check_members
from bascule.upstreams.mcp.listing import Freshness, read_freshness


@dataclass(frozen=True, slots=True)
class RelayedTool:
    """A tool as its upstream lists it. `definition` is the Tool object, JSON, verbatim."""

    name: str
    definition: bytes
    input_schema: Mapping[str, object]
    output_schema: Mapping[str, object] | None = None
    title: str | None = None
    description: str = ""


class Page(msgspec.Struct, frozen=True):
    """A result of `tools/list`; `""` is a valid cursor."""

    tools: list[msgspec.Raw]
    next_cursor: str | None = msgspec.field(default=None, name="nextCursor")
    ttl: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"null"), name="ttlMs")
    scope: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"null"), name="cacheScope")

    @property
    def freshness(self) -> Freshness:
        """How long the page holds, and whether users may share it."""
        return read_freshness(self.ttl, self.scope)


class _Tool(msgspec.Struct, frozen=True):
    name: str
    input_schema: dict[str, Any] = msgspec.field(name="inputSchema")
    output_schema: dict[str, Any] | None = msgspec.field(default=None, name="outputSchema")
    title: str | None = None
    description: str | None = None


_decode_page = msgspec.json.Decoder(Page).decode
_decode_tool = msgspec.json.Decoder(_Tool).decode


def read_page(result: msgspec.Raw | bytes) -> Page:
    """Read one page.

    Raises:
        ValueError: not a result of `tools/list`.
    """
    try:
        return _decode_page(result)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"its answer to tools/list is not one ({error})") from None


def read_tool(definition: msgspec.Raw) -> RelayedTool:
    """Read one definition.

    Raises:
        ValueError: not a Tool object; says why.
    """
    try:
        tool = _decode_tool(definition)
        check_members(bytes(definition))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if not tool.name:
        raise ValueError("the name is empty")
    return RelayedTool(
        tool.name,
        bytes(definition),
        tool.input_schema,
        tool.output_schema,
        tool.title,
        tool.description or "",
    )

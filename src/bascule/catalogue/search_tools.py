"""Two tools in place of hundreds: one finds tools by words, the other calls what was found.

A model reads every definition it is given, and many clients stop at 128. Where a caller would see
more tools than that, it is given these two. All tools stay callable by their names, and the rules
for them are the same: a search finds only what its caller sees.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from bascule.catalogue.listing import Visibility
from bascule.catalogue.searching import ToolIndex
from bascule.gateway.builtin import CALL_TOOL, SEARCH_TOOLS, SEARCHER
from bascule.gateway.call import Call, Endpoint, EndpointKind, Result
from bascule.gateway.circumstances import circumstances_of
from bascule.gateway.decision import Circumstances
from bascule.gateway.errors import InvalidArgument
from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import McpSource, RiskLevel, Tool
from bascule.protocol.tools import encode_definition, text_content

ESSENTIAL_TAG: Final = "essential"
"""A tool with this tag stays in the list beside the two."""

_MOST_HITS: Final = 50
_USUAL_HITS: Final = 10
_MOST_BYTES: Final = 24_000
"""What the answer to one search weighs, more or less: some six thousand tokens."""

_ASK_AGAIN: Final = "(Search for this tool by its name to get its inputSchema.)"
_NOTHING_FOUND: Final = "Nothing fits. Try other words: what is done, and to what."

_SEARCH_SCHEMA: Final[Mapping[str, object]] = {
    "type": "object",
    "properties": {
        "query": {
            "type": "string",
            "minLength": 1,
            "maxLength": 1000,
            "description": "What you want to do, in a few words, such as: create an invoice.",
        },
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": _MOST_HITS,
            "default": _USUAL_HITS,
            "description": "How many tools to give at most.",
        },
    },
    "required": ["query"],
    "additionalProperties": False,
}
_CALL_SCHEMA: Final[Mapping[str, object]] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "The tool's name, as the search gave it."},
        "arguments": {
            "type": "object",
            "description": "Its arguments, as its inputSchema describes them.",
        },
    },
    "required": ["name"],
    "additionalProperties": False,
}


def _tool(
    name: str, title: str, description: str, schema: Mapping[str, object], risk: RiskLevel
) -> Tool:
    definition = encode_definition(
        name=name,
        title=title,
        description=description,
        input_schema=schema,
        annotations={"readOnlyHint": risk is RiskLevel.READ},
    )
    return Tool(
        name=name,
        title=title,
        description=description,
        bundle="",
        source=McpSource(SEARCHER, name),
        input_schema=schema,
        risk=risk,
        definition=definition,
    )


SEARCH: Final = _tool(
    SEARCH_TOOLS,
    "Search tools",
    "Find the tools for what you want to do. There are too many to list: say what you need, and "
    f"get those that fit, with their input schemas. Then call one with {CALL_TOOL}.",
    _SEARCH_SCHEMA,
    RiskLevel.READ,
)
CALL: Final = _tool(
    CALL_TOOL,
    "Call a tool",
    f"Call a tool that {SEARCH_TOOLS} found, with arguments that fit its inputSchema.",
    _CALL_SCHEMA,
    RiskLevel.WRITE,
)


class Condensed:
    """A `Visibility` that shows the two tools, and essential ones, where there would be many."""

    def __init__(self, visibility: Visibility, most_tools: int) -> None:
        """More than `most_tools` are many; 0: never."""
        self._visibility = visibility
        self._most = most_tools

    async def visible(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> Sequence[Tool]:
        """The tools in listing order."""
        tools = await self._visibility.visible(principal, endpoint, circumstances)
        # A server's own endpoint shows what the server shows.
        if not self._most or len(tools) <= self._most or endpoint.kind is EndpointKind.SERVER:
            return tools
        return [SEARCH, CALL, *(one for one in tools if ESSENTIAL_TAG in one.tags)]


class SearchTools:
    """Executes the search. The words of a catalogue are counted at the first search in it."""

    def __init__(self, snapshot: Snapshot, visibility: Visibility, shelf: "Shelf") -> None:
        self._snapshot = snapshot
        self._visibility = visibility
        self._shelf = shelf

    async def execute(self, call: Call) -> Result:
        """The tools that fit, as `tools/list` would show them, the best first.

        Raises:
            InvalidArgument: nothing is asked for.
        """
        principal = call.principal
        if principal is None:
            raise RuntimeError("a search needs a principal")
        query, limit = call.arguments.get("query"), call.arguments.get("limit", _USUAL_HITS)
        if not isinstance(query, str) or not query.strip() or not isinstance(limit, int | float):
            raise InvalidArgument("query: say what you want to do.", details={"field": "query"})
        index = await self._shelf.index(self._snapshot.tenant(principal.tenant))
        circumstances = circumstances_of(call)
        tools = await self._visibility.visible(principal, call.endpoint, circumstances)
        seen = {tool.name: tool for tool in tools}
        hits = index.search(query, seen, max(1, min(int(limit), _MOST_HITS)))
        return _result([hit.tool for hit in hits], len(seen))


class Shelf:
    """The index of each tenant's catalogue in force; made in a thread, once for all who wait."""

    def __init__(self, make: Callable[[Sequence[Tool]], ToolIndex] = ToolIndex) -> None:
        self._make = make
        self._made: dict[str, tuple[TenantView, asyncio.Future[ToolIndex]]] = {}

    async def index(self, view: TenantView) -> ToolIndex:
        """The index of everything in `view`."""
        known = self._made.get(view.tenant)
        if known is None or known[0] is not view:
            borrowed = (tool for tools in view.bundle_tools.values() for tool in tools.values())
            tools = list({id(tool): tool for tool in (*view.tools.values(), *borrowed)}.values())
            loop = asyncio.get_running_loop()
            known = view, loop.run_in_executor(None, self._make, tools)
            self._made[view.tenant] = known
        return await asyncio.shield(known[1])


class _Shown(msgspec.Struct, omit_defaults=True, rename="camel"):
    """What a caller needs of a definition to call the tool; its output schema is not that."""

    name: str
    title: str = ""
    description: str = ""
    input_schema: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    annotations: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_read = msgspec.json.Decoder(_Shown).decode


def _result(tools: Sequence[Tool], total: int) -> Result:
    """The tools as one text: given as structured content besides, models would read it twice."""
    found: list[bytes] = []
    left = _MOST_BYTES
    for tool in tools:
        shown = _read(tool.definition)
        text = msgspec.json.encode(shown)
        if found and len(text) > left:
            shown.input_schema = shown.annotations = msgspec.UNSET
            shown.description = f"{shown.description} {_ASK_AGAIN}"
            text = msgspec.json.encode(shown)
        left -= len(text)
        found.append(text)
    listed = b'{"tools":[' + b",".join(found) + b'],"searched":' + str(total).encode()
    advice = b"" if found else b',"advice":"' + _NOTHING_FOUND.encode() + b'"'
    return Result({"content": [text_content((listed + advice + b"}").decode())]})

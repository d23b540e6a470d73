"""Tools of the gateway itself, which stand for others where these are too many to list."""

from typing import Final, cast

import msgspec

from bascule.gateway.call import Call, EndpointKind, JsonObject, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Refuse

SEARCH_TOOLS: Final = "bascule_search_tools"
CALL_TOOL: Final = "bascule_call_tool"
OWN_NAMES: Final = frozenset({SEARCH_TOOLS, CALL_TOOL})
"""No tool of anybody else is listed under these."""

_VERSION_HEADER: Final = b"x-mcp-tool-version"

SEARCHER: Final = "bascule:search"
"""Stands where other tools have their upstream; no upstream can have this name."""


def is_unwrapped(call: Call) -> bool:
    """Whether a call of `CALL_TOOL` is ours to unwrap: a server may have a tool of that name."""
    return call.method is Method.TOOLS_CALL and call.endpoint.kind is not EndpointKind.SERVER


def unwrap(call: Call) -> Refuse | None:
    """Make of a call of `CALL_TOOL` the call of the tool it names; a refusal where it names none.

    From here on nothing knows the difference: the named tool is authorised, validated, recorded.
    """
    name, arguments = call.arguments.get("name"), call.arguments.get("arguments", {})
    if not isinstance(name, str) or not name or name == CALL_TOOL:
        return _refuse("name", f"must be the name of a tool, as {SEARCH_TOOLS} gives it")
    if not isinstance(arguments, dict):
        return _refuse("arguments", "must be an object that fits the tool's inputSchema")
    unknown = sorted(call.arguments.keys() - {"name", "arguments"})
    if unknown:
        return _refuse(unknown[0][:100], "is not known here; put it into `arguments`")
    pin = (call.headers or {}).get(_VERSION_HEADER, b"").decode("latin-1").strip()
    if pin and "@" in name:
        return _refuse("name", "pins a version, and so does a header; keep one of the two")
    call.tool_name = f"{name}@{pin}" if pin else name
    call.arguments = cast("JsonObject", arguments)
    call.raw_arguments = msgspec.json.encode(arguments)
    # What headers repeat (`x-mcp-header`) is about the outer call; there are none of the inner one.
    call.headers = None
    return None


def _refuse(field: str, problem: str) -> Refuse:
    return Refuse(
        ErrorCode.SCHEMA_VIOLATION,
        public=f"{CALL_TOOL}: {field} {problem}.",
        private=f"unusable call of {CALL_TOOL}",
        details={"field": field},
    )

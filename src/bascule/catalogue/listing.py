"""`tools/list`: a page of what the caller may see."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from bascule.gateway.call import Call, Endpoint, Result
from bascule.gateway.errors import InvalidValue
from bascule.gateway.principal import Principal
from bascule.gateway.tool import Tool
from bascule.protocol.cursors import decode_cursor, encode_cursor

# Not fresh for any time: a client is not told of changes yet, so it must ask again.
_TTL_MILLISECONDS: Final = 0


class Visibility(Protocol):
    """Which tools a caller sees; the rules for lists are the rules for calls."""

    def visible(self, principal: Principal, endpoint: Endpoint) -> Sequence[Tool]:
        """The tools in listing order."""
        ...


class ListTools:
    """Executes `tools/list` from the snapshot, `page_size` tools at a time."""

    def __init__(self, visibility: Visibility, page_size: int) -> None:
        self._visibility = visibility
        self._page_size = page_size

    async def execute(self, call: Call) -> Result:
        """Encode one page; definitions are the bytes compiled with the snapshot.

        Raises:
            InvalidValue: the cursor is not one of ours.
        """
        if call.principal is None:
            raise RuntimeError("listing needs a principal")
        tools = self._visibility.visible(call.principal, call.endpoint)
        start = _start(tools, call.cursor)
        page = tools[start : start + self._page_size]
        body: dict[str, object] = {
            "tools": msgspec.Raw(b"[" + b",".join(tool.definition for tool in page) + b"]"),
            "ttlMs": _TTL_MILLISECONDS,
            "cacheScope": "private",
        }
        if start + self._page_size < len(tools):
            body["nextCursor"] = encode_cursor(page[-1].name)
        return Result(body)


def _start(tools: Sequence[Tool], cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        last = decode_cursor(cursor)
    except ValueError as error:
        raise InvalidValue(f"params.cursor: {error}", details={"field": "cursor"}) from None
    for index, tool in enumerate(tools):
        if tool.name == last:
            return index + 1
    raise InvalidValue(
        "params.cursor: the list has changed since; start again without a cursor",
        details={"field": "cursor"},
    )

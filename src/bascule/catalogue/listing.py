"""Lists that are held whole: tools, prompts, resource templates; a page of what a caller sees.

Source: specification 2026-07-28, server/utilities/pagination and server/utilities/caching.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from bascule.catalogue.advertising import declared
from bascule.catalogue.slices import relayed
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method, Result
from bascule.gateway.circumstances import circumstances_of
from bascule.gateway.decision import Circumstances
from bascule.gateway.errors import ErrorCode, GatewayError, InvalidValue
from bascule.gateway.inventory import Listed
from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import Tool
from bascule.protocol.cursors import decode_cursor, encode_cursor

MISSING_META: Final = "io.bascule/missing"
"""In `_meta` of a list: the servers that did not answer, so that theirs may be missing or old."""


class Standing(NamedTuple):
    """How the servers behind a list stand: how long it holds, for whom, and who did not answer.

    Without a word the list is stale at once: a client is not told of changes, so must ask again.
    """

    ttl_ms: int = 0
    public: bool = False
    missing: tuple[str, ...] = ()


Standings = Callable[[Call], Standing]


def as_it_is(call: Call) -> Standing:
    """How a list stands that no server is behind."""
    del call
    return Standing()


class NotServed(GatewayError):
    """Nothing behind this endpoint knows the method."""

    error = ErrorCode.UNKNOWN_METHOD

    def __init__(self, method: Method) -> None:
        super().__init__(f"Method not found: {method}", private="no server of the slice offers it")


class Visibility(Protocol):
    """Which tools a caller sees; the rules for lists are the rules for calls."""

    async def visible(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> Sequence[Tool]:
        """The tools in listing order."""
        ...


class OfferVisibility(Protocol):
    """Which prompts and templates a caller sees."""

    async def prompts(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> Sequence[Listed]:
        """The prompts in listing order."""
        ...

    async def templates(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> Sequence[Listed]:
        """The resource templates in listing order."""
        ...


class ListTools:
    """Executes `tools/list` from the snapshot, `page_size` tools at a time."""

    def __init__(
        self, visibility: Visibility, page_size: int, standings: Standings = as_it_is
    ) -> None:
        self._visibility = visibility
        self._page_size = page_size
        self._standings = standings

    async def execute(self, call: Call) -> Result:
        """Encode one page; definitions are the bytes compiled with the snapshot.

        Raises:
            InvalidValue: the cursor is not one of ours.
        """
        principal = _caller(call)
        tools = await self._visibility.visible(principal, call.endpoint, circumstances_of(call))
        return _page(call, "tools", tools, self._page_size, self._standings(call))


class ListOffers:
    """Executes `prompts/list` and `resources/templates/list` from the snapshot."""

    def __init__(
        self, visibility: OfferVisibility, page_size: int, standings: Standings = as_it_is
    ) -> None:
        self._visibility = visibility
        self._page_size = page_size
        self._standings = standings

    async def execute(self, call: Call) -> Result:
        """Encode one page; definitions are the servers' own bytes.

        Raises:
            NotServed: no server of the slice has such a list.
            InvalidValue: the cursor is not one of ours.
        """
        standing = self._standings(call)
        if call.method is Method.PROMPTS_LIST:
            member, needed, see = "prompts", "prompts", self._visibility.prompts
        else:
            member, needed, see = "resourceTemplates", "resources", self._visibility.templates
        if not standing.missing and not serves(call, needed):
            raise NotServed(call.method)
        items = await see(_caller(call), call.endpoint, circumstances_of(call))
        return _page(call, member, items, self._page_size, standing)


def serves(call: Call, capability: str) -> bool:
    """Whether any server behind the endpoint of `call` advertises `capability`."""
    view = call.snapshot.tenant(_caller(call).tenant)
    found = (view.inventories.get(name) for name in relayed(view, call.endpoint, call.principal))
    return any(one is not None and capability in declared(one.capabilities) for one in found)


def may_serve(view: TenantView, servers: Sequence[str], capability: str) -> tuple[str, ...]:
    """Those of `servers` that advertise `capability`, and those that said nothing yet."""
    found = ((name, view.inventories.get(name)) for name in servers)
    return tuple(
        name for name, one in found if one is None or capability in declared(one.capabilities)
    )


def list_body(member: str, definitions: Sequence[bytes], standing: Standing) -> dict[str, object]:
    """The members of a result that lists `definitions`, all but the cursor."""
    body: dict[str, object] = {
        member: msgspec.Raw(b"[" + b",".join(definitions) + b"]"),
        "ttlMs": 0 if standing.missing else standing.ttl_ms,
        "cacheScope": "public" if standing.public and not standing.missing else "private",
    }
    if standing.missing:
        body["_meta"] = {MISSING_META: list(standing.missing)}
    return body


def _page(
    call: Call, member: str, items: Sequence[Tool | Listed], size: int, standing: Standing
) -> Result:
    start = _start(items, call.cursor)
    page = items[start : start + size]
    own = call.endpoint.kind is not EndpointKind.ALL
    definitions = [(own and one.own_definition) or one.definition for one in page]
    body = list_body(member, definitions, standing)
    if start + size < len(items):
        body["nextCursor"] = encode_cursor(page[-1].name)
    return Result(body)


def _start(items: Sequence[Tool | Listed], cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        last = decode_cursor(cursor)
    except ValueError:
        raise _stale() from None
    # Most lists are sorted, but where servers add theirs, and those come last.
    likely = bisect_left(items, last, key=_name_of)
    if likely < len(items) and items[likely].name == last:
        return likely + 1
    for index, item in enumerate(items):
        if item.name == last:
            return index + 1
    raise _stale()


def _stale() -> InvalidValue:
    """The one refusal of all cursors that do not hold: who tries some learns nothing from it."""
    return InvalidValue(
        "params.cursor: not a cursor of this list, or the list has changed since; start again "
        "without a cursor",
        details={"field": "cursor"},
    )


def _name_of(item: Tool | Listed) -> str:
    return item.name


def _caller(call: Call) -> Principal:
    if call.principal is None:
        raise RuntimeError("listing needs a principal")
    return call.principal

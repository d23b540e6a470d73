"""`resources/list`: passed on page by page, from one server after the other.

Source: specification 2026-07-28, server/resources and server/utilities/pagination.
"""

import time
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import msgspec
import structlog

from bascule.catalogue.listing import NotServed, Standing, list_body, may_serve, serves
from bascule.catalogue.owners import Owners
from bascule.catalogue.pages import ListedResource, Pages, ResourcePage
from bascule.catalogue.reading import scope_of
from bascule.catalogue.slices import relayed, sole
from bascule.gateway.call import Call, Method, Result
from bascule.gateway.circumstances import circumstances_of
from bascule.gateway.decision import Circumstances
from bascule.gateway.errors import GatewayError, InvalidValue, UpstreamFailed
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from bascule.gateway.sealing import Purpose, SealBroken, Sealer, owner_of

_log = structlog.get_logger(__name__)

_CURSOR_SECONDS: Final = 3600
_PATIENCE_SECONDS: Final = 2.0
_MOST_STEPS: Final = 10
"""Pages fetched for one answer, where those before hold nothing that the caller sees."""


class Sight(Protocol):
    """Which resources a caller may know of."""

    async def sees_each(
        self, principal: Principal, targets: Sequence[Target], circumstances: Circumstances
    ) -> Sequence[bool]:
        """Whether `principal` may know of each of `targets`, in order."""
        ...


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """Where the next page begins; what a cursor holds. An `inner` of None is a server's start."""

    endpoint: str
    upstream: str
    inner: str | None
    issued_at: int


class _Slice(NamedTuple):
    tenant: str
    servers: tuple[str, ...]
    alone: bool


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Place).decode


class ListResources:
    """Executes `resources/list`; a server that does not answer is named and passed over."""

    def __init__(
        self, pages: Pages, sight: Sight, owners: Owners, sealer: Sealer, *, one_caller: bool
    ) -> None:
        """`one_caller`: there is only one, so that what a server calls public is."""
        self._pages = pages
        self._sight = sight
        self._owners = owners
        self._sealer = sealer
        self._one_caller = one_caller

    async def execute(self, call: Call) -> Result:
        """Pass on the next page that holds anything for the caller.

        Raises:
            InvalidValue: the cursor is not one of ours, or too old.
            NotServed: no server of the slice has resources.
            GatewayError: the slice is one server's, and it did not answer.
        """
        if call.principal is None:
            raise RuntimeError("listing needs a principal")
        view = call.snapshot.tenant(call.principal.tenant)
        known = relayed(view, call.endpoint, call.principal)
        if not serves(call, "resources") and all(name in view.inventories for name in known):
            raise NotServed(Method.RESOURCES_LIST)
        servers = may_serve(view, known, "resources")
        alone = sole(view, call.endpoint, known) is not None
        around = _Slice(view.tenant, servers, alone)
        place = self._opened(call, call.principal) if call.cursor else _first(call, servers)
        missing: list[str] = []
        for _ in range(_MOST_STEPS):
            page = None if place is None else await self._page(call, around, place, missing)
            place = None if place is None else _next(place, page, servers)
            kept = [] if page is None else await self._kept(call, around, page)
            if kept or place is None:
                return self._answer(call.principal, kept, page, place, tuple(missing))
        return self._answer(call.principal, [], None, place, tuple(missing))

    async def _page(
        self, call: Call, around: _Slice, place: _Place, missing: list[str]
    ) -> "_FromServer | None":
        if place.upstream not in around.servers:
            raise _stale()
        patience = time.monotonic() + _PATIENCE_SECONDS
        deadline = call.deadline if around.alone else min(call.deadline or patience, patience)
        scope = scope_of(call.principal) if call.principal is not None else ""
        try:
            page = await self._pages.page(
                around.tenant, place.upstream, place.inner, scope=scope, deadline=deadline
            )
        except GatewayError as failure:
            if around.alone:
                raise
            _log.warning(
                "catalogue.list_incomplete",
                upstream=place.upstream,
                method=Method.RESOURCES_LIST,
                reason=failure.private,
            )
            missing.append(place.upstream)
            return None
        self._owners.note(around.tenant, place.upstream, (one.uri for one in page.resources))
        return _FromServer(place.upstream, page)

    async def _kept(self, call: Call, around: _Slice, page: "_FromServer") -> list[ListedResource]:
        """Those whose first server, of all where the caller sees them, is the one of `page`."""
        if call.principal is None:
            return []
        targets = [
            [
                Target(ItemKind.RESOURCE, upstream, one.uri, upstream, one.uri)
                for upstream in self._owners.known(around.tenant, around.servers, one.uri)
            ]
            for one in page.page.resources
        ]
        every = [target for each in targets for target in each]
        seen = iter(await self._sight.sees_each(call.principal, every, circumstances_of(call)))
        kept: list[ListedResource] = []
        for one, each in zip(page.page.resources, targets, strict=True):
            owners = [target.upstream for target in each if next(seen)]
            if owners and owners[0] == page.upstream:
                kept.append(one)
        return kept

    def _answer(
        self,
        principal: Principal,
        kept: list[ListedResource],
        page: "_FromServer | None",
        place: _Place | None,
        missing: tuple[str, ...],
    ) -> Result:
        ttl_ms, public = (0, False) if page is None else (page.page.ttl_ms, page.page.public)
        standing = Standing(ttl_ms, public and self._one_caller, missing)
        body = list_body("resources", [one.definition for one in kept], standing)
        if place is not None:
            body["nextCursor"] = self._sealed(principal, place)
        return Result(body)

    def _sealed(self, principal: Principal, place: _Place) -> str:
        try:
            owner = owner_of(principal.tenant, principal.owner)
            return self._sealer.seal(Purpose.CURSOR, owner, _encode(place))
        except ValueError:
            raise UpstreamFailed(
                "The service behind this list gave no usable answer: its cursor is too long.",
                private=f"{place.upstream}: a cursor too long to be sealed",
            ) from None

    def _opened(self, call: Call, principal: Principal) -> _Place:
        owner = owner_of(principal.tenant, principal.owner)
        try:
            place = _decode(self._sealer.open(Purpose.CURSOR, owner, call.cursor or ""))
        except (SealBroken, msgspec.DecodeError):
            raise _stale() from None
        if place.endpoint != _slice_name(call) or time.time() - place.issued_at > _CURSOR_SECONDS:
            raise _stale()
        return place


class _FromServer(NamedTuple):
    upstream: str
    page: ResourcePage


def _first(call: Call, servers: tuple[str, ...]) -> _Place | None:
    return _Place(_slice_name(call), servers[0], None, int(time.time())) if servers else None


def _next(place: _Place, page: _FromServer | None, servers: tuple[str, ...]) -> _Place | None:
    inner = None if page is None else page.page.next_cursor
    now = int(time.time())
    if inner is not None:
        return _Place(place.endpoint, place.upstream, inner, now)
    rest = servers[servers.index(place.upstream) + 1 :]
    return _Place(place.endpoint, rest[0], None, now) if rest else None


def _slice_name(call: Call) -> str:
    return f"{call.endpoint.kind}:{call.endpoint.name}"


def _stale() -> InvalidValue:
    return InvalidValue(
        "params.cursor: not a cursor of this list, or too old; start again without one",
        details={"field": "cursor"},
    )

"""Which server a URI belongs to, as far as their lists of resources tell."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import structlog

from bascule.catalogue.pages import Pages
from bascule.gateway.errors import GatewayError

_log = structlog.get_logger(__name__)

_MOST_PAGES: Final = 10
_FRESH_SECONDS: Final = 5.0
_SETTLED_SECONDS: Final = 60.0
_PATIENCE_SECONDS: Final = 2.0
_SCOPE: Final = "gateway"


class Owners:
    """Remembers what went by in lists, and looks through the lists where that does not help.

    Bounded for each server by itself, lest one with a long list has all others forgotten; what
    was not asked for longest is forgotten first.
    """

    def __init__(self, pages: Pages, most: int = 10_000) -> None:
        self._pages = pages
        self._most = most
        self._known: dict[tuple[str, str], OrderedDict[str, None]] = {}
        self._looks: dict[tuple[str, tuple[str, ...]], asyncio.Event] = {}
        self._looked_at: dict[tuple[str, tuple[str, ...]], float] = {}

    def note(self, tenant: str, upstream: str, uris: Iterable[str]) -> None:
        """Remember that `upstream` lists `uris`."""
        known = self._known.setdefault((tenant, upstream), OrderedDict())
        for uri in uris:
            known[uri] = None
            known.move_to_end(uri)
        while len(known) > self._most:
            known.popitem(last=False)

    def known(self, tenant: str, upstreams: Iterable[str], uri: str) -> tuple[str, ...]:
        """Those of `upstreams` that are known to list `uri`, in their order."""
        found: list[str] = []
        for name in upstreams:
            known = self._known.get((tenant, name))
            if known is not None and uri in known:
                known.move_to_end(uri)
                found.append(name)
        return tuple(found)

    async def find(self, tenant: str, upstreams: tuple[str, ...], uri: str) -> tuple[str, ...]:
        """As `known`, after a look through the lists where a server may have been overlooked.

        All who wait share one look, and for some seconds no other is taken. A server that does
        not answer soon is left out.
        """
        found = self.known(tenant, upstreams, uri)
        if found and found[0] == upstreams[0]:
            return found
        # Who lists it first may not have been asked yet, and owns it even so.
        await self._look(tenant, upstreams, _SETTLED_SECONDS if found else _FRESH_SECONDS)
        return self.known(tenant, upstreams, uri)

    async def _look(self, tenant: str, upstreams: tuple[str, ...], fresh_seconds: float) -> None:
        key = tenant, upstreams
        under_way = self._looks.get(key)
        if under_way is not None:
            await under_way.wait()
            return
        if time.monotonic() - self._looked_at.get(key, -fresh_seconds) < fresh_seconds:
            return
        self._looks[key] = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                for upstream in upstreams:
                    group.create_task(self._walk(tenant, upstream))
            self._looked_at[key] = time.monotonic()
        finally:
            self._looks.pop(key).set()

    async def _walk(self, tenant: str, upstream: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        cursor: str | None = None
        try:
            for _ in range(_MOST_PAGES):
                page = await self._pages.page(
                    tenant, upstream, cursor, scope=_SCOPE, deadline=deadline
                )
                self.note(tenant, upstream, (one.uri for one in page.resources))
                cursor = page.next_cursor
                if cursor is None:
                    return
        except GatewayError as failure:
            _log.warning("catalogue.owner_unknown", upstream=upstream, reason=failure.private)

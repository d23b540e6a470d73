"""From a refusal to the authorization server that can help (RFC 9728, RFC 8414).

Source: MCP specification 2026-07-28, basic/authorization/authorization-server-discovery.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import structlog

from bascule.upstreams.oauth.challenges import Demand
from bascule.upstreams.oauth.exchange import Exchange
from bascule.upstreams.oauth.failures import AuthorizationFailed, AuthorizationUnavailable
from bascule.upstreams.oauth.metadata import (
    ResourceMetadata,
    ServerMetadata,
    read_resource,
    read_server,
    resource_places,
    server_places,
)

_log = structlog.get_logger(__name__)

_FRESH_SECONDS: Final = 600.0
_MOST_KEPT: Final = 16


class Discovery:
    """Finds what one upstream and its authorization servers say of themselves."""

    def __init__(self, exchange: Exchange, clock: Callable[[], float] = time.monotonic) -> None:
        self._exchange = exchange
        self._clock = clock
        self._servers: OrderedDict[str, tuple[float, ServerMetadata]] = OrderedDict()

    async def resource(self, demand: Demand) -> ResourceMetadata:
        """What the upstream says of access to it, asked anew: it may have moved elsewhere.

        Raises:
            AuthorizationFailed: it says nothing usable, or speaks of another service.
            AuthorizationUnavailable: it does not answer.
        """
        name, ground = self._exchange.name, self._exchange.ground
        named = demand.metadata_url
        places = resource_places(ground.canonical) if named is None else (named,)
        body = await self._first(places, lambda body: read_resource(body) and body)
        found = read_resource(body)
        if not ground.covers(found.resource):
            raise AuthorizationFailed(
                name, f"its metadata is for {found.resource[:200]!r}, not for {ground.canonical}"
            )
        return found

    async def server(self, issuer: str) -> ServerMetadata:
        """What an authorization server says of itself; kept for ten minutes.

        Raises:
            AuthorizationFailed: it publishes nothing usable, or another's metadata.
            AuthorizationUnavailable: it does not answer.
        """
        kept = self._servers.get(issuer)
        if kept is not None and self._clock() - kept[0] < _FRESH_SECONDS:
            return kept[1]
        try:
            self._exchange.ground.check_issuer(issuer)
        except ValueError as reason:
            raise self._failed(f"its authorization server has {reason}") from None
        body = await self._first(server_places(issuer), lambda body: read_server(body, issuer))
        found = read_server(body, issuer)
        self._servers[issuer] = self._clock(), found
        self._servers.move_to_end(issuer)
        if len(self._servers) > _MOST_KEPT:
            self._servers.popitem(last=False)
        return found

    async def _first(self, places: tuple[str, ...], read: Callable[[bytes], object]) -> bytes:
        """The first document at `places` that `read` takes."""
        reasons: list[str] = []
        is_down = False
        for place in places:
            try:
                response = await self._exchange.get(place)
                if response.status == 200:
                    read(response.body)
                    return response.body
                is_down = is_down or response.status >= 500 or response.status == 429
                reason = f"status {response.status}"
            except AuthorizationUnavailable as failure:
                is_down, reason = True, failure.private
            except ValueError as refusal:
                reason = str(refusal)
            reasons.append(f"{place[:200]}: {reason}")
        _log.info("oauth.nothing_found", upstream=self._exchange.name, reasons=reasons)
        told = "; ".join(reasons)
        if is_down:
            raise AuthorizationUnavailable(self._exchange.name, told)
        raise self._failed(f"no usable metadata: {told}")

    def _failed(self, reason: str) -> AuthorizationFailed:
        return AuthorizationFailed(self._exchange.name, reason)

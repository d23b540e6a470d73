"""Trying the way to a service, one step after the other, and saying how far it went."""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from bascule.api.probing import Step
from bascule.app.connectors import Connectors, Reach
from bascule.app.upstreams import UpstreamSet
from bascule.gateway.connector import Connector
from bascule.gateway.errors import GatewayError
from bascule.gateway.tool import Upstream
from bascule.upstreams.http1 import HttpRequest, Origin


@dataclass(frozen=True, slots=True)
class UpstreamProber:
    """A `Prober` that goes the same ways as calls do."""

    upstreams: UpstreamSet

    async def probe(self, tenant: str, upstream: Upstream) -> Sequence[Step]:
        """As `bascule.api.probing.Prober`."""
        steps: list[Step] = []
        upstream = self.upstreams.timed(upstream)
        try:
            async for step in self._steps(tenant, upstream):
                steps.append(step)  # noqa: PERF401 - those before a failure count
        except GatewayError as failure:
            steps.append(Step(_NEXT[len(steps)], ok=False, detail=failure.private))
        except (ValueError, OSError) as failure:
            steps.append(Step(_NEXT[len(steps)], ok=False, detail=str(failure)))
        return steps

    async def _steps(self, tenant: str, upstream: Upstream) -> AsyncGenerator[Step]:
        connectors = self.upstreams.connectors
        count = await _resolve(connectors, tenant, upstream)
        yield Step("secrets", ok=True, detail=f"{count} read" if count else "none needed")
        origin, _ = Origin.locate(upstream.url)
        rules = connectors.rules.widened(upstream.connector.networks)
        addresses = await rules.addresses(origin.host, origin.port)
        yield Step("address", ok=True, detail=f"{origin.host}: {', '.join(addresses)}")
        reach = connectors.reach(tenant, upstream)
        began, cap = time.monotonic(), upstream.connect_timeout_seconds
        await reach.bare.connect(origin, began + cap, cap)
        yield Step("connection", ok=True, detail=f"{origin}{_since(began)}")
        yield await _token(connectors, tenant, upstream)
        yield await _request(reach, origin, upstream)


_NEXT = ("secrets", "address", "connection", "token", "request")


async def _resolve(connectors: Connectors, tenant: str, upstream: Upstream) -> int:
    """Resolve every text that may hold a reference; gives how many did."""
    count = 0
    for text in [*(value for _, value in upstream.headers), *_texts(upstream.connector)]:
        count += await connectors.resolver.resolve(tenant, text) != text
    return count


def _texts(connector: Connector) -> list[str]:
    texts: list[str] = []
    for way in (connector.credentials, connector.exchange, connector.user_grants):
        if way is not None:
            texts += [way.client_id, way.client_secret]
    if connector.tls is not None:
        texts += [connector.tls.certificate, connector.tls.key, connector.tls.authorities]
    return texts


async def _token(connectors: Connectors, tenant: str, upstream: Upstream) -> Step:
    tokens = connectors.tokens(tenant, upstream)
    if upstream.connector.exchange is not None or upstream.connector.user_grants is not None:
        return Step("token", ok=True, detail="not tried: each caller's own is sent")
    if tokens is None:
        return Step("token", ok=True, detail="none needed")
    began = time.monotonic()
    token = await tokens.current()
    seconds = round(token.until - began)
    return Step("token", ok=True, detail=f"valid for {seconds} seconds{_since(began)}")


async def _request(reach: Reach, origin: Origin, upstream: Upstream) -> Step:
    path = upstream.connector.health_path
    if not path:
        return Step("request", ok=True, detail="not tried: the connector has no health_path")
    if reach.callers is not None:
        return Step("request", ok=True, detail="not tried: it is called in its callers' names")
    began = time.monotonic()
    request = HttpRequest(origin, "GET", path, reach.upstream.headers)
    response = await reach.client.request(request, began + upstream.timeout_seconds)
    detail = f"GET {path} answered with status {response.status}{_since(began)}"
    return Step("request", ok=response.status < 400, detail=detail)


def _since(began: float, clock: Callable[[], float] = time.monotonic) -> str:
    return f", in {(clock() - began) * 1000:.0f} ms"

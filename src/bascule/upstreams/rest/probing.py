"""Whether a REST upstream is there: its health path answers, or a connection can be made."""

from typing import Protocol

from bascule.gateway.errors import UpstreamFailed
from bascule.gateway.tool import Upstream
from bascule.upstreams.http1 import HttpRequest, HttpResponse, Origin


class Prober(Protocol):
    """What reaches upstreams; `bascule.upstreams.http1.HttpClient` is one."""

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Send `request` and read the answer before `deadline` (`time.monotonic`)."""
        ...

    async def connect(
        self, origin: Origin, deadline: float, connect_timeout_seconds: float | None = None
    ) -> None:
        """See that a connection can be made."""
        ...


async def probe(upstream: Upstream, client: Prober, deadline: float) -> None:
    """Ask `connector.health_path` of the origin, without credentials; without one, connect only.

    Whatever it answers short of a server error shows that it is there.

    Raises:
        GatewayError: it is not, or says that it fails.
        ValueError: its record has no usable URL.
    """
    origin, _ = Origin.locate(upstream.url)
    path = upstream.connector.health_path
    if not path:
        await client.connect(origin, deadline)
        return
    response = await client.request(
        HttpRequest(origin, "GET", f"/{path.lstrip('/')}", [("accept", "*/*")]), deadline
    )
    if response.status >= 500:
        raise UpstreamFailed(
            "The service behind this tool says that it fails.",
            private=f"{path} answered HTTP {response.status}",
        )

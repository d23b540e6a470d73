import time
from dataclasses import replace

import pytest

from bascule.gateway.connector import Connector
from bascule.gateway.errors import UpstreamFailed, UpstreamUnreachable
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.upstreams.http1 import HttpRequest, HttpResponse, Origin
from bascule.upstreams.rest.probing import probe

SHOP = Upstream(
    name="shop", kind=UpstreamKind.REST, url="http://127.0.0.1:9/v1", headers=(("x-key", "secret"),)
)
WITH_PATH = replace(SHOP, connector=Connector(health_path="/healthz"))


class FakeClient:
    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.requests: list[HttpRequest] = []
        self.connected: list[Origin] = []

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        self.requests.append(request)
        return HttpResponse(self.status, [], b"")

    async def connect(
        self, origin: Origin, deadline: float, connect_timeout_seconds: float | None = None
    ) -> None:
        self.connected.append(origin)
        if origin.port != 9:
            raise UpstreamUnreachable("x")


async def test_without_a_path_a_connection_is_enough() -> None:
    client = FakeClient()
    await probe(SHOP, client, time.monotonic() + 1)
    assert (str(client.connected[0]), client.requests) == ("http://127.0.0.1:9", [])
    with pytest.raises(UpstreamUnreachable):
        await probe(replace(SHOP, url="http://127.0.0.1:1"), client, 0)


@pytest.mark.parametrize("status", [200, 204, 301, 401, 404, 429])
async def test_the_health_path_of_the_origin_is_asked_without_credentials(status: int) -> None:
    client = FakeClient(status)
    await probe(WITH_PATH, client, time.monotonic() + 1)
    (asked,) = client.requests
    assert (asked.method, str(asked.origin), asked.target) == (
        "GET",
        "http://127.0.0.1:9",
        "/healthz",
    )
    assert "secret" not in str(asked)
    assert client.connected == []


async def test_a_server_error_says_that_it_is_not_well() -> None:
    with pytest.raises(UpstreamFailed) as failure:
        await probe(WITH_PATH, FakeClient(503), time.monotonic() + 1)
    assert failure.value.private == "/healthz answered HTTP 503"

"""A bug is answered in shape, logged once, and tells the caller nothing."""

import pytest
from structlog.testing import capture_logs

from bascule.api.edge import Edge
from bascule.gateway.snapshot import Snapshot
from fakes.asgi import FakeExchange
from unit.api.site import Site, altered, error_of


def broken() -> Snapshot:
    raise RuntimeError("the secret plan")


async def test_a_bug_becomes_one_answer_in_shape_and_one_log_entry(site: Site) -> None:
    async with altered(site, snapshot=broken) as other:
        with capture_logs() as entries:
            response = await other.get("/api/admin/bundles")
    error = error_of(response)
    assert (response.status_code, error["code"]) == (500, "E5001")
    assert "secret plan" not in response.text
    assert [entry["event"] for entry in entries] == ["api.crashed"]
    assert isinstance(entries[0]["exc_info"], RuntimeError)


async def test_a_bug_inside_an_endpoint_is_answered_too(site: Site) -> None:
    async with altered(site, journal_directory=None) as other:
        with capture_logs() as entries:
            response = await other.get("/api/admin/audit-logs")
    assert (response.status_code, error_of(response)["code"]) == (500, "E5001")
    assert [entry["event"] for entry in entries] == ["api.crashed"]


async def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half-way")

    exchange = FakeExchange()
    with capture_logs() as entries, pytest.raises(RuntimeError, match="half-way"):
        await Edge(app)(exchange.scope, exchange.receive, exchange.send)
    assert [message["type"] for message in exchange.sent] == ["http.response.start"]
    assert len(entries) == 1

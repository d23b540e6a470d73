"""One id goes through request, answer, record and log."""

import pytest
import structlog
from starlette.requests import Request
from structlog.testing import capture_logs

from bascule.api.correlation import Correlation, correlation_id_of
from fakes.asgi import FakeExchange
from unit.api.site import Site, error_of

HEADER = "x-correlation-id"


async def test_the_callers_id_comes_back(site: Site, subtests: pytest.Subtests) -> None:
    for given in ["a", "req-1_B", "0" * 128]:
        with subtests.test(repr(given)):
            response = await site.get("/api/admin/tools", headers={HEADER: given})
            assert response.headers[HEADER] == given


async def test_an_id_that_is_not_safe_to_repeat_is_replaced(
    site: Site, subtests: pytest.Subtests
) -> None:
    for given in ["", "0" * 129, "a b", "a;b", "../x", "<script>", b"\xe9"]:
        with subtests.test(repr(given)):
            first = await site.get("/api/admin/tools", headers={HEADER: given})
            second = await site.get("/api/admin/tools", headers={HEADER: given})
            ids = {first.headers[HEADER], second.headers[HEADER]}
            assert len(ids) == 2
            assert given not in ids
            assert all(one for one in ids)


async def test_an_error_quotes_the_id(site: Site, subtests: pytest.Subtests) -> None:
    for path in ["/api/admin/tools/none", "/api/nothing", "/nothing"]:
        with subtests.test(repr(path)):
            response = await site.get(path, headers={HEADER: "quote-me"})
            assert response.status_code == 404
            assert error_of(response)["correlation_id"] == "quote-me"


async def test_a_refusal_without_a_key_quotes_the_id_too(site: Site) -> None:
    response = await site.get("/api/admin/tools", None, headers={HEADER: "quote-me"})
    assert error_of(response)["correlation_id"] == "quote-me"


async def test_the_record_of_a_change_has_the_id(site: Site) -> None:
    headers = {HEADER: "change-1"}
    assert (await site.post("/api/admin/bundles", json={"name": "b"}, headers=headers)).is_success
    assert site.recorder.last.correlation_id == "change-1"


async def test_log_lines_of_a_request_have_the_id_and_later_ones_do_not() -> None:
    async def app(scope, receive, send):
        structlog.get_logger().info("inside")

    exchange = FakeExchange(headers=[(HEADER, "in-log")])
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as entries:
        await Correlation(app)(exchange.scope, exchange.receive, exchange.send)
        structlog.get_logger().info("after")
    assert [entry.get("correlation_id") for entry in entries] == ["in-log", None]


def test_a_request_that_did_not_pass_the_middleware_has_none() -> None:
    assert correlation_id_of(Request(FakeExchange().scope)) == ""

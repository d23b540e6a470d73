from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.connector import Retry
from bascule.gateway.errors import (
    InvalidValue,
    UpstreamCut,
    UpstreamFailed,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.gateway.tool import (
    GrpcSource,
    McpSource,
    ParameterLocation,
    RestParameter,
    RestSource,
    RiskLevel,
)
from bascule.traffic.retries import is_failure, is_repeatable, may_repeat, pause_seconds
from fakes.traffic import answered, call_of, make_rest

KEYED = RestSource(
    "shop",
    "POST",
    "/orders",
    (RestParameter("key", "Idempotency-Key", ParameterLocation.HEADER, "simple", explode=False),),
)
LIMITED = UpstreamRateLimited("later", details={"retry_after_seconds": 4})


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_server_errors_are_failures_of_the_upstream(status: int) -> None:
    assert is_failure(answered(status))


@pytest.mark.parametrize("status", [0, 400, 404, 409, 422, 429, 501, 505])
def test_what_the_upstream_says_of_the_call_is_none(status: int) -> None:
    assert not is_failure(answered(status))


def test_no_connection_no_answer_and_half_an_answer_are_failures() -> None:
    for failure in (UpstreamUnreachable("x"), UpstreamTimeout("x"), UpstreamCut("x")):
        assert is_failure(failure)
    for other in (UpstreamFailed("too large"), LIMITED, InvalidValue("x")):
        assert not is_failure(other)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reads_may_be_repeated(method: str) -> None:
    tool = make_rest(method=method, risk=RiskLevel.READ)
    assert is_repeatable(tool, call_of(tool))


@pytest.mark.parametrize(
    "tool",
    [
        make_rest(method="POST"),
        make_rest(method="PUT"),
        make_rest(method="DELETE"),
        make_rest(method="POST", risk=RiskLevel.READ),
        make_rest(method="GET", risk=RiskLevel.WRITE),
        make_rest(source=McpSource("shop", "find")),
        make_rest(source=GrpcSource("shop", "Shop", "Find")),
    ],
)
def test_what_may_act_may_not(tool) -> None:
    assert not is_repeatable(tool, call_of(tool))


@pytest.mark.parametrize(
    "source",
    [
        RestSource("shop", "POST", "/orders"),
        RestSource("shop", "PATCH", "/orders"),
        GrpcSource("shop", "Shop", "Order"),
    ],
)
def test_unless_it_is_marked(source) -> None:
    tool = make_rest(risk=RiskLevel.WRITE, source=source, idempotent=True)
    assert is_repeatable(tool, call_of(tool))


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_method_alone_is_no_promise_and_needs_a_key(method: str) -> None:
    tool = make_rest(method=method, idempotent=True)
    call = call_of(tool)
    assert not is_repeatable(tool, call)
    call.idempotency_key = "k1"
    assert is_repeatable(tool, call)
    assert not is_repeatable(replace(tool, idempotent=False), call)


def test_a_write_may_be_repeated_under_a_key_that_the_upstream_takes_and_gets() -> None:
    tool = make_rest(method="POST", source=KEYED)
    assert is_repeatable(tool, call_of(tool, key="k1"))
    assert not is_repeatable(tool, call_of(tool))
    assert not is_repeatable(tool, call_of(tool, key=""))


def test_a_write_is_repeated_only_where_nothing_was_sent() -> None:
    call = call_of(make_rest(method="POST"))
    assert may_repeat(call, UpstreamUnreachable("x"))
    for outcome in (UpstreamTimeout("x"), UpstreamCut("x"), LIMITED, answered(503)):
        assert not may_repeat(call, outcome)


def test_a_read_is_repeated_where_it_may_do_better() -> None:
    call = call_of(make_rest())
    for outcome in (UpstreamTimeout("x"), UpstreamCut("x"), LIMITED, answered(500)):
        assert may_repeat(call, outcome)
    for outcome in (answered(404), UpstreamRateLimited("no word when"), UpstreamFailed("x")):
        assert not may_repeat(call, outcome)
    assert not may_repeat(call_of(None), answered(500))


def test_the_waits_double_up_to_the_cap() -> None:
    rule = Retry(attempts=9)
    waits = [pause_seconds(rule, tries, answered(500), lambda: 1.0) for tries in range(1, 10)]
    assert waits == [1, 2, 4, 8, 10, 10, 10, 10, None]
    assert pause_seconds(rule, 2, answered(500), lambda: 0.0) == 1


def test_the_upstream_is_not_asked_before_it_wants_to_be() -> None:
    assert pause_seconds(Retry(), 1, LIMITED, lambda: 0.0) == 4
    patient = UpstreamRateLimited("x", details={"retry_after_seconds": 11})
    assert pause_seconds(Retry(), 1, patient, lambda: 0.0) is None


@given(st.integers(1, 200), st.floats(0, 1), st.floats(0, 60), st.floats(0, 60))
def test_no_wait_is_longer_than_the_cap(
    tries: int, chance: float, first: float, cap: float
) -> None:
    pause = pause_seconds(Retry(1000, first, cap), tries, answered(500), lambda: chance)
    assert pause is not None
    assert 0 <= pause <= cap

import asyncio
import time
import timeit
from datetime import UTC, datetime

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from bascule.gateway.call import Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.record import AuditRecord, EventType, Observer, Status
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import McpSource, Tool
from bascule.telemetry.cells import DURATION_BUCKETS_SECONDS
from bascule.telemetry.metrics import Metrics


class Journal:
    """A recorder whose health the test decides."""

    def __init__(self) -> None:
        self.healthy = True

    def append(self, record: AuditRecord) -> asyncio.Future[None]:
        raise NotImplementedError


def snapshot(*tools: str, version: int = 1, disabled: str = "") -> Snapshot:
    made = {
        name: Tool(name, "", "b", McpSource("u", name), input_schema={"type": "object"})
        for name in tools
    }
    return Snapshot(version, {"acme": TenantView("acme", made, frozenset({disabled} - {""}))})


def metrics(*tools: str, most_tool_labels: int = 2000) -> Metrics:
    made = Metrics(version="1.2.3", recorder=Journal(), most_tool_labels=most_tool_labels)
    made.follow(snapshot(*tools))
    return made


def record(tool: str = "", **changes: object) -> AuditRecord:
    base = {
        "event_id": "e", "timestamp": datetime(2026, 1, 1, tzinfo=UTC), "correlation_id": "c",
        "event_type": EventType.TOOL_CALL, "action": "tools/call", "status": Status.SUCCESS,
        "tenant": "acme", "tool_name": tool,
    }  # fmt: skip
    return AuditRecord(**(base | changes))  # pyright: ignore[reportArgumentType]


def value(of: Metrics, name: str, **labels: str) -> float | None:
    return of.registry.get_sample_value(name, labels)


def tools_named(of: Metrics) -> set[str]:
    return {
        sample.labels["tool"]
        for family in of.registry.collect()
        if family.name == "bascule_tool_calls"
        for sample in family.samples
    }


def test_metrics_are_an_observer_of_the_gateway():
    observer: Observer = metrics()
    observer.observe(record())


def test_a_call_is_counted_by_method_and_status_with_time_and_bytes():
    counted = metrics("book")
    counted.observe(record("book", latency_ms=4.0, request_size=100, response_size=300))
    counted.observe(record("book", latency_ms=40.0, status=Status.FAILURE, error_code="E3003"))
    call = {"method": "tools/call"}
    assert value(counted, "bascule_calls_total", **call, status="success") == 1
    assert value(counted, "bascule_calls_total", **call, status="failure") == 1
    assert (
        value(counted, "bascule_tool_calls_total", tenant="acme", tool="book", status="success")
        == 1
    )
    assert (
        value(counted, "bascule_tool_calls_total", tenant="acme", tool="book", status="failure")
        == 1
    )
    assert value(counted, "bascule_call_duration_seconds_bucket", **call, le="0.0025") == 0
    assert value(counted, "bascule_call_duration_seconds_bucket", **call, le="0.005") == 1
    assert value(counted, "bascule_call_duration_seconds_bucket", **call, le="0.05") == 2
    assert value(counted, "bascule_call_duration_seconds_sum", **call) == pytest.approx(0.044)
    assert value(counted, "bascule_request_bytes_total") == 100
    assert value(counted, "bascule_response_bytes_total") == 300
    assert value(counted, "bascule_errors_total", code="E3003") == 1


def test_buckets_are_the_published_ones():
    assert DURATION_BUCKETS_SECONDS == (
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "reason"), [("E1001", "missing"), ("E1002", "invalid"), ("E1003", "expired")]
)
def test_missing_and_bad_credentials_are_authentication_failures(code: str, reason: str):
    counted = metrics()
    counted.observe(record(status=Status.DENIED, event_type=EventType.AUTH_EVENT, error_code=code))
    assert value(counted, "bascule_auth_failures_total", reason=reason) == 1


@pytest.mark.parametrize("code", ["E1004", "E3001", "E5004"])
def test_other_refusals_are_not(code: str):
    counted = metrics()
    counted.observe(record(status=Status.DENIED, event_type=EventType.AUTH_EVENT, error_code=code))
    for reason in ("missing", "invalid", "expired"):
        assert value(counted, "bascule_auth_failures_total", reason=reason) == 0
    assert value(counted, "bascule_errors_total", code=code) == 1


def test_series_exist_before_their_first_event():
    fresh = metrics()
    for error in ErrorCode:
        assert value(fresh, "bascule_errors_total", code=error.code) == 0
    for method in Method:
        for status in Status:
            assert value(fresh, "bascule_calls_total", method=method, status=status) == 0
    assert value(fresh, "bascule_auth_failures_total", reason="missing") == 0


def test_no_label_comes_from_a_caller():
    counted = metrics("book")
    before = len(list(counted.registry.collect()))
    for number in range(50):
        counted.observe(record(f"made-up-{number}", status=Status.DENIED))
        counted.observe(record(action=f"made/up/{number}", error_code=f"E{number}"))
    assert tools_named(counted) == {"unknown"}
    assert (
        value(counted, "bascule_tool_calls_total", tenant="acme", tool="unknown", status="denied")
        == 50
    )
    assert value(counted, "bascule_calls_total", method="other", status="success") == 50
    assert value(counted, "bascule_errors_total", code="other") == 50
    assert len(list(counted.registry.collect())) == before
    rendered = counted.render()[1]
    assert b"made-up" not in rendered
    assert b"made/up" not in rendered


def test_tools_beyond_the_bound_are_counted_together():
    counted = metrics("a", "b", "c", "d", most_tool_labels=2)
    for name in ("a", "b", "c", "d", "a", "d"):
        counted.observe(record(name))
    assert tools_named(counted) == {"a", "b", "other"}
    assert (
        value(counted, "bascule_tool_calls_total", tenant="acme", tool="a", status="success") == 2
    )
    assert (
        value(counted, "bascule_tool_calls_total", tenant="acme", tool="other", status="success")
        == 3
    )


def test_a_tool_that_left_the_snapshot_loses_its_series_and_makes_room():
    counted = metrics("a", "b", most_tool_labels=1)
    counted.observe(record("a"))
    counted.observe(record("a", status=Status.FAILURE))
    counted.follow(snapshot("b", version=2))
    assert tools_named(counted) == set()
    counted.observe(record("a"))
    counted.observe(record("b"))
    assert tools_named(counted) == {"unknown", "b"}


def test_tenants_are_told_apart_whatever_their_tools_are_called():
    counted = metrics("book")
    both = Snapshot(2, {**snapshot("book").tenants, "other": TenantView("other")})
    counted.follow(both)
    counted.observe(record("book"))
    counted.observe(record("book", tenant="other"))
    counted.observe(record("book", tenant="made-up"))
    name, call = "bascule_tool_calls_total", {"status": "success"}
    assert value(counted, name, tenant="acme", tool="book", **call) == 1
    assert value(counted, name, tenant="other", tool="unknown", **call) == 1
    assert value(counted, name, tenant="unknown", tool="unknown", **call) == 1
    counted.follow(snapshot("book", version=3))
    assert value(counted, name, tenant="acme", tool="book", **call) == 1
    assert value(counted, name, tenant="other", tool="unknown", **call) is None


def test_a_disabled_tool_is_still_named():
    counted = metrics()
    counted.follow(snapshot(disabled="old"))
    counted.observe(record("old", status=Status.DENIED))
    assert tools_named(counted) == {"old"}


def test_the_snapshot_version_is_shown():
    counted = metrics()
    counted.follow(snapshot(version=42))
    assert value(counted, "bascule_snapshot_version") == 42


def test_audit_health_is_read_when_asked():
    journal = Journal()
    counted = Metrics(version="1", recorder=journal)
    assert value(counted, "bascule_audit_healthy") == 1
    journal.healthy = False
    assert value(counted, "bascule_audit_healthy") == 0


def test_two_registries_do_not_meet():
    one, other = metrics("book"), metrics("book")
    one.observe(record("book"))
    assert value(other, "bascule_calls_total", method="tools/call", status="success") == 0


def test_text_is_the_default_and_parses():
    counted = metrics("book")
    counted.observe(record("book"))
    content_type, body = counted.render()
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in parse_text(body.decode())}
    assert families["bascule_build_info"].samples[0].labels["version"] == "1.2.3"
    assert families["process_resident_memory_bytes"].samples[0].value > 0
    assert not [name for name in families if name.endswith("_created")]


def test_openmetrics_parses_too():
    content_type, body = metrics().render("application/openmetrics-text")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert {"bascule_calls", "bascule_build"} <= {
        one.name for one in parse_openmetrics(body.decode())
    }


PROMETHEUS_ASKS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        (PROMETHEUS_ASKS, True),
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("text/plain;q=0.9, application/openmetrics-text;q=0.8", False),
        ("text/plain;q=0.5, APPLICATION/OPENMETRICS-TEXT;version=abc", True),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=x", False),
        ("application/openmetrics-text;q=nan", False),
        (",;,=;q=" * 1000, False),
    ],
)
def test_the_format_follows_what_is_accepted(accept: str, openmetrics: bool):
    content_type, _ = metrics().render(accept)
    assert content_type.startswith("application/openmetrics-text") is openmetrics


def test_observing_a_call_is_cheap():
    counted = metrics("book")
    one = record("book", latency_ms=4.0, request_size=100, response_size=300)
    rounds = timeit.repeat(
        lambda: counted.observe(one), timer=time.process_time, number=2000, repeat=7
    )
    best = min(rounds) / 2000
    assert best < 40e-6  # measured: under 4 microseconds; ten times that means a lost cache

"""Prometheus metrics of the gateway, in a registry of their own."""

import platform
from collections.abc import Callable, Iterable
from typing import Final, cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from bascule.gateway.call import Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.record import AuditRecord, Recorder, Status
from bascule.gateway.snapshot import Snapshot

DURATION_BUCKETS_SECONDS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
MOST_TOOL_LABELS: Final = 2000
OTHER: Final = "other"
UNKNOWN: Final = "unknown"
_OPENMETRICS: Final = "application/openmetrics-text"
_MOST_OFFERS: Final = 32
_AUTH_FAILURES: Final = frozenset(
    one.code for one in (ErrorCode.AUTH_REQUIRED, ErrorCode.INVALID_TOKEN, ErrorCode.TOKEN_EXPIRED)
)


class ByteTotals(Collector):
    """Bytes in and out, counted on the event loop alone and so without a lock."""

    def __init__(self) -> None:
        self.requests = 0
        self.responses = 0

    def collect(self) -> Iterable[Metric]:
        """The totals as they are now."""
        yield CounterMetricFamily(
            "bascule_request_bytes", "Bytes of request bodies.", self.requests
        )
        yield CounterMetricFamily("bascule_response_bytes", "Bytes of answers.", self.responses)


class Metrics:
    """Counts finished calls; an `Observer` of the gateway.

    No label ever comes from a caller: methods, statuses and error codes are the gateway's own,
    and a tool is named only while the snapshot has it (`unknown` otherwise), for at most
    `most_tool_labels` of them (`other` beyond).
    """

    def __init__(
        self, *, version: str, recorder: Recorder, most_tool_labels: int = MOST_TOOL_LABELS
    ) -> None:
        # Creation times would double the number of series, and nothing here reads them.
        disable_created_metrics()
        self.registry = CollectorRegistry()
        """Other rooms register their collectors here."""
        self._most_tool_labels = most_tool_labels
        self._tools: frozenset[str] = frozenset()
        self._labelled: set[str] = set()
        self._create_counters()
        self._create_gauges(version, recorder)
        ProcessCollector(registry=self.registry)

    def _create_counters(self) -> None:
        registry = self.registry
        calls = Counter("bascule_calls", "Finished calls.", ["method", "status"], registry=registry)
        durations = Histogram(
            "bascule_call_duration_seconds",
            "Time from the arrival of a call to its recorded answer.",
            ["method"],
            registry=registry,
            buckets=DURATION_BUCKETS_SECONDS,
        )
        self._tool_calls = Counter(
            "bascule_tool_calls", "Finished tool calls.", ["tool", "status"], registry=registry
        )
        errors = Counter(
            "bascule_errors", "Calls that ended with an error code.", ["code"], registry=registry
        )
        # Every series exists from the start, so that the first event already shows in a rate.
        methods = [*(method.value for method in Method), OTHER]
        statuses = [status.value for status in Status]
        self._call = {
            (method, status): calls.labels(method, status).inc
            for method in methods
            for status in statuses
        }
        self._duration = {method: durations.labels(method).observe for method in methods}
        codes = [*(error.code for error in ErrorCode), OTHER]
        self._error = {code: errors.labels(code).inc for code in codes}
        self._tool_call: dict[tuple[str, str], Callable[[], None]] = {}
        self._auth_failures = Counter(
            "bascule_auth_failures", "Calls without a valid credential.", registry=registry
        )
        self._bytes = ByteTotals()
        registry.register(self._bytes)

    def _create_gauges(self, version: str, recorder: Recorder) -> None:
        self._snapshot_version = Gauge(
            "bascule_snapshot_version",
            "Number of the configuration that new calls see.",
            registry=self.registry,
        )
        Gauge(
            "bascule_audit_healthy",
            "1 while records can be made durable, else 0 and every call is refused.",
            registry=self.registry,
        ).set_function(lambda: float(recorder.healthy))
        Info("bascule_build", "What is running.", registry=self.registry).info(
            {"version": version, "python": platform.python_version()}
        )

    def follow(self, snapshot: Snapshot) -> None:
        """Learn the tools of `snapshot`; series of tools it no longer has are dropped."""
        known: set[str] = set()
        for view in snapshot.tenants.values():
            known.update(view.tools, view.disabled)
        self._tools = frozenset(known)
        for tool, status in list(self._tool_call):
            if tool in self._labelled and tool not in known:
                del self._tool_call[tool, status]
                self._tool_calls.remove(tool, status)
        self._labelled &= known
        self._snapshot_version.set(snapshot.version)

    def observe(self, record: AuditRecord) -> None:
        """Count `record`."""
        method, status = record.action, record.status
        call = self._call.get((method, status))
        if call is None:
            method = OTHER
            call = self._call[method, status]
        call()
        self._duration[method](record.latency_ms / 1000)
        self._bytes.requests += record.request_size
        self._bytes.responses += record.response_size
        if record.tool_name:
            known = self._tool_call.get((record.tool_name, status))
            (known or self._tool_counter(record.tool_name, status))()
        if record.error_code:
            self._count_error(record.error_code)

    def _count_error(self, code: str) -> None:
        self._error.get(code, self._error[OTHER])()
        if code in _AUTH_FAILURES:
            self._auth_failures.inc()

    def _tool_counter(self, tool: str, status: str) -> Callable[[], None]:
        if tool not in self._tools:
            label = UNKNOWN
        elif tool in self._labelled or len(self._labelled) < self._most_tool_labels:
            label = tool
            self._labelled.add(tool)
        else:
            label = OTHER
        counter = self._tool_calls.labels(label, str(status)).inc
        if label is tool:
            self._tool_call[tool, str(status)] = counter
        return counter

    def render(self, accept: str = "") -> tuple[str, bytes]:
        """All metrics, with their content type: OpenMetrics where `accept` asks, else text."""
        if _wants_openmetrics(accept):
            return openmetrics.CONTENT_TYPE_LATEST, self._openmetrics()
        return CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self.registry)

    def _openmetrics(self) -> bytes:
        encode = cast("Callable[[CollectorRegistry], bytes]", openmetrics.generate_latest)  # pyright: ignore[reportUnknownMemberType]
        return encode(self.registry)


def _wants_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is preferred (RFC 9110, 12.5.1); of equals, the first in the list."""
    best, wanted = 0.0, False
    for offer in accept.lower().split(",")[:_MOST_OFFERS]:
        media_type, *parameters = (part.strip() for part in offer.split(";"))
        quality = _quality(parameters)
        if media_type in {_OPENMETRICS, "text/plain", "text/*", "*/*"} and quality > best:
            best, wanted = quality, media_type == _OPENMETRICS
    return wanted


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0

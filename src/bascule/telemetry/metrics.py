"""Prometheus metrics of the gateway, in a registry of their own."""

import platform
from collections.abc import Callable, Mapping
from typing import Final, cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from bascule.gateway.call import Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.record import AuditRecord, Recorder, Status
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.telemetry.cells import CallCells

MOST_TOOL_LABELS: Final = 2000
OTHER: Final = "other"
UNKNOWN: Final = "unknown"
_OPENMETRICS: Final = "application/openmetrics-text"
_MOST_OFFERS: Final = 32
_AUTH_FAILURES: Final = {
    ErrorCode.AUTH_REQUIRED.code: "missing",
    ErrorCode.INVALID_TOKEN.code: "invalid",
    ErrorCode.TOKEN_EXPIRED.code: "expired",
}


class Metrics:
    """Counts finished calls; an `Observer` of the gateway.

    No label ever comes from a caller: methods, statuses and error codes are the gateway's own,
    and a tool is named, with its tenant, only while the snapshot has it (`unknown` otherwise), for
    at most `most_tool_labels` of all tenants (`other` beyond).
    """

    def __init__(
        self, *, version: str, recorder: Recorder, most_tool_labels: int = MOST_TOOL_LABELS
    ) -> None:
        # Creation times would double the number of series, and nothing here reads them.
        disable_created_metrics()
        self.registry = CollectorRegistry()
        """Other rooms register their collectors here."""
        self._most_tool_labels = most_tool_labels
        self._views: Mapping[str, TenantView] = {}
        self._labelled: set[tuple[str, str]] = set()
        self._create_counters()
        self._create_gauges(version, recorder)
        ProcessCollector(registry=self.registry)

    def _create_counters(self) -> None:
        methods = [*(method.value for method in Method), OTHER]
        self._cells = CallCells(methods, [status.value for status in Status])
        self.registry.register(self._cells)
        errors = Counter(
            "bascule_errors",
            "Calls that ended with an error code.",
            ["code"],
            registry=self.registry,
        )
        codes = [*(error.code for error in ErrorCode), OTHER]
        self._error = {code: errors.labels(code).inc for code in codes}
        self._tool_label: dict[tuple[str, str], tuple[str, str]] = {}
        failures = Counter(
            "bascule_auth_failures",
            "Calls without a valid credential.",
            ["reason"],
            registry=self.registry,
        )
        reasons = _AUTH_FAILURES.items()
        self._auth_failure = {code: failures.labels(reason).inc for code, reason in reasons}

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
        self._views = snapshot.tenants
        gone = {one for one in self._labelled if not self._knows(*one)}
        counts = self._cells.tool_calls
        kept = {*self._views, UNKNOWN}
        for labels in [one for one in counts if one[:2] in gone or one[0] not in kept]:
            del counts[labels]
        self._labelled -= gone
        self._tool_label = {one: one for one in self._labelled}
        self._snapshot_version.set(snapshot.version)

    def observe(self, record: AuditRecord) -> None:
        """Count `record`."""
        cells = self._cells
        method, status = record.action, record.status
        if method not in cells.durations:
            method = OTHER
        cells.calls[method, status] += 1
        cells.durations[method].observe(record.latency_ms / 1000)
        cells.request_bytes += record.request_size
        cells.response_bytes += record.response_size
        tool = record.tool_name
        if tool:
            known = self._tool_label.get((record.tenant, tool))
            labels = (*(known or self._label(record.tenant, tool)), status)
            counts = cells.tool_calls
            counts[labels] = counts.get(labels, 0) + 1
        if record.error_code:
            self._count_error(record.error_code)

    def _count_error(self, code: str) -> None:
        self._error.get(code, self._error[OTHER])()
        if code in self._auth_failure:
            self._auth_failure[code]()

    def _knows(self, tenant: str, tool: str) -> bool:
        view = self._views.get(tenant)
        return view is not None and (tool in view.tools or tool in view.disabled)

    def _label(self, tenant: str, tool: str) -> tuple[str, str]:
        """The labels for tenant and tool."""
        if tenant not in self._views:
            return UNKNOWN, UNKNOWN
        if not self._knows(tenant, tool):
            return tenant, UNKNOWN
        if len(self._labelled) >= self._most_tool_labels:
            return tenant, OTHER
        labels = tenant, tool
        self._labelled.add(labels)
        self._tool_label[labels] = labels
        return labels

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

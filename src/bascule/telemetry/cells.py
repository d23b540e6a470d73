"""Counters of the call path: plain numbers, added to on the event loop alone and so unlocked.

The metric classes of prometheus_client take a lock, check and call per increment; counted calls
take several increments each.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

DURATION_BUCKETS_SECONDS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip


class Durations:
    """How long one kind of call took: counts per bucket, and the sum in seconds."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(DURATION_BUCKETS_SECONDS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one call; a bucket holds what took as long as its bound or less."""
        self.counts[bisect_left(DURATION_BUCKETS_SECONDS, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """The cumulative counts by upper bound, as the exposition wants them."""
        bounds = [str(bound) for bound in DURATION_BUCKETS_SECONDS] + ["+Inf"]
        total = 0
        found: list[tuple[str, float]] = []
        for bound, count in zip(bounds, self.counts, strict=True):
            total += count
            found.append((bound, total))
        return found


class CallCells(Collector):
    """All counters of finished calls. Every series exists from the start, so that the first
    event already shows in a rate; those of tools come and go with the tools.
    """

    def __init__(self, methods: Sequence[str], statuses: Sequence[str]) -> None:
        self.calls = {(method, status): 0 for method in methods for status in statuses}
        self.durations = {method: Durations() for method in methods}
        self.tool_calls: dict[tuple[str, str, str], int] = {}
        self.request_bytes = 0
        self.response_bytes = 0

    def collect(self) -> Iterable[Metric]:
        """The counters as they are now."""
        calls = CounterMetricFamily("bascule_calls", "Finished calls.", labels=["method", "status"])
        for labels, count in self.calls.items():
            calls.add_metric(labels, count)
        yield calls
        durations = HistogramMetricFamily(
            "bascule_call_duration_seconds",
            "Time from the arrival of a call to its recorded answer.",
            labels=["method"],
        )
        for method, cell in self.durations.items():
            durations.add_metric([method], cell.buckets(), cell.sum)
        yield durations
        tools = CounterMetricFamily(
            "bascule_tool_calls", "Finished tool calls.", labels=["tenant", "tool", "status"]
        )
        for labels, count in self.tool_calls.items():
            tools.add_metric(labels, count)
        yield tools
        yield CounterMetricFamily(
            "bascule_request_bytes", "Bytes of request bodies.", self.request_bytes
        )
        yield CounterMetricFamily(
            "bascule_response_bytes", "Bytes of answers.", self.response_bytes
        )

"""How upstreams stand, and what was spared them: read when somebody asks, never on a call."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_LABELS: Final = ("tenant", "upstream")
_BREAKER: Final = {"closed": 0.0, "half_open": 1.0, "open": 2.0}
_HEALTH: Final = {"down": 0.0, "degraded": 0.5, "healthy": 1.0}


class UpstreamFigures(NamedTuple):
    """Of one upstream; `health` is None where it is not known."""

    tenant: str
    name: str
    breaker: str
    health: str | None


class KeptFigures(NamedTuple):
    """Of the kept answers."""

    hits: int
    misses: int
    entries: int
    size_bytes: int


class Figures(Protocol):
    """Where the figures come from."""

    def upstreams(self) -> Iterable[UpstreamFigures]:
        """Every upstream of every tenant."""
        ...

    def retries(self) -> Mapping[tuple[str, str], int]:
        """How often a call was sent once more, by tenant and upstream."""
        ...

    def kept(self) -> KeptFigures:
        """Of the kept answers."""
        ...

    def mismatches(self) -> Mapping[str, int]:
        """Answers that did not fit their schema, by what was done with them."""
        ...


class UpstreamMetrics(Collector):
    """No label comes from a caller: tenants and upstreams are those of the snapshot."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are told with the values."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The figures as they are now."""
        figures = self._figures
        yield from _conditions(list(figures.upstreams()))
        yield _counter(
            "bascule_retries",
            "Calls that were sent to their upstream once more.",
            _LABELS,
            figures.retries(),
        )
        yield from _kept(figures.kept())
        yield _counter(
            "bascule_output_mismatches",
            "Answers that did not fit the tool's output schema, by what was done with them.",
            ("action",),
            {(action,): count for action, count in figures.mismatches().items()},
        )


def _conditions(found: list[UpstreamFigures]) -> Iterable[Metric]:
    breakers = {(one.tenant, one.name): _BREAKER[one.breaker] for one in found}
    healths = {
        (one.tenant, one.name): _HEALTH[one.health] for one in found if one.health is not None
    }
    yield _gauge("bascule_breaker_state", "0 closed, 1 half open, 2 open.", breakers)
    yield _gauge("bascule_upstream_health", "0 down, 0.5 degraded, 1 healthy.", healths)


def _kept(kept: KeptFigures) -> Iterable[Metric]:
    hits = CounterMetricFamily(
        "bascule_response_cache", "Reads that may be answered from kept answers.", labels=["result"]
    )
    hits.add_metric(["hit"], kept.hits)
    hits.add_metric(["miss"], kept.misses)
    yield hits
    yield GaugeMetricFamily("bascule_response_cache_entries", "Answers kept.", value=kept.entries)
    yield GaugeMetricFamily(
        "bascule_response_cache_bytes", "Size of the answers kept.", value=kept.size_bytes
    )


def _gauge(name: str, meaning: str, values: Mapping[tuple[str, str], float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=_LABELS)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _counter(
    name: str, meaning: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], int]
) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=labels)
    for one, value in sorted(values.items()):
        family.add_metric(one, value)
    return family

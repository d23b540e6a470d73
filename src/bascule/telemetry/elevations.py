"""How often somebody asked for elevation, got it and used it: to be alerted by."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter


class ElevationCounter:
    """`bascule_elevations_total`, by what happened; all `events` are there from the start."""

    def __init__(self, registry: CollectorRegistry, events: Iterable[str]) -> None:
        counter = Counter(
            "bascule_elevations",
            "Steps of elevation: requests, decisions, uses of grants, calls held back for want of "
            "one.",
            ["event"],
            registry=registry,
        )
        self._children = {event: counter.labels(event) for event in events}

    def count(self, event: str) -> None:
        """Count one of the `events`."""
        self._children[event].inc()

"""What stays open between two moments: streams, calls that wait, and the tasks they all cost."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class OpenStreams(Collector):
    """Counted when asked, never on the way of a call."""

    def __init__(self, counts: Mapping[str, Callable[[], int]], tasks: Callable[[], int]) -> None:
        """`counts` by kind; `tasks` counts those of the event loop."""
        self._counts = dict(counts)
        self._tasks = tasks

    def describe(self) -> Iterable[Metric]:
        """The names alone: nothing is counted before there is a loop."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """The counts as they are now."""
        streams, tasks = self._families()
        for kind, count in self._counts.items():
            streams.add_metric([kind], count())
        tasks.add_metric([], self._tasks())
        return streams, tasks

    def _families(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
        return (
            GaugeMetricFamily(
                "bascule_streams",
                "What is open: subscriptions and session streams of clients, calls of sessions, "
                "calls parked for an answer, servers listened to.",
                labels=["kind"],
            ),
            GaugeMetricFamily("bascule_tasks", "Tasks of the event loop that are not done."),
        )

import pytest
from prometheus_client import CollectorRegistry

from bascule.telemetry.elevations import ElevationCounter


def test_what_happens_is_counted_by_what_it_is() -> None:
    registry = CollectorRegistry()
    counter = ElevationCounter(registry, ["requested", "used"])
    counter.count("used")
    counter.count("used")
    values = {
        event: registry.get_sample_value("bascule_elevations_total", {"event": event})
        for event in ("requested", "used")
    }
    assert values == {"requested": 0, "used": 2}


def test_an_event_that_nobody_named_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        ElevationCounter(CollectorRegistry(), ["used"]).count("made up")

from prometheus_client import CollectorRegistry

from bascule.telemetry.streams import OpenStreams


def test_each_kind_is_counted_when_it_is_asked_for() -> None:
    registry = CollectorRegistry()
    subscriptions = list[str]()
    registry.register(OpenStreams({"subscription": lambda: len(subscriptions)}, lambda: 7))

    def now(kind: str) -> float | None:
        return registry.get_sample_value("bascule_streams", {"kind": kind})

    assert now("subscription") == 0
    subscriptions.append("one")
    assert now("subscription") == 1
    assert now("other") is None
    assert registry.get_sample_value("bascule_tasks") == 7


def test_nothing_is_counted_before_anybody_asks() -> None:
    def never() -> int:
        raise AssertionError

    CollectorRegistry(auto_describe=True).register(OpenStreams({"parked_call": never}, never))

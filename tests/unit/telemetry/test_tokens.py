"""Tokens are counted by tenant, model and direction, whoever used them."""

from prometheus_client import CollectorRegistry

from bascule.telemetry.tokens import TokenCounter


def value(registry: CollectorRegistry, tenant: str, direction: str) -> float | None:
    labels = {"tenant": tenant, "model": "m", "direction": direction}
    return registry.get_sample_value("bascule_chat_tokens_total", labels)


def test_tokens_add_up() -> None:
    registry = CollectorRegistry()
    counter = TokenCounter(registry)
    counter.count("acme", "m", 10, 2)
    counter.count("acme", "m", 5, -1)
    assert (value(registry, "acme", "in"), value(registry, "acme", "out")) == (15, 2)
    assert value(registry, "other", "in") is None


def test_there_are_so_many_tenants_and_the_rest_together() -> None:
    registry = CollectorRegistry()
    counter = TokenCounter(registry, most_tenants=2)
    for tenant in ("a", "b", "c", "d", "a"):
        counter.count(tenant, "m", 1, 0)
    found = {one: value(registry, one, "in") for one in ("a", "b", "c", "other")}
    assert found == {"a": 2, "b": 1, "c": None, "other": 2}

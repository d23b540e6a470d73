from prometheus_client import CollectorRegistry, generate_latest

from bascule.telemetry.upstreams import KeptFigures, UpstreamFigures, UpstreamMetrics


class FakeFigures:
    def upstreams(self):
        return [
            UpstreamFigures("acme", "shop", "closed", "healthy"),
            UpstreamFigures("acme", "bank", "open", "down"),
            UpstreamFigures("other", "shop", "half_open", "degraded"),
            UpstreamFigures("acme", "new", "closed", None),
        ]

    def retries(self):
        return {("acme", "shop"): 7, ("other", "shop"): 2}

    def kept(self):
        return KeptFigures(3, 4, 5, 600)

    def mismatches(self):
        return {"refuse": 1, "mended": 2}


def shown() -> list[str]:
    registry = CollectorRegistry()
    registry.register(UpstreamMetrics(FakeFigures()))
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_upstreams_of_one_name_are_told_apart_by_their_tenants() -> None:
    lines = shown()
    assert 'bascule_breaker_state{tenant="acme",upstream="shop"} 0.0' in lines
    assert 'bascule_breaker_state{tenant="other",upstream="shop"} 1.0' in lines
    assert 'bascule_breaker_state{tenant="acme",upstream="bank"} 2.0' in lines
    assert 'bascule_upstream_health{tenant="acme",upstream="shop"} 1.0' in lines
    assert 'bascule_upstream_health{tenant="other",upstream="shop"} 0.5' in lines
    assert 'bascule_upstream_health{tenant="acme",upstream="bank"} 0.0' in lines


def test_what_is_not_known_is_not_shown() -> None:
    assert not [line for line in shown() if "upstream_health" in line and "new" in line]


def test_retries_kept_answers_and_mismatches_are_counted() -> None:
    assert {
        'bascule_retries_total{tenant="acme",upstream="shop"} 7.0',
        'bascule_retries_total{tenant="other",upstream="shop"} 2.0',
        'bascule_response_cache_total{result="hit"} 3.0',
        'bascule_response_cache_total{result="miss"} 4.0',
        "bascule_response_cache_entries 5.0",
        "bascule_response_cache_bytes 600.0",
        'bascule_output_mismatches_total{action="mended"} 2.0',
        'bascule_output_mismatches_total{action="refuse"} 1.0',
    } <= set(shown())

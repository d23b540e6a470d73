import pytest

from bascule.settings.consistency import RULES, is_loopback
from bascule.settings.inventory import inventory
from bascule.settings.model import Redis, Server, Settings
from bascule.settings.secret import ConnectionUrl


def contradictions(settings: Settings) -> list[str]:
    return [found.key for rule in RULES if (found := rule.check(settings))]


def test_the_defaults_contradict_nothing():
    assert contradictions(Settings()) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost", "localhost."])
def test_loopback_hosts_need_no_permission(host: str):
    assert is_loopback(host)
    assert contradictions(Settings(server=Server(host=host))) == []


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "10.0.0.1", "gateway.internal", "127.1", "0"],  # noqa: S104 - refused here
)
def test_a_host_others_can_reach_needs_an_explicit_permission(host: str):
    assert contradictions(Settings(server=Server(host=host))) == ["server.host"]
    assert contradictions(Settings(server=Server(host=host, allow_remote=True))) == []


def test_more_than_one_worker_needs_redis():
    many = Server(workers=2)
    assert contradictions(Settings(server=many)) == ["server.workers"]
    shared = Settings(server=many, redis=Redis(url=ConnectionUrl("redis://127.0.0.1/0")))
    assert contradictions(shared) == []


def test_every_rule_names_settings_that_exist():
    assert all(rule.keys <= inventory().keys() for rule in RULES)

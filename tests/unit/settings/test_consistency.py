from typing import Any

import pytest

from bascule.settings.assistant import Llm
from bascule.settings.consistency import RULES, is_loopback
from bascule.settings.inventory import inventory
from bascule.settings.model import Redis, Server, Settings
from bascule.settings.policy import Elevation, Policy
from bascule.settings.secret import ConnectionUrl, Password


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


TLS = {"tls_certificate": "gw.pem", "tls_key": "gw.key"}
PASSED = "x-amzn-mtls-clientcert"


@pytest.mark.parametrize(
    ("server", "key"),
    [
        ({"tls_key": "gw.key"}, "server.tls_key"),
        ({"client_ca": "ca.pem"}, "server.client_ca"),
        ({"client_certificates": "required"}, "server.client_certificates"),
        ({**TLS, "client_certificates": "required"}, "server.client_certificates"),
        ({"certificate_header": "client-cert"}, "server.certificate_header"),
        (
            {"certificate_header": PASSED, "trusted_proxies": ("10.0.0.1",)},
            "server.certificate_header",
        ),
        ({"trusted_proxies": ("10.0.0.0/8", "0.0.0.0/0")}, "server.trusted_proxies"),
        ({"trusted_proxies": ("::/0",)}, "server.trusted_proxies"),
    ],
)
def test_half_of_a_tls_or_proxy_setup_is_none(server: dict[str, Any], key: str) -> None:
    assert contradictions(Settings(server=Server(**server))) == [key]


@pytest.mark.parametrize(
    "server",
    [
        TLS,
        {"tls_certificate": "both.pem"},
        {**TLS, "client_ca": "ca.pem"},
        {**TLS, "client_ca": "ca.pem", "client_certificates": "required"},
        {"trusted_proxies": ("10.0.0.1",), "certificate_header": "client-cert"},
        {"trusted_proxies": ("10.0.0.1",), "certificate_header": PASSED, "client_ca": "ca.pem"},
    ],
)
def test_a_whole_tls_or_proxy_setup_contradicts_nothing(server: dict[str, Any]) -> None:
    assert contradictions(Settings(server=Server(**server))) == []


@pytest.mark.parametrize(
    ("policy", "keys"),
    [
        ({"rego_engine": "opa"}, []),
        ({"rego_engine": "opa", "opa_url": ""}, ["policy.opa_url"]),
        ({"rego_engine": "embedded", "opa_url": ""}, []),
        ({"opa_token": "t0ken"}, ["policy.opa_token"]),
        ({"rego_engine": "opa", "opa_token": "t0ken"}, []),
    ],
)
def test_an_opa_server_is_asked_at_its_address_or_not_at_all(
    policy: dict[str, Any], keys: list[str]
) -> None:
    assert contradictions(Settings(policy=Policy.model_validate(policy))) == keys


@pytest.mark.parametrize(
    ("elevation", "keys"),
    [
        ({"default_minutes": 480}, []),
        ({"default_minutes": 481}, ["elevation.default_minutes"]),
        ({"max_minutes": 30}, ["elevation.default_minutes"]),
        ({"default_minutes": 30, "max_minutes": 30}, []),
        ({"pim_token": "t0ken"}, ["elevation.pim_token"]),
        ({"pim_token": "t0ken", "pim_url": "https://pim.example.com"}, []),
        ({"pim_url": "https://pim.example.com"}, []),
    ],
)
def test_grants_last_no_longer_than_allowed_and_a_token_has_somebody_to_show_it_to(
    elevation: dict[str, Any], keys: list[str]
) -> None:
    assert contradictions(Settings(elevation=Elevation.model_validate(elevation))) == keys


def test_no_contradiction_repeats_a_token() -> None:
    settings = Settings(
        policy=Policy.model_validate({"opa_token": "hunter2"}),
        elevation=Elevation.model_validate({"pim_token": "hunter2"}),
    )
    said = [found for rule in RULES if (found := rule.check(settings))]

    assert len(said) == 2
    assert "hunter2" not in repr(said)


KEY = Password("k")
WHOLE: dict[str, dict[str, Any]] = {
    "openai": {"model": "m", "api_key": KEY},
    "azure": {"base_url": "https://a.example", "deployment": "d", "api_key": KEY},
    "bedrock": {"model": "m", "region": "eu-central-1"},
    "anthropic": {"model": "m", "api_key": KEY},
    "compatible": {"model": "m", "base_url": "http://127.0.0.1:1"},
}


@pytest.mark.parametrize("provider", list(WHOLE))
def test_a_provider_of_models_has_what_it_needs(provider: str) -> None:
    given = WHOLE[provider]
    whole = Llm.model_validate({"provider": provider, **given})
    assert contradictions(Settings(llm=whole)) == []
    for name in given:
        rest = {one: value for one, value in given.items() if one != name}
        llm = Llm.model_validate({"provider": provider, **rest})
        assert contradictions(Settings(llm=llm)) == [f"llm.{name}"]

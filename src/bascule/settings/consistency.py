"""Rules that tie settings together. Each names the settings it reads."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bascule.settings.model import Settings

_PASSED_THROUGH: Final = "x-amzn-mtls-clientcert"
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "offline": (),
    "openai": ("model", "api_key"),
    "azure": ("base_url", "deployment", "api_key"),
    "bedrock": ("model", "region"),
    "anthropic": ("model", "api_key"),
    "compatible": ("model", "base_url"),
}
"""What each provider of models cannot do without."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two settings that cannot both stand; `key` is the one to point at."""

    key: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`check` is meaningful where every one of `keys` is valid by itself."""

    keys: frozenset[str]
    check: Callable[[Settings], Contradiction | None]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost"


def _remote_is_wanted(settings: Settings) -> Contradiction | None:
    server = settings.server
    if server.allow_remote or is_loopback(server.host):
        return None
    return Contradiction(
        "server.host",
        f"server.host is {server.host}, which other machines can reach.",
        "Set server.allow_remote: true (flag --allow-remote) if that is meant, with TLS "
        "(server.tls_certificate) or behind a proxy that has it; otherwise use 127.0.0.1.",
    )


def _workers_share_state(settings: Settings) -> Contradiction | None:
    if settings.server.workers == 1 or settings.redis.url.get_secret_value():
        return None
    return Contradiction(
        "server.workers",
        f"server.workers is {settings.server.workers}, but more than one worker needs Redis to "
        "share limits and changes.",
        "Set redis.url, for instance redis://127.0.0.1:6379/0, or keep one worker.",
    )


def _key_has_certificate(settings: Settings) -> Contradiction | None:
    if settings.server.tls_certificate or not settings.server.tls_key:
        return None
    return Contradiction(
        "server.tls_key",
        "server.tls_key is set, but there is no certificate for it.",
        "Set server.tls_certificate to the PEM file of the certificate, or remove the key to "
        "speak plain HTTP.",
    )


def _client_ca_is_of_use(settings: Settings) -> Contradiction | None:
    server = settings.server
    if not server.client_ca or server.tls_certificate:
        return None
    if server.certificate_header == _PASSED_THROUGH:
        return None
    return Contradiction(
        "server.client_ca",
        "server.client_ca is set, but without TLS no client can show a certificate.",
        "Set server.tls_certificate and server.tls_key. Behind a proxy that verifies client "
        "certificates, set server.trusted_proxies and server.certificate_header instead.",
    )


def _required_has_client_ca(settings: Settings) -> Contradiction | None:
    server = settings.server
    if server.client_certificates == "optional" or (server.client_ca and server.tls_certificate):
        return None
    return Contradiction(
        "server.client_certificates",
        "server.client_certificates is required, but nothing says whose certificates are good.",
        "Set server.client_ca to the PEM file of the authorities that issue them, and "
        "server.tls_certificate to have TLS at all.",
    )


def _certificate_header_has_proxies(settings: Settings) -> Contradiction | None:
    server = settings.server
    if not server.certificate_header or server.trusted_proxies:
        return None
    return Contradiction(
        "server.certificate_header",
        f"server.certificate_header is {server.certificate_header}, but no proxy is trusted with "
        "it.",
        "List the addresses of the proxies in server.trusted_proxies, such as 10.0.1.0/24.",
    )


def _passed_through_is_verified(settings: Settings) -> Contradiction | None:
    server = settings.server
    if server.certificate_header != _PASSED_THROUGH or server.client_ca:
        return None
    return Contradiction(
        "server.certificate_header",
        f"server.certificate_header is {_PASSED_THROUGH}, whose certificates the load balancer "
        "does not verify.",
        "Set server.client_ca to the PEM file of the authorities that issue them; or have the "
        f"load balancer verify (mode verify), and use {_PASSED_THROUGH}-leaf.",
    )


def _proxies_are_some(settings: Settings) -> Contradiction | None:
    everybody = [
        one for one in settings.server.trusted_proxies if ipaddress.ip_network(one).prefixlen == 0
    ]
    if not everybody:
        return None
    return Contradiction(
        "server.trusted_proxies",
        f"server.trusted_proxies holds {everybody[0]}, which is everybody: each client could say "
        "who it is.",
        "List the addresses that the proxies have, such as 10.0.1.0/24.",
    )


def _opa_has_address(settings: Settings) -> Contradiction | None:
    policy = settings.policy
    if policy.rego_engine == "embedded" or policy.opa_url:
        return None
    return Contradiction(
        "policy.opa_url",
        "policy.rego_engine is opa, but there is no address of an OPA server.",
        "Set policy.opa_url, such as http://localhost:8181, or policy.rego_engine: embedded.",
    )


def _opa_token_has_opa(settings: Settings) -> Contradiction | None:
    policy = settings.policy
    if policy.rego_engine == "opa" or not policy.opa_token.get_secret_value():
        return None
    return Contradiction(
        "policy.opa_token",
        "policy.opa_token is set, but no OPA server is asked.",
        "Set policy.rego_engine: opa to have it decide, or remove the token.",
    )


def _usual_is_within_longest(settings: Settings) -> Contradiction | None:
    elevation = settings.elevation
    if elevation.default_minutes <= elevation.max_minutes:
        return None
    return Contradiction(
        "elevation.default_minutes",
        f"elevation.default_minutes is {elevation.default_minutes}, more than the "
        f"{elevation.max_minutes} of elevation.max_minutes.",
        "Lower elevation.default_minutes, or raise elevation.max_minutes.",
    )


def _pim_token_has_pim(settings: Settings) -> Contradiction | None:
    elevation = settings.elevation
    if elevation.pim_url or not elevation.pim_token.get_secret_value():
        return None
    return Contradiction(
        "elevation.pim_token",
        "elevation.pim_token is set, but no identity manager is asked.",
        "Set elevation.pim_url to the address of the manager, or remove the token.",
    )


def _provider_has_what_it_needs(settings: Settings) -> Contradiction | None:
    llm = settings.llm
    given = {
        "api_key": llm.api_key.get_secret_value(),
        "base_url": llm.base_url,
        "deployment": llm.deployment,
        "model": llm.model,
        "region": llm.region,
    }
    for name in _NEEDED[llm.provider]:
        if not given[name]:
            return Contradiction(
                f"llm.{name}",
                f"llm.provider is {llm.provider}, but llm.{name} is not set.",
                f"Set llm.{name}, or llm.provider: offline for no language model.",
            )
    return None


RULES: Final = (
    Rule(frozenset({"server.host", "server.allow_remote"}), _remote_is_wanted),
    Rule(frozenset({"server.workers", "redis.url"}), _workers_share_state),
    Rule(frozenset({"server.tls_certificate", "server.tls_key"}), _key_has_certificate),
    Rule(
        frozenset({"server.client_ca", "server.tls_certificate", "server.certificate_header"}),
        _client_ca_is_of_use,
    ),
    Rule(
        frozenset({"server.client_certificates", "server.client_ca", "server.tls_certificate"}),
        _required_has_client_ca,
    ),
    Rule(
        frozenset({"server.certificate_header", "server.trusted_proxies"}),
        _certificate_header_has_proxies,
    ),
    Rule(frozenset({"server.certificate_header", "server.client_ca"}), _passed_through_is_verified),
    Rule(frozenset({"server.trusted_proxies"}), _proxies_are_some),
    Rule(frozenset({"policy.rego_engine", "policy.opa_url"}), _opa_has_address),
    Rule(frozenset({"policy.rego_engine", "policy.opa_token"}), _opa_token_has_opa),
    Rule(
        frozenset({"elevation.default_minutes", "elevation.max_minutes"}), _usual_is_within_longest
    ),
    Rule(frozenset({"elevation.pim_url", "elevation.pim_token"}), _pim_token_has_pim),
    Rule(
        frozenset(
            {
                "llm.provider",
                "llm.model",
                "llm.base_url",
                "llm.api_key",
                "llm.deployment",
                "llm.region",
            }
        ),
        _provider_has_what_it_needs,
    ),
)

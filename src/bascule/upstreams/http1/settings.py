"""How many connections there may be, where to, how long each lives, what an answer may hold."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from bascule.upstreams.egress import PUBLIC_ONLY, AddressRules

TlsSource: TypeAlias = Callable[[], Awaitable[ssl.SSLContext]]
"""Gives the TLS settings of a connection about to be made: they may change in between.

GatewayError from it: they cannot be made ready.
"""


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """Limits of one `HttpClient`; the connection limits hold per origin.

    `idle_seconds` stays below the five seconds after which common servers close an idle
    connection: whoever closes first decides whether a request can be lost.
    `ca_file` is a PEM file of authorities trusted besides those of the system. `rules` say which
    addresses connections may go to. Without `follows_redirects`, a redirect is the response.
    """

    max_connections: int = 64
    connect_timeout_seconds: float = 5.0
    idle_seconds: float = 4.0
    max_lifetime_seconds: float = 300.0
    max_header_bytes: int = 64 * 1024
    max_body_bytes: int = 16 * 1024 * 1024
    ca_file: str | None = None
    rules: AddressRules = PUBLIC_ONLY
    follows_redirects: bool = True


def client_tls(ca_file: str | None = None) -> ssl.SSLContext:
    """The TLS settings for every upstream: TLS 1.2 up, certificate and name verified.

    Not to be changed: without `ca_file` they are shared, as the system's authorities take long to
    read. Those that are added later count after a restart.

    Raises:
        OSError: `ca_file` cannot be read (`ssl.SSLError` where it holds no certificate).
    """
    if ca_file is None:
        return _usual_tls()
    context = _verifying()
    context.load_verify_locations(cafile=ca_file)
    return context


@cache
def _usual_tls() -> ssl.SSLContext:
    return _verifying()


def _verifying() -> ssl.SSLContext:
    context = ssl.create_default_context()
    restrict(context)
    return context


def restrict(context: ssl.SSLContext) -> None:
    """Hold `context` to what this client speaks."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])

"""How the gateway reaches one upstream: as whom, over what, and how often it tries.

Texts that hold a secret may be references (`${secret:NAME}`, `${ENV}`, `${file:PATH}`, ...); these
are resolved when a request is made ready, never stored open.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Pinning(StrEnum):
    """Whether the definitions of an MCP server's tools are held to what was approved.

    `first_seen`: a tool counts as approved as it is first seen; a change waits for approval.
    `manual`: what was not approved is not served. `off`: whatever the server lists is served.
    """

    FIRST_SEEN = "first_seen"
    MANUAL = "manual"
    OFF = "off"


class Mode(StrEnum):
    """`live` calls the service. `mock` answers from the output schema, and calls nothing."""

    LIVE = "live"
    MOCK = "mock"


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth 2.0 client credentials (RFC 6749 section 4.4).

    The secret travels by HTTP Basic, or in the form where `secret_in_body`.
    """

    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""
    audience: str = ""
    secret_in_body: bool = False


@dataclass(frozen=True, slots=True)
class UserGrants:
    """OAuth 2.1 on behalf of each caller, who consents once in a browser.

    Everything is discovered from the upstream (RFC 9728, RFC 8414). `client_id` is set where this
    gateway was registered there by hand; `issuer` then names the server it was registered at, and
    no other is shown the secret. `scopes` are asked for where the upstream names none.
    """

    client_id: str = ""
    client_secret: str = ""
    issuer: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenExchange:
    """The caller's token exchanged for one that the upstream accepts (RFC 8693).

    Only tokens of `issuer` are shown to the endpoint; where that is empty, tokens of an issuer on
    the endpoint's own host. The secret travels by HTTP Basic, or in the form where
    `secret_in_body`.
    """

    token_url: str
    client_id: str
    client_secret: str
    audience: str = ""
    resource: str = ""
    scope: str = ""
    secret_in_body: bool = False
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class ClientTls:
    """Mutual TLS: PEM texts, or references to them. No `authorities`: those of the system."""

    certificate: str = ""
    key: str = ""
    authorities: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a call that is safe to repeat is sent, the first time included; 1: once.

    The wait doubles from `first_seconds` up to `cap_seconds`, with jitter.
    """

    attempts: int = 3
    first_seconds: float = 1.0
    cap_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """Opens at `failures` within `window_seconds`; after `open_seconds` one call may try."""

    failures: int = 5
    window_seconds: float = 60.0
    open_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Connector:
    """Everything about reaching an upstream besides its address. Hashable.

    `networks` are the address ranges (CIDR) that its host name may lead to besides public ones.
    `health_path` is asked to know whether it is up; "" asks whether a connection can be made.
    """

    mode: Mode = Mode.LIVE
    credentials: ClientCredentials | None = None
    tls: ClientTls | None = None
    retry: Retry = Retry()
    breaker: BreakerRule = BreakerRule()
    networks: tuple[str, ...] = ()
    health_path: str = ""
    user_grants: UserGrants | None = None
    """Of `credentials`, `user_grants` and `exchange` one at most is set."""
    exchange: TokenExchange | None = None
    descriptors: str = ""
    """Of a gRPC service: a `FileDescriptorSet`; of a WebAssembly module: itself. In base64."""


DIRECT: Final = Connector()
"""No credentials besides the upstream's headers, and the usual retries and breaker."""

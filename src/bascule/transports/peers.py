"""The other end of a connection: its address, and the certificate that it proved to have."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bascule.gateway.principal import Certificate
from bascule.transports.asgi import Scope
from bascule.transports.certificates import UnreadableCertificate, read_der

PEER: Final = "bascule.peer"
"""Where an ASGI scope has it. `client` beside it is an address only."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end. `certificate` was verified by the TLS handshake."""

    address: str = ""
    certificate: Certificate | None = None


NOBODY: Final = Peer()


def peer_of(transport: asyncio.BaseTransport) -> Peer:
    """The peer of a connection whose handshake, if it has one, is over."""
    name = transport.get_extra_info("peername")
    address = str(name[0]) if name else ""
    tls: Any = transport.get_extra_info("ssl_object")
    der = None if tls is None else tls.getpeercert(binary_form=True)
    return Peer(address, None if der is None else _read(der, address))


def peer_in(scope: Scope) -> Peer:
    """The peer of an ASGI connection; without its certificate where the server knows of none."""
    known: Peer | None = scope.get(PEER)
    if known is not None:
        return known
    client = scope.get("client")
    return Peer(str(client[0])) if client else NOBODY


def _read(der: bytes, address: str) -> Certificate | None:
    try:
        return read_der(der)
    except UnreadableCertificate as failure:
        # OpenSSL was content with it: the connection stays, without a certificate to go by.
        _log.warning("certificate.unreadable", peer=address, reason=str(failure))
        return None

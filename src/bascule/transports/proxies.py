"""Which proxies are believed, and what they say of those they call for.

From anybody else the same headers say nothing. A header with a certificate that comes twice is
refused: whichever is read, the proxy may have meant the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, Protocol

import structlog

from bascule.gateway.principal import Certificate
from bascule.transports.certificate_headers import PASSED_THROUGH, read_header
from bascule.transports.certificates import UnreadableCertificate
from bascule.transports.forwarded import client_of, plain_address, scheme_of
from bascule.transports.peers import Peer
from bascule.transports.reply import HeaderList

_MOST_REMEMBERED: Final = 4096
_MOST_LOGGED: Final = 64
_VERIFIED: Final = b"ssl-client-verify"
_NGINX: Final = "ssl-client-cert"

_log = structlog.get_logger(__name__)


class ChainCheck(Protocol):
    """Verifies what a proxy hands on unverified."""

    def verify(self, value: bytes) -> Certificate:
        """The client's certificate out of a header with its whole chain.

        Raises:
            UnreadableCertificate: it does not lead to an authority that is accepted.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """`trusted` are ranges of addresses; `certificate_header` is in lower case, empty for none."""

    trusted: tuple[str, ...] = ()
    certificate_header: str = ""


REPEATED: Final = "The header with the client certificate came more than once."


class CertificateRepeated(ValueError):
    """The certificate header came more than once."""


class Proxies:
    """Tells whom a request comes from. Remembers addresses it has judged."""

    def __init__(self, config: ProxyConfig, chains: ChainCheck | None = None) -> None:
        """`chains` where the certificate header holds what nobody has verified."""
        self._ranges = [ip_network(one) for one in config.trusted]
        self._header = config.certificate_header
        self._field = config.certificate_header.encode()
        self._chains = chains
        self._judged: dict[str, bool] = {}
        self._logged: set[tuple[str, str]] = set()

    def origin(self, peer: Peer, headers: HeaderList) -> Peer:
        """Whom a request comes from that `peer` sent.

        The certificate that a trusted proxy itself has is never taken for that of its clients.

        Raises:
            CertificateRepeated: it must be refused.
        """
        if not self._ranges or not self.is_trusted(peer.address):
            return peer
        address = client_of(headers, peer.address, self.is_trusted)
        return Peer(address, self._certificate(peer, headers))

    def scheme(self, peer: Peer, headers: HeaderList) -> str | None:
        """The scheme that the client used, where a trusted proxy says so."""
        if not self._ranges or not self.is_trusted(peer.address):
            return None
        return scheme_of(headers)

    def is_trusted(self, address: str) -> bool:
        """Whether `address` is one of a trusted proxy."""
        known = self._judged.get(address)
        if known is None:
            known = _is_in(address, self._ranges)
            if len(self._judged) < _MOST_REMEMBERED:
                self._judged[address] = known
        return known

    def _certificate(self, peer: Peer, headers: HeaderList) -> Certificate | None:
        values = [value for name, value in headers if name == self._field] if self._field else []
        if not values:
            return None
        if len(values) > 1:
            raise CertificateRepeated
        try:
            if self._header == PASSED_THROUGH:
                return None if self._chains is None else self._chains.verify(values[0])
            if self._header == _NGINX and not _is_verified(headers):
                return None
            return read_header(self._header, values[0])
        except UnreadableCertificate as failure:
            self._note(peer.address, str(failure))
            return None

    def _note(self, address: str, reason: str) -> None:
        """Log the first of a kind: every request of a client may bring the same."""
        if (address, reason) in self._logged or len(self._logged) >= _MOST_LOGGED:
            return
        self._logged.add((address, reason))
        _log.warning(
            "proxy.certificate_unreadable", proxy=address, header=self._header, reason=reason
        )


def _is_verified(headers: HeaderList) -> bool:
    """False where nginx says that the certificate it hands on did not pass."""
    return all(value == b"SUCCESS" for name, value in headers if name == _VERIFIED)


def _is_in(address: str, ranges: Sequence[IPv4Network | IPv6Network]) -> bool:
    plain = plain_address(address)
    if not plain:
        return False
    found = ip_address(plain)
    return any(found.version == one.version and found in one for one in ranges)


TRUST_NOBODY: Final = Proxies(ProxyConfig())

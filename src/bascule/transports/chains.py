"""Verifying a client's certificate that a proxy hands on with its chain, verified by nobody.

Source: RFC 5280 section 6; extensions are judged as OpenSSL does for clients: whoever issues must
be an authority that may sign certificates, and the certificate must not be for servers only.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from bascule.gateway.principal import Certificate
from bascule.transports.certificate_headers import url_encoded
from bascule.transports.certificates import UnreadableCertificate, load_pem, read_x509

_LOOK_SECONDS: Final = 5.0
_LONGEST_CHAIN: Final = 8

_log = structlog.get_logger(__name__)


class Chains:
    """Verifies against the authorities in a PEM file, which is read anew when it changes."""

    def __init__(
        self, authorities: Path, now_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """Read the file.

        Raises:
            OSError: it cannot be read.
            UnreadableCertificate: it has no certificates.
        """
        self._path = authorities
        self._now = now_seconds
        self._version = _version(authorities)
        self._looked = now_seconds()
        self._store = _store(authorities)

    def verify(self, value: bytes) -> Certificate:
        """The client's certificate out of a URL-encoded PEM chain, which begins with it.

        Raises:
            UnreadableCertificate: not a chain, or one that leads to no accepted authority.
        """
        leaf, *others = load_pem(url_encoded(value))
        if len(others) >= _LONGEST_CHAIN:
            raise UnreadableCertificate(f"a chain of more than {_LONGEST_CHAIN} certificates")
        policy = (
            PolicyBuilder()
            .store(self._authorities())
            .extension_policies(ee_policy=_OF_CLIENTS, ca_policy=_OF_AUTHORITIES)
        )
        try:
            policy.build_client_verifier().verify(leaf, others)
            return read_x509(leaf)
        except (VerificationError, ValueError) as error:
            raise UnreadableCertificate(f"not verified: {str(error)[:200]}") from None

    def _authorities(self) -> Store:
        if self._now() - self._looked >= _LOOK_SECONDS:
            self._looked = self._now()
            try:
                version = _version(self._path)
                if version != self._version:
                    self._version, self._store = version, _store(self._path)
            except (OSError, UnreadableCertificate) as failure:
                _log.error("proxy.authorities_not_read", file=str(self._path), reason=str(failure))
        return self._store


def _version(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _store(path: Path) -> Store:
    return Store(load_pem(path.read_bytes(), longest=None))


def _signs(policy: Policy, certificate: x509.Certificate, found: x509.BasicConstraints) -> None:
    del policy, certificate
    if not found.ca:
        raise ValueError("an issuer on the way is no authority")


def _may_sign(policy: Policy, certificate: x509.Certificate, found: x509.KeyUsage | None) -> None:
    del policy, certificate
    if found is not None and not found.key_cert_sign:
        raise ValueError("an issuer on the way may not sign certificates")


def _for_clients(
    policy: Policy, certificate: x509.Certificate, found: x509.ExtendedKeyUsage | None
) -> None:
    del policy, certificate
    if found is not None and not {_ANY, _CLIENTS} & set(found):
        raise ValueError("the certificate is not for clients")


_ANY: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
_CLIENTS: Final = ExtendedKeyUsageOID.CLIENT_AUTH
_OF_AUTHORITIES: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _signs)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
)
_OF_CLIENTS: Final = ExtensionPolicy.permit_all().may_be_present(
    x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_clients
)

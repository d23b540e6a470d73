"""Tokens that count only in somebody's hands: `cnf` (RFC 7800)."""

import hmac
from binascii import Error as NotBase64
from typing import Final, cast

from joserfc.util import urlsafe_b64decode

from bascule.gateway.principal import Certificate
from bascule.identity.claims import Claims
from bascule.identity.rejections import Reason, Rejection, shown

_CERTIFICATE: Final = "x5t#S256"
"""RFC 8705, section 3.1."""
_SHA256_BYTES: Final = 32


def thumbprint_of(claims: Claims) -> str | Rejection | None:
    """The SHA-256, in hex, of the certificate a token is bound to; None for one that is not.

    Bound to anything else, such as a DPoP key (RFC 9449), it is no bearer token, and is refused.
    """
    if "cnf" not in claims:
        return None
    found = claims["cnf"]
    bound: Claims = cast("Claims", found) if isinstance(found, dict) else {}
    if set(bound) != {_CERTIFICATE}:
        said = shown(sorted(bound))
        return Rejection(Reason.BINDING, f"bound by cnf with {said}, which is not known here")
    value = bound[_CERTIFICATE]
    try:
        octets = urlsafe_b64decode(value.encode("ascii")) if isinstance(value, str) else b""
    except (NotBase64, UnicodeError):
        octets = b""
    if len(octets) != _SHA256_BYTES:
        return Rejection(Reason.BINDING, f"bound to {shown(value)}, no SHA-256 of a certificate")
    return octets.hex()


def is_held_by(thumbprint: str, certificate: Certificate | None) -> bool:
    """Whether `certificate` is the one a token is bound to."""
    return certificate is not None and hmac.compare_digest(certificate.sha256.lower(), thumbprint)

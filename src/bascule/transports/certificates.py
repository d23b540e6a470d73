"""Client certificates, from DER or PEM to what identity needs of them. No I/O.

Sources: RFC 5280 sections 4.1 and 4.2.1.6, RFC 4514 (names as text).
"""

from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from bascule.gateway.principal import Certificate

LONGEST_PEM: Final = 64 * 1024
_MOST_NAMES: Final = 256


class UnreadableCertificate(ValueError):
    """The bytes are no certificate, or one with contents that cannot be relied on."""


@lru_cache(maxsize=1024)
def read_der(der: bytes) -> Certificate:
    """Read one certificate. Whether it can be believed is not judged here.

    Raises:
        UnreadableCertificate: says why.
    """
    try:
        return read_x509(x509.load_der_x509_certificate(der))
    except ValueError as error:
        raise UnreadableCertificate(str(error)[:200]) from None


def load_pem(pem: bytes, *, longest: int | None = LONGEST_PEM) -> list[x509.Certificate]:
    """The certificates of a PEM text of up to `longest` bytes in their order, at least one.

    Raises:
        UnreadableCertificate: says why.
    """
    if longest is not None and len(pem) > longest:
        raise UnreadableCertificate(f"longer than {longest} bytes")
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise UnreadableCertificate(str(error)[:200]) from None
    return found


@lru_cache(maxsize=1024)
def read_pem(pem: bytes) -> Certificate:
    """Read the first certificate of a PEM text: by custom that of who sends it.

    Raises:
        UnreadableCertificate: says why.
    """
    return read_der(load_pem(pem)[0].public_bytes(Encoding.DER))


def read_x509(found: x509.Certificate) -> Certificate:
    """What identity needs of `found`.

    Raises:
        ValueError: its names or extensions cannot be read.
    """
    return Certificate(
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        sha256=found.fingerprint(SHA256()).hex(),
        names=_names(found),
        not_after=found.not_valid_after_utc.timestamp(),
        not_before=found.not_valid_before_utc.timestamp(),
    )


def _names(found: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(str(error)) from None
    names = [text for name in extension.value if (text := _name(name))]
    if len(names) > _MOST_NAMES:
        raise ValueError(f"more than {_MOST_NAMES} alternative names")
    return tuple(names)


def _name(name: x509.GeneralName) -> str | None:
    match name:
        case x509.UniformResourceIdentifier():
            return f"URI:{name.value}"
        case x509.DNSName():
            return f"DNS:{name.value}"
        case x509.RFC822Name():
            return f"EMAIL:{name.value}"
        case x509.IPAddress():
            return f"IP:{name.value}"
        case _:
            return None

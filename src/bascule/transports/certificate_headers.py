"""Headers in which proxies hand on the client certificate that they verified. No I/O.

Sources: RFC 9440; Envoy, "HTTP header manipulation", x-forwarded-client-cert; AWS, "HTTP headers
and mutual TLS"; nginx, ngx_http_ssl_module, $ssl_client_escaped_cert.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from bascule.gateway.principal import Certificate
from bascule.transports.certificates import UnreadableCertificate, read_der, read_pem

PASSED_THROUGH: Final = "x-amzn-mtls-clientcert"
"""What a load balancer of AWS in passthrough mode sends: the chain, verified by nobody."""

_BYTE_SEQUENCE: Final = re.compile(rb":([A-Za-z0-9+/]*={0,2}):")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
# A value is quoted where it holds a separator; in quotes a backslash takes the next character.
_PAIR: Final = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;]*)\s*')
_SEVERAL: Final = frozenset({"by", "uri", "dns"})
_SAN_KINDS: Final = {"uri": "URI", "dns": "DNS"}


def read_header(name: str, value: bytes) -> Certificate | None:
    """The certificate in the header `name`; None where it says that there was none.

    Raises:
        UnreadableCertificate: it is not written as the header demands.
    """
    return _READERS[name](value) if value else None


def url_encoded(value: bytes) -> bytes:
    """PEM text from a header. "+" stays what it is: none of these proxies means a blank by it."""
    return unquote_to_bytes(value)


def _client_cert(value: bytes) -> Certificate:
    """RFC 9440: an item of RFC 8941, a byte sequence, that holds the DER."""
    found = _BYTE_SEQUENCE.fullmatch(value)
    if found is None:
        raise UnreadableCertificate("no byte sequence (RFC 8941)")
    try:
        return read_der(base64.b64decode(found[1], validate=True))
    except binascii.Error as error:
        raise UnreadableCertificate(str(error)) from None


def _escaped(value: bytes) -> Certificate:
    return read_pem(url_encoded(value))


def _forwarded(value: bytes) -> Certificate:
    """Envoy's: one element for each proxy on the way, the nearest one's last."""
    element = _last_element(value.decode("latin-1"))
    known = element.get("cert") or element.get("chain")
    digest = "".join(element.get("hash", ())).lower()
    if known:
        certificate = read_pem(url_encoded(known[0].encode("latin-1")))
        if digest and digest != certificate.sha256:
            raise UnreadableCertificate("Hash is not that of the certificate")
        return certificate
    if not _DIGEST.fullmatch(digest):
        raise UnreadableCertificate("neither Cert nor Hash")
    names = [
        f"{kind}:{name}"
        for key, kind in _SAN_KINDS.items()
        for name in element.get(key, ())
        if name
    ]
    return Certificate("".join(element.get("subject", ())), "", digest, tuple(names))


def _last_element(text: str) -> Mapping[str, list[str]]:
    """The pairs of the last element, by key in lower case. All before it must be well-formed."""
    element: dict[str, list[str]] = {}
    position = 0
    while True:
        found = _PAIR.match(text, position)
        if found is None:
            raise UnreadableCertificate(f"no key=value at character {position}")
        key = found[1].lower()
        if key in element and key not in _SEVERAL:
            raise UnreadableCertificate(f"{key} comes twice in one element")
        element.setdefault(key, []).append(_unquoted(key, found[2]))
        position = found.end()
        if position == len(text):
            return element
        if text[position] == ",":
            element = {}
        elif text[position] != ";":
            raise UnreadableCertificate(f"no separator at character {position}")
        position += 1


def _unquoted(key: str, value: str) -> str:
    if not value.startswith('"'):
        return value
    inner = value[1:-1]
    # A subject is given in the form of RFC 2253, whose backslashes belong to it.
    return inner if key == "subject" else inner.replace('\\"', '"')


_READERS: Final[Mapping[str, Callable[[bytes], Certificate]]] = {
    "client-cert": _client_cert,
    "x-forwarded-client-cert": _forwarded,
    "x-amzn-mtls-clientcert-leaf": _escaped,
    "ssl-client-cert": _escaped,
}

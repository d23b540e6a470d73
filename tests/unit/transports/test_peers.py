import asyncio
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.testing import capture_logs

from bascule.transports.certificates import read_pem
from bascule.transports.peers import NOBODY, PEER, Peer, peer_in, peer_of
from fakes.certificates import Authority


class Session:
    """The TLS of a connection."""

    def __init__(self, der: bytes | None) -> None:
        self.der = der

    def getpeercert(self, *, binary_form: bool) -> bytes | None:
        assert binary_form
        return self.der


def transport(name: Any = ("10.0.0.9", 4242), tls: Session | None = None) -> asyncio.Transport:
    return asyncio.Transport({"peername": name, "ssl_object": tls})


def test_a_plain_connection_has_an_address_alone() -> None:
    assert peer_of(transport()) == Peer("10.0.0.9")
    assert peer_of(transport("")) == NOBODY


def test_a_tls_connection_has_the_certificate_that_was_shown() -> None:
    pem = Authority().client("agent").certificate.encode()
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    assert peer_of(transport(tls=Session(der))) == Peer("10.0.0.9", read_pem(pem))
    assert peer_of(transport(tls=Session(None))) == Peer("10.0.0.9")


def test_a_certificate_that_cannot_be_read_is_none_and_is_logged() -> None:
    with capture_logs() as logs:
        assert peer_of(transport(tls=Session(b"odd"))) == Peer("10.0.0.9")
    assert [log["event"] for log in logs] == ["certificate.unreadable"]


def test_an_asgi_connection_has_the_peer_its_server_found() -> None:
    known = Peer("10.0.0.9", None)
    assert peer_in({PEER: known, "client": ("127.0.0.1", 1)}) is known
    assert peer_in({"client": ("127.0.0.1", 1)}) == Peer("127.0.0.1")
    assert peer_in({}) is NOBODY

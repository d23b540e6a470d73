import hashlib
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis.strategies import binary

from bascule.transports.certificates import (
    LONGEST_PEM,
    UnreadableCertificate,
    load_pem,
    read_der,
    read_pem,
)
from fakes.certificates import Authority


def der_of(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)


def test_a_certificate_tells_its_names_its_digest_and_its_time() -> None:
    pair = Authority("An authority").client(
        "agent", uris=["spiffe://example.org/agent"], emails=["a@example.org"]
    )
    found = read_pem(pair.certificate.encode())
    assert (found.subject, found.issuer) == ("CN=agent", "CN=An authority")
    assert found.names == ("URI:spiffe://example.org/agent", "EMAIL:a@example.org")
    assert found.sha256 == hashlib.sha256(der_of(pair.certificate)).hexdigest()
    assert found.not_before < time.time() < found.not_after
    assert read_der(der_of(pair.certificate)) == found


def test_hosts_and_addresses_are_names_too() -> None:
    found = read_pem(Authority().issue("gw.example.org").certificate.encode())
    assert found.names == ("DNS:gw.example.org", "DNS:localhost", "IP:127.0.0.1")


def test_a_certificate_without_alternative_names_has_none() -> None:
    assert read_pem(Authority().client("plain").certificate.encode()).names == ()


def test_the_first_of_several_certificates_is_the_one_that_counts() -> None:
    authority = Authority()
    chain = authority.client("leaf").certificate + authority.certificate
    assert read_pem(chain.encode()).subject == "CN=leaf"
    assert len(load_pem(chain.encode())) == 2


def test_a_text_that_is_too_long_is_not_read() -> None:
    long = b"#" * LONGEST_PEM + Authority().certificate.encode()
    with pytest.raises(UnreadableCertificate, match="longer than"):
        load_pem(long)
    assert len(load_pem(long, longest=None)) == 1


def test_more_names_than_anybody_needs_are_refused() -> None:
    many = [f"https://example.org/{number}" for number in range(257)]
    pem = Authority().client("many", uris=many).certificate.encode()
    with pytest.raises(UnreadableCertificate, match="more than 256"):
        read_pem(pem)


def test_an_unknown_kind_of_name_is_left_out() -> None:
    name = x509.DirectoryName(x509.Name([]))
    assert read_pem(Authority().client("odd", more=[name]).certificate.encode()).names == ()


@given(binary(max_size=200))
def test_whatever_comes_is_a_certificate_or_unreadable(raw: bytes) -> None:
    for read in (read_der, read_pem):
        with pytest.raises(UnreadableCertificate):
            read(raw)

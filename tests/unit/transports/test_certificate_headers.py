import base64
import contextlib
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis.strategies import binary, sampled_from

from bascule.gateway.principal import Certificate
from bascule.transports.certificate_headers import read_header
from bascule.transports.certificates import UnreadableCertificate, read_pem
from fakes.certificates import Authority

AUTHORITY = Authority()
PEM = AUTHORITY.client("agent", uris=["spiffe://example.org/agent"]).certificate
CERTIFICATE = read_pem(PEM.encode())
DER = x509.load_pem_x509_certificate(PEM.encode()).public_bytes(Encoding.DER)
DIGEST = "ab" * 32
HASH = f"Hash={DIGEST}"
XFCC = "x-forwarded-client-cert"


def forwarded(value: str) -> Certificate | None:
    return read_header(XFCC, value.encode())


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("client-cert", b":" + base64.b64encode(DER) + b":"),
        ("ssl-client-cert", quote(PEM).encode()),
        ("x-amzn-mtls-clientcert-leaf", quote(PEM, safe="+=/").encode()),
        (XFCC, f'Cert="{quote(PEM)}"'.encode()),
        (XFCC, f'By=spiffe://x;Hash={CERTIFICATE.sha256};Cert="{quote(PEM)}"'.encode()),
        (XFCC, f'Chain="{quote(PEM + AUTHORITY.certificate)}"'.encode()),
    ],
)
def test_every_header_gives_the_whole_certificate(header: str, value: bytes) -> None:
    assert read_header(header, value) == CERTIFICATE


@pytest.mark.parametrize("header", ["client-cert", "ssl-client-cert", XFCC])
def test_an_empty_header_says_that_there_was_none(header: str) -> None:
    assert read_header(header, b"") is None


def test_what_envoy_tells_without_the_certificate_is_enough() -> None:
    value = (
        f"By=spiffe://example.org/gw;{HASH};"
        'Subject="CN=agent,O=\\"Example\\, Inc.\\"";URI=spiffe://example.org/a;'
        "URI=spiffe://example.org/b;DNS=agent.example.org"
    )
    assert forwarded(value) == Certificate(
        subject='CN=agent,O=\\"Example\\, Inc.\\"',
        issuer="",
        sha256=DIGEST,
        names=("URI:spiffe://example.org/a", "URI:spiffe://example.org/b", "DNS:agent.example.org"),
    )


def test_the_nearest_proxys_element_counts() -> None:
    found = forwarded(f"Hash={'cd' * 32};URI=spiffe://far , {HASH};URI=spiffe://near")
    assert found is not None
    assert (found.sha256, found.names) == (DIGEST, ("URI:spiffe://near",))


def test_separators_in_quotes_separate_nothing() -> None:
    found = forwarded(f'{HASH};Subject="CN=a,O=b;URI=spiffe://forged,Hash=00";URI="spiffe://x;y"')
    assert found is not None
    assert found.names == ("URI:spiffe://x;y",)


def test_keys_are_read_in_any_case_and_quotes_are_removed() -> None:
    found = forwarded(f'hash="{DIGEST.upper()}";uri="spiffe://\\"x\\"";Dns=')
    assert found is not None
    assert (found.sha256, found.names) == (DIGEST, ('URI:spiffe://"x"',))


@pytest.mark.parametrize(
    "value",
    [
        "nothing",
        "Hash=",
        "Hash=abc",
        "Subject=CN=a",
        f"{HASH},",
        f"{HASH};",
        f",{HASH}",
        f"nonsense,{HASH}",
        f'{HASH};Subject="CN=a',
        f'{HASH};Subject="CN=a"x',
        f"{HASH};{HASH}",
        f'{HASH};Subject="a";Subject="b"',
        f'{HASH};Cert="{quote(PEM)}"',
        'Cert="nonsense"',
    ],
)
def test_what_is_not_well_formed_is_unreadable(value: str) -> None:
    with pytest.raises(UnreadableCertificate):
        forwarded(value)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("client-cert", base64.b64encode(DER)),
        ("client-cert", b":" + base64.b64encode(DER) + b":;a=1, :" + base64.b64encode(DER) + b":"),
        ("client-cert", b":AAA:"),
        ("client-cert", b":AAAA:"),
        ("client-cert", b"::"),
        ("ssl-client-cert", b"(null)"),
        ("ssl-client-cert", base64.b64encode(DER)),
    ],
)
def test_another_form_than_the_headers_own_is_unreadable(header: str, value: bytes) -> None:
    with pytest.raises(UnreadableCertificate):
        read_header(header, value)


@given(sampled_from(["client-cert", "ssl-client-cert", XFCC]), binary(min_size=1, max_size=100))
def test_whatever_comes_is_read_or_unreadable(header: str, value: bytes) -> None:
    with contextlib.suppress(UnreadableCertificate):
        assert isinstance(read_header(header, value), Certificate)

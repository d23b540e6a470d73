from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from bascule.gateway.principal import Certificate
from bascule.transports.certificates import UnreadableCertificate, read_pem
from bascule.transports.peers import Peer
from bascule.transports.proxies import (
    TRUST_NOBODY,
    CertificateRepeated,
    Proxies,
    ProxyConfig,
)
from bascule.transports.reply import HeaderList
from fakes.certificates import Authority

PEM = Authority().client("agent").certificate
CERTIFICATE = read_pem(PEM.encode())
OWN = Certificate("CN=proxy", "CN=ca", "00")
PROXY = Peer("10.0.0.1", OWN)
STRANGER = Peer("203.0.113.9", OWN)
HEADER = (b"ssl-client-cert", quote(PEM).encode())
FOR = (b"x-forwarded-for", b"192.0.2.66")


def proxies(header: str = "ssl-client-cert", **options: object) -> Proxies:
    return Proxies(ProxyConfig(("10.0.0.0/24", "fd00::/8"), header), **options)  # type: ignore[arg-type]


def test_a_trusted_proxy_says_for_whom_it_calls() -> None:
    assert proxies().origin(PROXY, [FOR, HEADER]) == Peer("192.0.2.66", CERTIFICATE)


def test_nobody_else_is_believed_a_word() -> None:
    headers = [FOR, HEADER, HEADER, (b"forwarded", b"for=192.0.2.66")]
    for one in (proxies(), TRUST_NOBODY):
        assert one.origin(STRANGER, headers) is STRANGER
        assert one.scheme(STRANGER, [(b"x-forwarded-proto", b"https")]) is None
    assert TRUST_NOBODY.origin(PROXY, headers) is PROXY


def test_the_certificate_of_a_proxy_is_nobody_elses() -> None:
    assert proxies().origin(PROXY, [FOR]) == Peer("192.0.2.66")
    assert proxies("").origin(PROXY, [FOR, HEADER]) == Peer("192.0.2.66")
    assert proxies().origin(PROXY, []) == Peer("10.0.0.1")


def test_only_the_header_that_was_configured_counts() -> None:
    assert proxies("client-cert").origin(PROXY, [HEADER]).certificate is None


def test_a_certificate_that_comes_twice_is_refused() -> None:
    with pytest.raises(CertificateRepeated):
        proxies().origin(PROXY, [HEADER, HEADER])


def test_what_cannot_be_read_is_no_certificate_and_is_logged_once() -> None:
    one = proxies()
    with capture_logs() as logs:
        for _ in range(3):
            assert one.origin(PROXY, [(b"ssl-client-cert", b"nonsense")]) == Peer("10.0.0.1")
    assert [(log["event"], log["proxy"]) for log in logs] == [
        ("proxy.certificate_unreadable", "10.0.0.1")
    ]


def test_logging_what_cannot_be_read_has_an_end() -> None:
    one = proxies()
    with capture_logs() as logs:
        for number in range(200):
            one.origin(Peer(f"10.0.0.{number}"), [(b"ssl-client-cert", b"nonsense")])
    assert 1 < len(logs) <= 64


@pytest.mark.parametrize(
    ("said", "is_taken"), [(b"SUCCESS", True), (b"FAILED:self signed", False), (b"NONE", False)]
)
def test_what_nginx_did_not_verify_is_not_taken(said: bytes, is_taken: bool) -> None:
    found = proxies().origin(PROXY, [HEADER, (b"ssl-client-verify", said)]).certificate
    assert (found == CERTIFICATE) is is_taken


class Chains:
    """Takes one value for good."""

    def verify(self, value: bytes) -> Certificate:
        if value != b"good":
            raise UnreadableCertificate("not verified")
        return CERTIFICATE


def test_a_certificate_that_was_passed_through_is_verified_here() -> None:
    name = "x-amzn-mtls-clientcert"
    one = proxies(name, chains=Chains())
    assert one.origin(PROXY, [(name.encode(), b"good")]).certificate == CERTIFICATE
    assert one.origin(PROXY, [(name.encode(), b"bad")]).certificate is None
    assert proxies(name).origin(PROXY, [(name.encode(), b"good")]).certificate is None


@pytest.mark.parametrize(
    ("address", "is_trusted"),
    [
        ("10.0.0.255", True),
        ("::ffff:10.0.0.1", True),
        ("fd00::1", True),
        ("10.0.1.0", False),
        ("fe80::1", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_trust_goes_by_address(address: str, is_trusted: bool) -> None:
    one = proxies()
    assert [one.is_trusted(address) for _ in range(2)] == [is_trusted] * 2


def test_a_trusted_proxy_says_which_scheme_was_used() -> None:
    headers: HeaderList = [(b"x-forwarded-proto", b"https")]
    assert proxies().scheme(PROXY, headers) == "https"

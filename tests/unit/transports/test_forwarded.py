import ipaddress

import pytest
from hypothesis import given
from hypothesis.strategies import binary, ip_addresses

from bascule.transports.forwarded import UNKNOWN, client_of, plain_address, scheme_of
from bascule.transports.reply import HeaderList

PROXY = "10.0.0.1"


def is_trusted(address: str) -> bool:
    return address.startswith("10.")


def client(*values: str, header: str = "x-forwarded-for") -> str:
    headers = [(header.encode(), value.encode("latin-1")) for value in values]
    return client_of(headers, PROXY, is_trusted)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("192.0.2.66, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.7,10.0.0.8", "203.0.113.9"),
        ("10.0.0.6, 10.0.0.7", "10.0.0.6"),
        ("192.0.2.66, unknown", UNKNOWN),
        ("192.0.2.66, ", UNKNOWN),
        ("203.0.113.9, nonsense, 10.0.0.7", UNKNOWN),
    ],
)
def test_the_nearest_address_that_is_no_proxys_counts(said: str, address: str) -> None:
    assert client(said) == address


def test_a_field_that_comes_repeatedly_is_one_list() -> None:
    assert client("192.0.2.66", "203.0.113.9, 10.0.0.7") == "203.0.113.9"


def test_a_proxy_that_names_nobody_calls_for_itself() -> None:
    assert client_of([], PROXY, is_trusted) == PROXY


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("for=203.0.113.9", "203.0.113.9"),
        ('For="[2001:db8::1]:4711";proto=https;by=10.0.0.1', "2001:db8::1"),
        ("for=192.0.2.66, for=203.0.113.9;host=x, for=10.0.0.7", "203.0.113.9"),
        (" , for=203.0.113.9, ,", "203.0.113.9"),
        ("for=203.0.113.9, proto=https", UNKNOWN),
        ("for=203.0.113.9;proto=https, for=_hidden", UNKNOWN),
        ('for=" , for=203.0.113.9', UNKNOWN),
        ("nonsense", UNKNOWN),
    ],
)
def test_the_standard_header_says_the_same(said: str, address: str) -> None:
    assert client(said, header="forwarded") == address


def test_a_forwarded_of_the_client_does_not_count_beside_what_the_proxy_says() -> None:
    headers: HeaderList = [(b"forwarded", b"for=192.0.2.66"), (b"x-forwarded-for", b"203.0.113.9")]
    assert client_of(headers, PROXY, is_trusted) == "203.0.113.9"


def test_a_list_without_end_is_read_to_a_bound() -> None:
    asked: list[str] = []

    def note(address: str) -> bool:
        asked.append(address)
        return True

    headers = [(b"x-forwarded-for", b",".join([b"10.0.0.1"] * 10_000))]
    assert client_of(headers, PROXY, note) == "10.0.0.1"
    assert len(asked) == 64


@pytest.mark.parametrize(
    ("said", "scheme"),
    [
        ([b"https"], "https"),
        ([b"http, HTTPS "], "https"),
        ([b"https", b"http"], "http"),
        ([b"javascript"], None),
        ([], None),
    ],
)
def test_the_scheme_is_what_the_nearest_proxy_says(said: list[bytes], scheme: str | None) -> None:
    assert scheme_of([(b"x-forwarded-proto", value) for value in said]) == scheme


@given(ip_addresses())
def test_an_address_is_read_with_its_port_and_without(address: ipaddress.IPv4Address) -> None:
    bracketed = f"[{address}]" if address.version == 6 else str(address)
    plain = plain_address(str(address))
    assert plain == plain_address(f"{bracketed}:80") != UNKNOWN
    assert plain_address(plain) == plain


@given(binary(max_size=80))
def test_whatever_a_client_writes_never_fails(raw: bytes) -> None:
    for header in (b"x-forwarded-for", b"forwarded"):
        address = client_of([(header, raw)], PROXY, is_trusted)
        assert address in {UNKNOWN, PROXY} or ipaddress.ip_address(address)

"""Every form in which an address leads inside is seen for what it is."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.addresses import Reach, embedded, is_in, parse_address, reach_of
from bascule.upstreams.egress import parse_networks

METADATA, LOOPBACK, PRIVATE = Reach.METADATA, Reach.LOOPBACK, Reach.PRIVATE


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("8.8.8.8", Reach.PUBLIC),
        ("2001:4860:4860::8888", Reach.PUBLIC),
        ("64:ff9b::8.8.8.8", Reach.PUBLIC),
        ("127.0.0.1", LOOPBACK),
        ("127.255.255.254", LOOPBACK),
        ("::1", LOOPBACK),
        ("10.0.0.1", PRIVATE),
        ("172.16.0.1", PRIVATE),
        ("172.31.255.255", PRIVATE),
        ("172.32.0.1", Reach.PUBLIC),
        ("192.168.1.1", PRIVATE),
        ("100.64.0.1", PRIVATE),
        ("fd12:3456::1", PRIVATE),
        ("fec0::1", PRIVATE),
        ("64:ff9b:1::a", METADATA),
        ("169.254.169.254", METADATA),
        ("168.63.129.16", METADATA),
        ("100.100.100.200", METADATA),
        ("fe80::1", METADATA),
        ("fd00:ec2::254", METADATA),
        ("fd20:ce::254", METADATA),
        ("fd00:c1::a9fe:a9fe", METADATA),
        ("64:ff9b:1::a9fe:a9fe", METADATA),
        ("0.0.0.1", Reach.SPECIAL),
        ("::", Reach.SPECIAL),
        ("224.0.0.1", Reach.SPECIAL),
        ("255.255.255.255", Reach.SPECIAL),
        ("ff02::1", Reach.SPECIAL),
        ("192.0.2.7", Reach.SPECIAL),
        ("198.18.0.1", Reach.SPECIAL),
        ("2001:db8::1", Reach.SPECIAL),
        ("4000::1", Reach.SPECIAL),
    ],
)
def test_an_address_is_known_by_where_it_leads(text: str, reach: Reach) -> None:
    assert reach_of(ip_address(text)) is reach


@pytest.mark.parametrize(
    ("inner", "reach"),
    [("127.0.0.1", LOOPBACK), ("10.1.2.3", PRIVATE), ("169.254.169.254", METADATA)],
)
def test_an_inner_address_is_known_in_every_disguise(inner: str, reach: Reach) -> None:
    number = int(IPv4Address(inner))
    disguises = [
        IPv6Address(f"::ffff:{inner}"),
        IPv6Address(f"::{inner}"),
        IPv6Address(f"64:ff9b::{inner}"),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
        IPv6Address((0x20010000 << 96) | (~number & 0xFFFFFFFF)),
    ]
    assert [reach_of(one) for one in disguises] == [reach] * 5
    assert {embedded(one) for one in disguises} == {IPv4Address(inner)}


def test_an_ordinary_ipv6_address_holds_no_other() -> None:
    assert embedded(IPv6Address("2001:4860::1")) is None
    assert embedded(IPv6Address("::1")) is None


@given(st.ip_addresses())
def test_what_is_called_public_is_outside_every_inner_network(
    address: IPv4Address | IPv6Address,
) -> None:
    if reach_of(address) is Reach.PUBLIC:
        assert not address.is_loopback
        assert not address.is_link_local
        assert not address.is_multicast
        assert not address.is_unspecified
        inside = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
        assert not is_in(address, parse_networks(inside))


@pytest.mark.parametrize(
    "text",
    ["0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "127.1", "127.0.0.01",
     "1.2.3.4.5", "256.0.0.1", "a.0x", "example.123"],
)  # fmt: skip
def test_odd_forms_of_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="four decimal numbers"):
        parse_address(text)


@pytest.mark.parametrize("text", ["fe80::1%eth0", "::1%1"])
def test_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        parse_address(text)


def test_what_has_a_colon_is_an_address_or_nothing() -> None:
    with pytest.raises(ValueError, match="no IPv6 address"):
        parse_address("a:b")


@pytest.mark.parametrize("name", ["localhost", "api.example.com", "xn--bcher-kva.example", "0x.de"])
def test_a_name_is_no_address(name: str) -> None:
    assert parse_address(name) is None


@given(st.ip_addresses())
def test_the_usual_form_is_read(address: IPv4Address | IPv6Address) -> None:
    assert parse_address(str(address)) == address

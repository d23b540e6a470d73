"""What an IP address is: reachable by all, or a way inside.

Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890), and what clouds
document of their metadata services.
"""

from enum import StrEnum
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


class Reach(StrEnum):
    """What an address leads to, in the words that operators read."""

    PUBLIC = "the public internet"
    LOOPBACK = "this machine"
    PRIVATE = "a private network"
    METADATA = "a link-local or metadata address"
    SPECIAL = "a multicast or reserved address"


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# The first match counts.
_TABLE: Final[tuple[tuple[Reach, tuple[Network, ...]], ...]] = (
    (
        Reach.METADATA,
        _networks(
            "169.254.0.0/16",
            "100.100.100.200/32",  # Alibaba Cloud
            "168.63.129.16/32",  # Azure, in the public range
            "fe80::/10",
            "fd00:ec2::254/128",  # AWS
            "fd20:ce::254/128",  # Google Cloud
            "fd00:c1::a9fe:a9fe/128",  # Oracle Cloud
            # NAT64 of one's own choice (RFC 8215): what is behind is unknown, metadata included.
            "64:ff9b:1::/48",
        ),
    ),
    (Reach.LOOPBACK, _networks("127.0.0.0/8", "::1/128")),
    (
        Reach.PRIVATE,
        _networks(
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",  # shared by carriers (RFC 6598)
            "fc00::/7",
            "fec0::/10",
        ),
    ),
    (
        Reach.SPECIAL,
        _networks(
            "0.0.0.0/8",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
            "2001::/23",
            "2001:db8::/32",
            "3fff::/20",
        ),
    ),
    (Reach.PUBLIC, _networks("0.0.0.0/0", "2000::/3")),
)

_MAPPED: Final = _networks("::ffff:0:0/96", "::/96", "64:ff9b::/96")
"""IPv6 forms with an IPv4 address at the end: mapped, compatible, NAT64 (RFC 4291, RFC 6052)."""
_TEREDO: Final = IPv6Network("2001::/32")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_FEWEST_COMPATIBLE: Final = 0x10000
"""Below it, `::/96` holds `::`, `::1` and their like, which are no IPv4 addresses."""


@lru_cache(maxsize=4096)
def reach_of(address: Address) -> Reach:
    """What `address` leads to; of an IPv6 address that holds an IPv4 one, what that leads to."""
    if isinstance(address, IPv6Address) and (inner := embedded(address)) is not None:
        return reach_of(inner)
    for reach, networks in _TABLE:
        if is_in(address, networks):
            return reach
    return Reach.SPECIAL


def embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to `address` end at, where it holds one."""
    number = int(address)
    if is_in(address, _MAPPED):
        low = number & 0xFFFFFFFF
        return IPv4Address(low) if number >= _FEWEST_COMPATIBLE else None
    if address in _SIX_TO_FOUR:
        return IPv4Address((number >> 80) & 0xFFFFFFFF)
    if address in _TEREDO:
        return IPv4Address(~number & 0xFFFFFFFF)
    return None


def is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    """Whether one of `networks` holds `address`."""
    return any(address.version == one.version and address in one for one in networks)


def parse_address(text: str) -> Address | None:
    """The address that `text` spells in its usual form, a zone left out of it; None if none.

    Raises:
        ValueError: it is an address in a form that not every reader understands alike, such as
            `0x7f.1`, `2130706433` or `127.0.0.01`; or one with a zone, which another machine lacks.
    """
    if ":" in text:
        try:
            address = ip_address(text)
        except ValueError:
            raise ValueError(f"{text[:80]!r} is no IPv6 address") from None
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            raise ValueError(f"{text[:80]!r} has a zone: leave out what follows the %")
        return address
    if not _ends_in_number(text):
        return None
    try:
        return ip_address(text)
    except ValueError:
        raise ValueError(
            f"{text[:80]!r} is an odd form of an IP address: write four decimal numbers"
        ) from None


def _ends_in_number(host: str) -> bool:
    """As the URL standard tells addresses from names (url.spec.whatwg.org, "ends in a number")."""
    last = host.rpartition(".")[2]
    if last.isascii() and last.isdigit():
        return True
    return last[:2].lower() == "0x" and all(one in "0123456789abcdefABCDEF" for one in last[2:])

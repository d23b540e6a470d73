"""For whom a proxy calls, as it says in X-Forwarded-For or Forwarded. No I/O.

Both list the addresses that a request came by, each proxy adding at the end whom it heard from.
Only what trusted proxies added can be believed, and so the list is read from its end.

Sources: RFC 7239 (Forwarded); the de-facto standard X-Forwarded-For.
"""

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Final

from bascule.transports.reply import HeaderList

_FOR: Final = b"x-forwarded-for"
_PROTO: Final = b"x-forwarded-proto"
_FORWARDED: Final = b"forwarded"
_MOST_HOPS: Final = 64
# RFC 7239 section 4: pairs, apart by ";", in elements, apart by ","; quoted strings may hold both.
_PAIR: Final = re.compile(
    r"[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([!#$%&'*+.^_`|~0-9A-Za-z-]+"
    r'|"(?:[^"\\]|\\.)*"))?[ \t]*([;,]|$)'
)
_NODE: Final = re.compile(
    r"\[([0-9A-Fa-f:.]+)\](?::[0-9_A-Za-z.-]+)?|([0-9.]+)(?::[0-9_A-Za-z.-]+)?"
)

UNKNOWN: Final = ""
"""The address of a client whom a proxy does not tell, or tells in no way that can be read."""


def client_of(headers: HeaderList, peer: str, is_trusted: Callable[[str], bool]) -> str:
    """The nearest address that is none of a trusted proxy, for a request from the proxy `peer`.

    `peer` itself where it names nobody. Where there is an X-Forwarded-For, Forwarded is not read:
    proxies that set only the former pass on what clients write into the latter.
    """
    for hop in reversed(_hops(headers)[-_MOST_HOPS:]):
        peer = plain_address(hop)
        if not is_trusted(peer):
            break
    return peer


def scheme_of(headers: HeaderList) -> str | None:
    """`http` or `https` where the nearest proxy says by which it was reached."""
    said = [value for name, value in headers if name == _PROTO]
    last = b",".join(said).rpartition(b",")[2].strip().lower()
    return last.decode("latin-1") if last in {b"http", b"https"} else None


def plain_address(node: str) -> str:
    """The address in `node`, without its port and in its usual form; `UNKNOWN` for all else."""
    found = _NODE.fullmatch(node)
    try:
        address = ip_address((found[1] or found[2]) if found else node)
    except ValueError:
        return UNKNOWN
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def _hops(headers: HeaderList) -> Sequence[str]:
    """The addresses as given, the nearest last; of a field that came repeatedly, all in order."""
    listed = [value for name, value in headers if name == _FOR]
    if listed:
        return [hop.strip() for hop in b",".join(listed).decode("latin-1").split(",")]
    lines = [value for name, value in headers if name == _FORWARDED]
    return _elements(b",".join(lines).decode("latin-1")) if lines else ()


def _elements(text: str) -> Sequence[str]:
    """What `for` says in each element; nothing readable counts as unknown, not as absent."""
    hops: list[str] = []
    node: str | None = None  # of this element; None while nothing was read of it
    position, separator = 0, ","
    while separator:
        found = _PAIR.match(text, position)
        if found is None:
            return [UNKNOWN]
        position, separator = found.end(), found[3]
        if found[1] is not None:
            told = found[1].lower() == "for"
            node = found[2].strip('"').replace("\\", "") if told else node or UNKNOWN
        if separator != ";" and node is not None:
            hops.append(node)
            node = None
    return hops

"""Who may reach a listener at all: Host and Origin, against DNS rebinding.

Source: specification 2026-07-28, basic/transports/streamable-http "Security & Endpoint".
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from bascule.transports.proxies import TRUST_NOBODY, Proxies

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_MOST_REMEMBERED: Final = 256
_AUTHORITY: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([0-9]{0,5}))?")


@dataclass(frozen=True, slots=True)
class DoorConfig:
    """Names this listener answers to, and web origins whose scripts may call it.

    Loopback names are always accepted as host. `allowed_origins` are exact, such as
    `https://console.example.com`; an origin on a loopback host is accepted on any port.
    """

    allowed_hosts: frozenset[str] = frozenset()
    allowed_origins: frozenset[str] = frozenset()


class Door:
    """Remembers good values, so that a known caller costs one set look-up.

    `proxies` tell whom a request comes from that is let in.
    """

    def __init__(self, config: DoorConfig, proxies: Proxies = TRUST_NOBODY) -> None:
        self.proxies = proxies
        self._hosts = _LOOPBACK | {host.lower().strip("[]") for host in config.allowed_hosts}
        self._origins = {origin.lower().rstrip("/") for origin in config.allowed_origins}
        self._good_hosts: set[bytes] = set()
        self._good_origins: set[bytes] = set()

    def admits(self, host: bytes | None, origin: bytes | None) -> str | None:
        """None when both are acceptable, else the reason to tell."""
        if host is None:
            return "the Host header is missing"
        if host not in self._good_hosts and not self._check(host, self._good_hosts, self._host):
            return "this Host is not served here; add it to server.allowed_hosts"
        if origin is None or origin in self._good_origins or _is_own(host, origin):
            return None
        if not self._check(origin, self._good_origins, self._origin):
            return "this Origin may not call here; add it to server.allowed_origins"
        return None

    def trusts(self, host: bytes | None, origin: bytes) -> bool:
        """Whether scripts of an `origin` that is admitted may use a person's cookies.

        A page of just any program on loopback may not, unless the gateway is there as well.
        """
        named = origin.decode("latin-1").lower() in self._origins
        return named or host_of(host) in _LOOPBACK

    @staticmethod
    def _check(value: bytes, good: set[bytes], accept: Callable[[str], bool]) -> bool:
        if not accept(value.decode("latin-1").lower()):
            return False
        if len(good) < _MOST_REMEMBERED:
            good.add(value)
        return True

    def _host(self, host: str) -> bool:
        return _hostname(host) in self._hosts

    def _origin(self, origin: str) -> bool:
        if origin in self._origins:
            return True
        scheme, _, authority = origin.partition("://")
        return scheme in {"http", "https"} and _hostname(authority) in _LOOPBACK


def _is_own(host: bytes, origin: bytes) -> bool:
    """Whether a page of this very host sent the request; the host has been judged."""
    scheme, _, authority = origin.partition(b"://")
    return authority == host and scheme in {b"http", b"https"}


def host_of(header: bytes | None) -> str:
    """The name in a Host header, in lower case and without its port; empty where there is none."""
    return _hostname((header or b"").decode("latin-1").lower()) or ""


def door_header_repeated(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether Host or Origin came twice: whichever is judged, somebody else may read the other."""
    names = [name for name, _ in headers]
    return names.count(b"host") > 1 or names.count(b"origin") > 1


def _hostname(authority: str) -> str | None:
    """The host in a lower-case `host[:port]`; None for anything that is more or less than that.

    Stricter than urllib, which drops tabs and newlines, and reads `[::1]x` as `::1`.
    """
    found = _AUTHORITY.fullmatch(authority)
    if found is None or int(found[3] or 0) > 65_535:
        return None
    return found[1] or found[2]


def loopback_only(hosts: Iterable[str]) -> bool:
    """Whether every one of `hosts` is a loopback name or address."""
    return all(host in _LOOPBACK or _is_loopback(host) for host in hosts)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name: only its resolver knows where 127.example.com leads
        return False

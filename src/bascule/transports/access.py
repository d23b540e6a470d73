"""Who may reach a listener at all: Host and Origin, against DNS rebinding.

Source: specification 2026-07-28, basic/transports/streamable-http "Security & Endpoint".
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_MOST_REMEMBERED: Final = 256


@dataclass(frozen=True, slots=True)
class DoorConfig:
    """Names this listener answers to, and web origins whose scripts may call it.

    Loopback names are always accepted as host. `allowed_origins` are exact, such as
    `https://console.example.com`; an origin on a loopback host is accepted on any port.
    """

    allowed_hosts: frozenset[str] = frozenset()
    allowed_origins: frozenset[str] = frozenset()


class Door:
    """Remembers good values, so that a known caller costs one set look-up."""

    def __init__(self, config: DoorConfig) -> None:
        self._hosts = _LOOPBACK | {host.lower() for host in config.allowed_hosts}
        self._origins = {origin.lower().rstrip("/") for origin in config.allowed_origins}
        self._good_hosts: set[bytes] = set()
        self._good_origins: set[bytes] = set()

    def admits(self, host: bytes | None, origin: bytes | None) -> str | None:
        """None when both are acceptable, else the reason to tell."""
        if host is None:
            return "the Host header is missing"
        if host not in self._good_hosts and not self._check(host, self._good_hosts, self._host):
            return "this Host is not served here; add it to server.allowed_hosts"
        if origin is None or origin in self._good_origins:
            return None
        if not self._check(origin, self._good_origins, self._origin):
            return "this Origin may not call here; add it to server.allowed_origins"
        return None

    @staticmethod
    def _check(value: bytes, good: set[bytes], accept: Callable[[str], bool]) -> bool:
        if not accept(value.decode("latin-1").lower()):
            return False
        if len(good) < _MOST_REMEMBERED:
            good.add(value)
        return True

    def _host(self, host: str) -> bool:
        return _hostname(f"//{host}") in self._hosts

    def _origin(self, origin: str) -> bool:
        if origin in self._origins:
            return True
        return origin.startswith(("http://", "https://")) and _hostname(origin) in _LOOPBACK


def _hostname(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises on a port that is no number
    except ValueError:
        return None
    has_more = parts.username is not None or parts.path or parts.query or parts.fragment
    return None if has_more else parts.hostname


def loopback_only(hosts: Iterable[str]) -> bool:
    """Whether every one of `hosts` is a loopback name or address."""
    return all(host in _LOOPBACK or host.startswith("127.") for host in hosts)

"""Rules that tie settings together. Each names the settings it reads."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bascule.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two settings that cannot both stand; `key` is the one to point at."""

    key: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`check` is meaningful where every one of `keys` is valid by itself."""

    keys: frozenset[str]
    check: Callable[[Settings], Contradiction | None]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost"


def _remote_is_wanted(settings: Settings) -> Contradiction | None:
    server = settings.server
    if server.allow_remote or is_loopback(server.host):
        return None
    return Contradiction(
        "server.host",
        f"server.host is {server.host}, which other machines can reach.",
        "Set server.allow_remote: true (flag --allow-remote) if that is meant, and put TLS in "
        "front; otherwise use 127.0.0.1.",
    )


def _workers_share_state(settings: Settings) -> Contradiction | None:
    if settings.server.workers == 1 or settings.redis.url.get_secret_value():
        return None
    return Contradiction(
        "server.workers",
        f"server.workers is {settings.server.workers}, but more than one worker needs Redis to "
        "share limits and changes.",
        "Set redis.url, for instance redis://127.0.0.1:6379/0, or keep one worker.",
    )


RULES: Final = (
    Rule(frozenset({"server.host", "server.allow_remote"}), _remote_is_wanted),
    Rule(frozenset({"server.workers", "redis.url"}), _workers_share_state),
)

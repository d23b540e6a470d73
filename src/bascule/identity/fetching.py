"""What identity needs of the network: documents of issuers, from addresses that may be asked."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import ClassVar, Final, Protocol
from urllib.parse import urlsplit

from bascule.gateway.errors import ErrorCode, GatewayError

_LONGEST_URL: Final = 2000


class IssuerUnusable(GatewayError):
    """An issuer cannot be reached, or says what cannot be used. `private` says which, and where."""

    error: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The issuer of this token cannot be asked for its keys. Try again shortly.",
            private=reason,
        )


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer to GET. A redirect is an answer, too, and is not followed."""

    status: int
    body: bytes


class Fetch(Protocol):
    """Fetches a document, bounded in size and time."""

    async def __call__(self, url: str, *, chosen_here: bool) -> Fetched:
        """GET `url`. `chosen_here` is false where a document named it, not an operator.

        Raises:
            IssuerUnusable: no answer, one that is too large, or the address may not be asked.
        """
        ...


def objection_to(url: str) -> str | None:
    """What is wrong with `url` as the address of an issuer or its documents; None for nothing."""
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        return "it is longer than 2,000 characters, or holds some that no URL has"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "its host or port cannot be read"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "it holds a user, a password or a fragment"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        return "it must begin with https:// (http:// is for loopback addresses only)"
    return None if host else "it names no host"


def is_loopback(host: str) -> bool:
    """Whether `host` says by itself that it is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

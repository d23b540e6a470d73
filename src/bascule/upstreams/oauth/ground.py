"""Which addresses the way to a token may lead over, seen from one upstream."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from bascule.upstreams.http1 import Origin

_LONGEST: Final = 2048


class Ground:
    """The upstream at `url`, which an operator chose, and what it may lead to.

    Authorization servers are reached over https. Plain http is for an upstream on this machine,
    which may have one beside it (MCP specification, authorization "Communication Security"), and
    for what an upstream itself says where that is spoken to by http anyway.
    """

    def __init__(self, url: str) -> None:
        """ValueError: not a usable URL."""
        self.origin, self.target = Origin.locate(url)
        self.is_local = is_loopback(self.origin.host)

    @property
    def canonical(self) -> str:
        """The canonical URI of the upstream (RFC 8707 section 2), without a lone slash."""
        return str(self.origin) if self.target == "/" else f"{self.origin}{self.target}"

    def resolve(self, url: str) -> tuple[Origin, str]:
        """Origin and target of `url`, which is fetched or sent to.

        Raises:
            ValueError: it must not be; says why, without repeating all of it.
        """
        if len(url) > _LONGEST:
            raise ValueError("a URL longer than 2048 characters")
        try:
            origin, target = Origin.locate(url)
        except ValueError as error:
            raise ValueError(f"an unusable URL ({str(error)[:100]})") from None
        if origin != self.origin:
            self._check(origin)
        return origin, target

    def check_issuer(self, url: str) -> None:
        """See that `url` may be an authorization server's.

        Raises:
            ValueError: it may not; says why.
        """
        origin, target = self.resolve(url)
        self._check(origin)
        if "?" in target:
            raise ValueError(f"an issuer with a query at {origin}")

    def check_server(self, url: str) -> tuple[Origin, str]:
        """As `resolve`, for an endpoint of an authorization server."""
        origin, target = self.resolve(url)
        self._check(origin)
        return origin, target

    def covers(self, resource: str) -> bool:
        """Whether `resource` is the upstream, or all of its host, or a part that holds it.

        A resource that is published at the root of a host names the host (RFC 9728 section 3.1).
        """
        if resource == self.canonical:
            return True
        try:
            origin, target = Origin.locate(resource)
        except ValueError:
            return False
        if origin != self.origin or "?" in target:
            return False
        path = urlsplit(self.target).path
        parent = target.rstrip("/")
        return path in {target, parent} or path.startswith(parent + "/")

    def _check(self, origin: Origin) -> None:
        if origin.scheme == "https":
            return
        if not (self.is_local and is_loopback(origin.host)):
            raise ValueError(f"{origin} is not reached over https")


def is_loopback(host: str) -> bool:
    """Whether `host`, as a URL has it, is this machine by its very spelling."""
    host = host.removesuffix(".").lower()
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

"""Where this gateway is found from outside, as an OAuth 2.0 protected resource.

Sources: RFC 9728 section 3 (well-known addresses); RFC 8707 section 2 (resource identifiers).
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind
from bascule.transports.paths import DoorKind, Doorway, door_at

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"

# As transports.access takes it for a host; whatever is not, is not repeated.
_AUTHORITY: Final = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_SLICE: Final = re.compile(r"/mcp/(?:bundles|servers)/(?P<name>[^/]+)")
_LONGEST_NAME: Final = 200
_KINDS: Final = {EndpointKind.BUNDLE: "bundles", EndpointKind.SERVER: "servers"}


@dataclass(frozen=True, slots=True)
class Place:
    """`public_url` where an operator set it; else the checked Host, under `scheme`."""

    public_url: str = ""
    scheme: str = "http"

    def base(self, host: bytes | None, scheme: str | None = None) -> str:
        """The address without a path, in lower case; empty where nothing is known.

        `scheme` is what a trusted proxy says that the client used.
        """
        if self.public_url:
            parts = urlsplit(self.public_url)
            path = parts.path.rstrip("/")
            return f"{parts.scheme.lower()}://{parts.netloc.lower()}{path}"
        authority = (host or b"").decode("latin-1").lower()
        return f"{scheme or self.scheme}://{authority}" if _AUTHORITY.fullmatch(authority) else ""

    def resource(self, host: bytes | None, path: str, scheme: str | None = None) -> str:
        """The URI of what is served at `path`; empty where the address is not known."""
        base = self.base(host, scheme)
        return base and base + quote(path, safe="/@:!$&'()*+,;=~")


def endpoint_path(endpoint: Endpoint) -> str:
    """The path at which Streamable HTTP serves `endpoint`."""
    if endpoint == EVERYTHING:
        return "/mcp"
    return f"/mcp/{_KINDS[endpoint.kind]}/{endpoint.name}"


def door_path(doorway: Doorway) -> str:
    """The path of the resource behind a door; the POSTs beside a stream belong to the stream."""
    kind = DoorKind.SSE if doorway.kind is DoorKind.MESSAGES else doorway.kind
    return f"{endpoint_path(doorway.endpoint)}/{kind}"


def metadata_url(resource: str) -> str:
    """Where the metadata of `resource` is: the well-known part goes before its path."""
    scheme, _, rest = resource.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority}{WELL_KNOWN}{slash}{path}"


def described_path(path: str) -> str | None:
    """The path of the resource whose metadata is at `path`; None where there is none.

    Bundles and servers count by the form of their name alone: nobody learns here which there are.
    """
    path = path.removeprefix(WELL_KNOWN)
    if path in {"", "/", "/mcp", "/mcp/"}:
        return path.rstrip("/")
    door = door_at(path)
    if door is not None:
        if door.kind is DoorKind.MESSAGES:
            return None
        slice_path = endpoint_path(door.endpoint)
        return path if slice_path == "/mcp" or _names_something(slice_path) else None
    return path if _names_something(path) else None


def _names_something(path: str) -> bool:
    found = _SLICE.fullmatch(path)
    if found is None:
        return False
    name = found["name"]
    return name.isprintable() and len(name) <= _LONGEST_NAME and name not in {".", ".."}

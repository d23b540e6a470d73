"""The paths of the doors beside `/mcp`: each serves everything, one bundle, or one server."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind

_PATH: Final = re.compile(
    r"/mcp(?:/(?P<kind>bundles|servers)/(?P<name>[^/]+))?/(?P<door>ws|sse/messages|sse)"
)
BUNDLE_VERSION: Final = b"x-mcp-bundle-version"
_LONGEST_PIN: Final = 64
_KINDS: Final = {"bundles": EndpointKind.BUNDLE, "servers": EndpointKind.SERVER}


class DoorKind(StrEnum):
    """How MCP is spoken behind a door."""

    SSE = "sse"
    MESSAGES = "sse/messages"
    """Where the client of an SSE stream posts."""
    WEBSOCKET = "ws"


class Doorway(NamedTuple):
    """A door, and the slice of the catalogue behind it."""

    kind: DoorKind
    endpoint: Endpoint


def pinned_bundle(endpoint: Endpoint, headers: Mapping[bytes, bytes]) -> Endpoint:
    """`endpoint` in the release that a header pins, which is as good as `name@version`.

    What stands in the path wins.
    """
    pin = headers.get(BUNDLE_VERSION, b"").decode("latin-1").strip(" \t")
    if not pin or "@" in endpoint.name:
        return endpoint
    return Endpoint(endpoint.kind, f"{endpoint.name}@{pin[:_LONGEST_PIN]}")


def door_at(path: str) -> Doorway | None:
    """The door at `path`; None where there is none."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    kind = found["kind"]
    endpoint = Endpoint(_KINDS[kind], found["name"]) if kind else EVERYTHING
    return Doorway(DoorKind(found["door"]), endpoint)

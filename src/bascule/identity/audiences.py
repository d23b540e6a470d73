"""For whom a token is (RFC 8707; MCP specification 2026-07-28, basic/authorization).

Its `aud` names an audience that the issuer's record lists or, where that lists none, an address of
this gateway: its own, which is good everywhere; its `/mcp`, which is good for MCP and not for the
REST API; or one endpoint, and then it is good there only.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from bascule.gateway.issuer import Issuer
from bascule.identity.claims import Claims, at, texts_of
from bascule.identity.rejections import Reason, Rejection, shown

# The doors of WebSocket and SSE lead to the endpoint they are at.
_PLACE: Final = re.compile(r"(?:(/mcp(?:/(?:bundles|servers)/[^/]+)?)(?:/(?:ws|sse))?)?")
_MCP: Final = "/mcp"
_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a token is good: `places` are paths, "/mcp" all those of MCP; None everywhere."""

    places: frozenset[str] | None = None

    def includes(self, place: str) -> bool:
        """Whether it is good at `place`, the path of an endpoint. Releases are in their bundle."""
        if self.places is None or place in self.places:
            return True
        if _MCP in self.places and place.startswith("/mcp/"):
            return True
        return "@" in place and place.partition("@")[0] in self.places


EVERYWHERE: Final = Reach()


def reach_of(claims: Claims, issuer: Issuer, addresses: Iterable[str]) -> Reach | Rejection:
    """Where a token with `claims` is good. `addresses` are those of this gateway, no path."""
    named = _named(claims, issuer)
    if issuer.audiences:
        if not named.isdisjoint(issuer.audiences):
            return EVERYWHERE
        return _wrong(named, issuer.audiences)
    here = [normal_uri(one) for one in addresses]
    if not here:
        return Rejection(
            Reason.AUDIENCE,
            "the address of this gateway is not known: set server.public_url, or audiences of "
            "the issuer",
        )
    uris = [normal_uri(one) for one in named]
    paths = [uri[len(base) :] for uri in uris for base in here if uri.startswith(base)]
    found = [one[1] or "" for path in paths if (one := _PLACE.fullmatch(path))]
    if not found:
        return _wrong(named, [f"{one}/mcp" for one in here])
    places = frozenset(map(unquote, found))
    return EVERYWHERE if "" in places else Reach(places)


def normal_uri(uri: str) -> str:
    """`uri` in the form of comparison: scheme and host in lower case, no usual port, no final /."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return uri
    if parts.scheme not in _PORTS or parts.query or parts.fragment or parts.username is not None:
        return uri
    name = f"[{host}]" if ":" in host else host
    shown_port = "" if port is None or port == _PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{name}{shown_port}{parts.path.rstrip('/')}"


def _named(claims: Claims, issuer: Issuer) -> frozenset[str]:
    for path in issuer.audience_claims:
        found = at(claims, path)
        if found is not None:
            return frozenset(texts_of(found))
    return frozenset()


def _wrong(named: frozenset[str], wanted: Sequence[str]) -> Rejection:
    said = shown(sorted(named)) if named else "nothing"
    return Rejection(Reason.AUDIENCE, f"its audience is {said}, not one of {shown(list(wanted))}")

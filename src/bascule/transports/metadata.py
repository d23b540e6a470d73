"""The public description of this gateway as an OAuth 2.0 protected resource.

Sources: RFC 9728; specification 2026-07-28, basic/authorization/authorization-server-discovery.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from bascule.gateway.errors import ErrorCode
from bascule.gateway.scopes import basic_scopes, issuers_at
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse
from bascule.transports.access import host_of
from bascule.transports.cors import FOR_ANYONE, public_preflight
from bascule.transports.places import Place, described_path
from bascule.transports.reply import HeaderList, Reply


class Description(msgspec.Struct, frozen=True, omit_defaults=True):
    """The members of the document, as RFC 9728 section 2 names them."""

    resource: str
    authorization_servers: tuple[str, ...]
    bearer_methods_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...] = ()
    resource_name: str = ""
    resource_documentation: str = ""


class Metadata:
    """Answers requests for the description; `name` is for people who are asked for consent."""

    def __init__(self, place: Place, snapshot: Callable[[], Snapshot], name: str = "") -> None:
        """`snapshot` gives the one in force."""
        self._place = place
        self._snapshot = snapshot
        self._name = name

    def answer(
        self, method: str, path: str, headers: Mapping[bytes, bytes], scheme: str | None = None
    ) -> Reply | Refuse:
        """The answer at a well-known `path`. The Host among `headers` is one that is served here.

        Who asks, and whether a bundle or server of that name exists, makes no difference.
        """
        if method == "OPTIONS":
            return public_preflight()
        if method not in {"GET", "HEAD"}:
            return Reply(405, b"", [(b"allow", b"GET, HEAD, OPTIONS"), *FOR_ANYONE])
        described = described_path(path)
        host = headers.get(b"host")
        base = self._place.base(host, scheme)
        if described is None or not base:
            return _NOTHING
        issuers = issuers_at(self._snapshot(), host_of(host))
        if not issuers:
            return _KEYS_ONLY
        body = _encode(
            Description(
                resource=self._place.resource(host, described, scheme),
                authorization_servers=tuple(sorted(one.issuer for one in issuers)),
                bearer_methods_supported=("header",),
                scopes_supported=basic_scopes(issuers),
                resource_name=self._name,
                resource_documentation=f"{base}/",
            )
        )
        return Reply(200, b"" if method == "HEAD" else body, _HEADERS)


_encode: Final = msgspec.json.Encoder().encode
_HEADERS: Final[HeaderList] = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"public, max-age=60"),
    *FOR_ANYONE,
]
_NOTHING: Final = Refuse(
    ErrorCode.NOT_FOUND,
    public="No resource is described here. This gateway's are /mcp, /mcp/bundles/{name} and "
    "/mcp/servers/{name}.",
    private="no such resource",
)
_KEYS_ONLY: Final = Refuse(
    ErrorCode.NOT_FOUND,
    public="No authorization server is set up here: this gateway takes API keys only. "
    "Send one as Authorization: Bearer <key>.",
    private="no issuers",
)

"""`host`, `basePath` and `schemes` as one server."""

from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.shapes import JsonObject, as_list
from bascule.catalogue.openapi.swagger2.origins import Origins

_SCHEMES: Final = ("https", "http")


def upgrade_servers(root: Node, context: Context, origins: Origins) -> list[JsonObject]:
    """The server of the document, over TLS where it has a choice; none where it names none."""
    host, base_path = root.text("host"), root.text("basePath") or ""
    if base_path and not base_path.startswith("/"):
        base_path = "/" + base_path
    if host is None:
        if base_path in ("", "/"):
            return []
        origins.note(("servers", "0", "url"), ("basePath",))
        return [{"url": base_path}]
    origins.note(("servers", "0", "url"), ("host",))
    return [{"url": f"{_scheme(root, context)}://{host}{base_path}"}]


def own_servers(operation: Node, servers: list[JsonObject]) -> list[JsonObject]:
    """The server of an operation whose `schemes` rule out that of the document."""
    offered = as_list(operation.members.get("schemes"))
    scheme, mark, rest = str(servers[0]["url"]).partition("://") if servers else ("", "", "")
    others = [one for one in _SCHEMES if one in (offered or ())]
    if not mark or not others or scheme in others:
        return []
    return [{"url": f"{others[0]}://{rest}"}]


def _scheme(root: Node, context: Context) -> str:
    offered = as_list(root.members.get("schemes")) or []
    for scheme in _SCHEMES:
        if scheme in offered:
            return scheme
    context.remarks.add(("host",), "No scheme is given that can be used; https is assumed.")
    return _SCHEMES[0]

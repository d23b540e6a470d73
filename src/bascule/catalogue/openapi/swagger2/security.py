"""Security definitions of Swagger 2.0 as Security Scheme Objects."""

from typing import Final

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.shapes import JsonObject

_FLOWS: Final = {
    "implicit": "implicit",
    "password": "password",
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
}
_ADDRESSES: Final = ("authorizationUrl", "tokenUrl")


def upgrade_security(definitions: Node | None) -> JsonObject:
    """`securityDefinitions` as `components.securitySchemes`."""
    found = definitions.children() if definitions else ()
    return {name: _scheme(node) for name, node in found}


def _scheme(node: Node) -> JsonObject:
    members = node.members
    kind = members.get("type")
    if kind == "basic":
        described = {"description": members["description"]} if "description" in members else {}
        return {"type": "http", "scheme": "basic", **described}
    if kind != "oauth2":
        return dict(members)
    flow: JsonObject = {key: members[key] for key in _ADDRESSES if key in members}
    flow["scopes"] = members.get("scopes", {})
    kept = {key: members[key] for key in ("type", "description") if key in members}
    name = _FLOWS.get(str(members.get("flow")))
    return {**kept, "flows": {name: flow} if name else {}}

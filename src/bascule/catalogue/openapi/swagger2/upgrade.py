"""A Swagger 2.0 document as an OpenAPI 3.0 document, and where each part of it came from."""

from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.findings import Remarks
from bascule.catalogue.openapi.shapes import JsonObject
from bascule.catalogue.openapi.swagger2.operations import upgrade_paths
from bascule.catalogue.openapi.swagger2.origins import Origins
from bascule.catalogue.openapi.swagger2.schemas import SchemaUpgrade
from bascule.catalogue.openapi.swagger2.security import upgrade_security
from bascule.catalogue.openapi.swagger2.servers import upgrade_servers
from bascule.catalogue.openapi.swagger2.shared import Shared, media_types

_KEPT: Final = ("info", "tags", "externalDocs", "security")


@dataclass(frozen=True, slots=True)
class Upgraded:
    """`root` is one document without references to other files."""

    root: JsonObject
    origins: Origins


def upgrade(document: Document, remarks: Remarks, budget: Budget) -> Upgraded:
    """Say in OpenAPI 3.0 what `document` says in Swagger 2.0.

    `remarks` takes places of `document`, not of what is made of it. References that lead nowhere
    stay, and are reported by whoever follows them.

    Raises:
        DocumentRejected: the budget is spent, or a file that is referred to is not well-formed.
    """
    root, origins = document.root, Origins()
    context = Context(document, ignores_ref_siblings=True, remarks=remarks, budget=budget)
    shared = Shared(
        context,
        SchemaUpgrade(context, origins),
        origins,
        media_types(root, "consumes", ()),
        media_types(root, "produces", ()),
    )
    servers = upgrade_servers(root, context, origins)
    upgraded: JsonObject = {
        key: value for key, value in root.members.items() if key in _KEPT or key.startswith("x-")
    }
    upgraded |= {"openapi": "3.0.3", "servers": servers} if servers else {"openapi": "3.0.3"}
    upgraded["paths"] = upgrade_paths(root.get("paths") or Node({}, ()), servers, shared)
    upgraded["components"] = {
        "schemas": shared.schemas.complete(),
        "responses": shared.responses,
        "securitySchemes": upgrade_security(root.get("securityDefinitions")),
    }
    origins.note(("components", "securitySchemes"), ("securityDefinitions",))
    return Upgraded(upgraded, origins)

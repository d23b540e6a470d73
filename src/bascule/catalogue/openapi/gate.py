"""What is let in: OpenAPI 3.0 and 3.1. Anything else is named, with a way forward."""

import re
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import DocumentRejected, Finding
from bascule.catalogue.openapi.shapes import as_object
from bascule.catalogue.openapi.wording import LONGEST_TITLE, shorten

_VERSION: Final = re.compile(r"3\.([01])(\..*)?")
_LONGEST_VERSION: Final = 40
_ACCEPTED: Final = "OpenAPI 3.0 and 3.1 are accepted."


@dataclass(frozen=True, slots=True)
class Admission:
    """What the head of an accepted document says."""

    title: str
    version: str
    is_3_0: bool


def admit(root: Node) -> Admission:
    """Check that the document is one that can be converted.

    Raises:
        DocumentRejected: it is of another kind or version, or has no paths.
    """
    if as_object(root.value) is None:
        raise DocumentRejected(
            f"The document is not an object, so not an OpenAPI description. {_ACCEPTED}"
        )
    match = _VERSION.fullmatch(_scalar(root, "openapi"))
    if match is None:
        raise _other_kind(root)
    paths = root.get("paths")
    if paths is None or not paths.members:
        raise _rejected("paths", "The document describes no paths, so there is nothing to call.")
    info = root.get("info") or Node({}, ("info",))
    return Admission(
        title=shorten(info.text("title") or "Untitled API", LONGEST_TITLE),
        version=shorten(_scalar(info, "version") or "0", _LONGEST_VERSION),
        is_3_0=match.group(1) == "0",
    )


def _scalar(node: Node, name: str) -> str:
    """A member that should be text; YAML authors leave out the quotes of `3.1`."""
    value = node.members.get(name)
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _other_kind(root: Node) -> DocumentRejected:
    swagger = _scalar(root, "swagger")
    if swagger:
        return _rejected(
            "swagger",
            f"Swagger {swagger[:20]} is not accepted. Convert it to OpenAPI 3 first, for example: "
            "npx swagger2openapi swagger.json --outfile openapi.json",
        )
    if root.get("asyncapi"):
        return _rejected("asyncapi", f"This is an AsyncAPI document. {_ACCEPTED}")
    schema = (root.get("info") or Node({}, ())).text("schema") or ""
    if "getpostman.com" in schema:
        return _rejected("info", f"This is a Postman collection. Export it as OpenAPI. {_ACCEPTED}")
    version = _scalar(root, "openapi")
    if not version:
        return _rejected(
            "openapi", f"Not an OpenAPI description: it has no `openapi` member. {_ACCEPTED}"
        )
    return _rejected("openapi", f"OpenAPI {version[:20]} is not accepted. {_ACCEPTED}")


def _rejected(member: str, message: str) -> DocumentRejected:
    return DocumentRejected(message, [Finding(f"#/{member}", message)])

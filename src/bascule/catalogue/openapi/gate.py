"""What is let in: Swagger 2.0, OpenAPI 3.0 to 3.2. Anything else is named, with a way forward."""

import re
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import DocumentRejected, Finding
from bascule.catalogue.openapi.shapes import as_object
from bascule.catalogue.openapi.wording import LONGEST_TITLE, shorten

SWAGGER_2: Final = "2.0"

_VERSION: Final = re.compile(r"(3\.[012])(\..*)?")
_SWAGGER_VERSION: Final = re.compile(r"2(\.0)?(\..*)?")
_LONGEST_VERSION: Final = 40
_ACCEPTED: Final = "Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2 are accepted."


@dataclass(frozen=True, slots=True)
class Admission:
    """What the head of an accepted document says. `dialect` is 2.0, 3.0, 3.1 or 3.2."""

    title: str
    version: str
    dialect: str

    @property
    def is_3_0(self) -> bool:
        """Is it of the time before schemas were JSON Schema 2020-12?"""
        return self.dialect in (SWAGGER_2, "3.0")


def admit(root: Node) -> Admission:
    """Check that the document is one that can be converted.

    Raises:
        DocumentRejected: it is of another kind or version, or has no paths.
    """
    if as_object(root.value) is None:
        raise DocumentRejected(
            f"The document is not an object, so not an OpenAPI description. {_ACCEPTED}"
        )
    dialect = _dialect(root)
    _check_paths(root)
    info = root.get("info") or Node({}, ("info",))
    return Admission(
        title=shorten(info.text("title") or "Untitled API", LONGEST_TITLE),
        version=shorten(_scalar(info, "version") or "0", _LONGEST_VERSION),
        dialect=dialect,
    )


def _dialect(root: Node) -> str:
    match = _VERSION.fullmatch(_scalar(root, "openapi"))
    if match is not None:
        return match.group(1)
    if "openapi" not in root.members and _SWAGGER_VERSION.fullmatch(_scalar(root, "swagger")):
        return SWAGGER_2
    raise _other_kind(root)


def _check_paths(root: Node) -> None:
    paths = root.get("paths")
    if paths is not None and paths.members:
        return
    if root.get("webhooks"):
        raise _rejected(
            "webhooks",
            "The document describes only webhooks: calls that the API makes, so there is nothing "
            "to call.",
        )
    if paths is not None and paths.value != {}:
        raise _rejected("paths", "The document describes no paths: `paths` must be an object.")
    raise _rejected("paths", "The document describes no paths, so there is nothing to call.")


def _scalar(node: Node, name: str) -> str:
    """A member that should be text; YAML authors leave out the quotes of `3.1`."""
    value = node.members.get(name)
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _other_kind(root: Node) -> DocumentRejected:
    old = _scalar(root, "swaggerVersion")
    if old:
        return _rejected("swaggerVersion", f"Swagger {old[:20]} is not accepted. {_ACCEPTED}")
    swagger = _scalar(root, "swagger")
    if swagger and "openapi" not in root.members:
        return _rejected("swagger", f"Swagger {swagger[:20]} is not accepted. {_ACCEPTED}")
    if root.get("asyncapi"):
        return _rejected("asyncapi", f"This is an AsyncAPI document. {_ACCEPTED}")
    schema = (root.get("info") or Node({}, ())).text("schema") or ""
    if "getpostman.com" in schema or "postman.com" in schema:
        return _rejected("info", f"This is a Postman collection. Export it as OpenAPI. {_ACCEPTED}")
    version = _scalar(root, "openapi")
    if not version:
        return _rejected(
            "openapi",
            f"Not an OpenAPI description: it has no `openapi` or `swagger` member. {_ACCEPTED}",
        )
    return _rejected("openapi", f"OpenAPI {version[:20]} is not accepted. {_ACCEPTED}")


def _rejected(member: str, message: str) -> DocumentRejected:
    return DocumentRejected(message, [Finding(f"#/{member}", message)])

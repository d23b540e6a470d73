"""What is odd about a document as a whole, and no tool suffers from: said, and nothing changed."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, cast

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.shapes import JsonObject, as_object, as_text

_VARIABLE: Final = re.compile(r"\{[^{}]*\}")
_COMPONENTS: Final = (
    "schemas", "responses", "parameters", "requestBodies", "headers", "examples",
)  # fmt: skip

_CONTAINERS: Final = (dict, list)


def review(context: Context) -> None:
    """Remark on parts that nothing refers to, unknown security schemes, and equal paths."""
    root = context.document.root
    _review_components(root, context)
    _review_security(root, context)
    _review_paths(root, context)


def _review_components(root: Node, context: Context) -> None:
    components = root.get("components")
    if components is None:
        return
    references = _references(root.value)
    if not all(one.startswith("#") for one in references):
        return  # what other files refer to is not known here
    used = {tuple(one.split("/", maxsplit=4)[:4]) for one in references}
    for section in _COMPONENTS:
        declared = components.get(section)
        for name, node in declared.children() if declared else ():
            escaped = name.replace("~", "~0").replace("/", "~1")
            if ("#", "components", section, escaped) not in used:
                context.remarks.add(node.pointer, f"Nothing refers to {name[:80]!r}.")


def _references(root: object) -> set[str]:
    """Every `$ref` of the document, and what its discriminators map to."""
    found: set[str] = set()
    pending: list[object] = [root] if isinstance(root, _CONTAINERS) else []
    while pending:  # over every value of the document, so as plain as can be
        value = pending.pop()
        inner = cast("Iterable[object]", value)
        if isinstance(value, dict):
            members = cast("JsonObject", value)
            inner = members.values()
            reference = members.get("$ref")
            if isinstance(reference, str):
                found.add(reference)
            if "discriminator" in members:
                found |= set(_mapped(members["discriminator"]))
        pending += [one for one in inner if isinstance(one, _CONTAINERS)]
    return found


def _mapped(discriminator: object) -> Iterator[str]:
    mapping: JsonObject = as_object((as_object(discriminator) or {}).get("mapping")) or {}
    for target in mapping.values():
        text = as_text(target)
        if text is not None:
            yield text if "/" in text else f"#/components/schemas/{text}"


def _review_security(root: Node, context: Context) -> None:
    components = root.get("components")
    declared = components.get("securitySchemes") if components else None
    known = declared.members if declared else {}
    for owner in (root, *_operations(root)):
        security = owner.get("security")
        for alternative in security.items() if security else ():
            for name, node in alternative.children():
                # A URI may name a scheme as well since OpenAPI 3.2.
                if name not in known and "/" not in name and "#" not in name:
                    context.remarks.add(
                        node.pointer, f"The security scheme {name[:80]!r} is not described."
                    )


def _operations(root: Node) -> Iterator[Node]:
    paths = root.get("paths")
    for _, item in paths.children() if paths else ():
        for _, operation in item.children():
            if "security" in operation.members:
                yield operation


def _review_paths(root: Node, context: Context) -> None:
    paths = root.get("paths")
    seen: dict[str, str] = {}
    for path, node in paths.children() if paths else ():
        shape = _VARIABLE.sub("{}", path)
        if seen.setdefault(shape, path) != path:
            context.remarks.add(
                node.pointer,
                f"But for the names of its variables this is the path {seen[shape][:160]!r}.",
            )

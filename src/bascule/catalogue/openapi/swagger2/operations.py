"""Paths and operations of Swagger 2.0, parameters and bodies told apart."""

from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.operations import METHODS, resolve_item
from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.shapes import JsonObject
from bascule.catalogue.openapi.swagger2.bodies import upgrade_body, upgrade_form
from bascule.catalogue.openapi.swagger2.parameters import upgrade_parameter
from bascule.catalogue.openapi.swagger2.responses import upgrade_responses
from bascule.catalogue.openapi.swagger2.servers import own_servers
from bascule.catalogue.openapi.swagger2.shared import Shared, media_types, unresolved

_KEPT: Final = (
    "tags", "summary", "description", "externalDocs", "operationId", "deprecated", "security",
)  # fmt: skip
_STEPS_PER_PARAMETER: Final = 10
_METHODS: Final = METHODS - {"query"} | {"trace"}


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Parameters by what becomes of them."""

    plain: list[JsonObject]
    bodies: list[Node]
    fields: list[Node]


def upgrade_paths(paths: Node, servers: list[JsonObject], shared: Shared) -> JsonObject:
    """The Paths Object."""
    upgraded: JsonObject = {}
    for path, node in paths.children():
        if path.startswith("x-"):
            continue
        try:
            item = resolve_item(node, shared.context)
        except Unconvertible as problem:
            shared.context.remarks.add(problem.pointer, f"Path left out: {problem.reason}")
            continue
        upgraded[path] = _item(item, ("paths", path), servers, shared)
    return upgraded


def _item(item: Node, place: Pointer, servers: list[JsonObject], shared: Shared) -> object:
    if not isinstance(item.value, dict):
        return item.value
    shared.note(place, item)
    own = _sort(item.get("parameters"), (*place, "parameters"), shared)
    upgraded: JsonObject = {"parameters": own.plain} if own.plain else {}
    for name, node in item.children():
        if name not in _METHODS:
            continue
        target = shared.follow(node)
        if target is None:
            upgraded[name] = unresolved(node)
        elif isinstance(target.value, dict):
            upgraded[name] = _operation(target, (*place, name), own, servers, shared)
        else:
            upgraded[name] = target.value
    return upgraded


def _operation(
    node: Node, place: Pointer, of_item: _Sorted, servers: list[JsonObject], shared: Shared
) -> JsonObject:
    shared.note(place, node)
    shared.context.budget.spend(1 + len(node.members))
    upgraded: JsonObject = {
        key: value for key, value in node.members.items() if key in _KEPT or key.startswith("x-")
    }
    own = _sort(node.get("parameters"), (*place, "parameters"), shared)
    if own.plain:
        upgraded["parameters"] = own.plain
    body = _body(node, (*place, "requestBody"), of_item, own, shared)
    if body is not None:
        upgraded["requestBody"] = body
    responses = node.get("responses")
    if responses is not None:
        produces = media_types(node, "produces", shared.produces)
        upgraded["responses"] = upgrade_responses(
            responses, produces, (*place, "responses"), shared
        )
    other = own_servers(node, servers)
    return {**upgraded, "servers": other} if other else upgraded


def _sort(parameters: Node | None, place: Pointer, shared: Shared) -> _Sorted:
    found = _Sorted([], [], [])
    for reference in parameters.items() if parameters else ():
        shared.context.budget.spend(_STEPS_PER_PARAMETER)
        node = shared.follow(reference)
        at = (*place, str(len(found.plain)))
        if node is None:
            shared.note(at, reference)
            found.plain.append(unresolved(reference))
        elif node.members.get("in") == "body":
            found.bodies.append(node)
        elif node.members.get("in") == "formData":
            if node.text("name") is None:
                shared.context.remarks.add(node.pointer, "Form field left out: it has no name.")
            else:
                found.fields.append(node)
        else:
            found.plain.append(upgrade_parameter(node, at, shared))
    return found


def _body(
    operation: Node, place: Pointer, of_item: _Sorted, own: _Sorted, shared: Shared
) -> JsonObject | None:
    consumes = media_types(operation, "consumes", shared.consumes)
    fields = {field.text("name"): field for field in (*of_item.fields, *own.fields)}
    bodies = [*of_item.bodies, *own.bodies]
    if bodies and (fields or len(bodies) > len(of_item.bodies) + 1):
        shared.context.remarks.add(
            operation.pointer, "An operation has one body; the last that is described is taken."
        )
    if bodies:
        return upgrade_body(bodies[-1], consumes, place, shared)
    return upgrade_form(list(fields.values()), consumes, place, shared) if fields else None

"""The operations of a document, one by one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.paths import variables, without_fragment

METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "query"})
_ADDITIONAL: Final = "additionalOperations"
_METHOD: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}")
_NOT_FOR_CALLERS: Final = frozenset({"TRACE", "CONNECT"})
_STEPS_PER_OPERATION: Final = 20
# What an author may add beside the `$ref` of a path item, and mean.
_OF_ITEM: Final = METHODS | {_ADDITIONAL, "parameters", "servers", "summary", "description"}


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path. `item` is the path item, whose parameters and servers it shares."""

    method: str
    path: str
    variables: tuple[str, ...]
    node: Node
    item: Node


@dataclass(frozen=True, slots=True)
class _Overlaid(Node):
    """A path item with what stands beside the reference to it, each part where it was written."""

    beside: Node

    def get(self, name: str) -> Node | None:
        return self.beside.get(name) or Node.get(self, name)

    def children(self) -> Iterator[tuple[str, Node]]:
        for name in self.members:
            node = self.get(name)
            if node is not None:
                yield name, node


def list_operations(context: Context) -> Iterator[Operation]:
    """Every operation that can be requested, in the order of the document."""
    webhooks = context.document.root.get("webhooks")
    if webhooks is not None and webhooks.members:
        context.remarks.add(
            webhooks.pointer, "Webhooks are left out: they are calls that the API makes."
        )
    paths = context.document.root.get("paths")
    for template, node in paths.children() if paths else ():
        if template.startswith("x-"):
            continue
        path = without_fragment(template)
        try:
            names = variables(path)
            item = resolve_item(node, context)
        except ValueError as error:
            context.remarks.add(node.pointer, f"Left out: {error}.")
            continue
        except Unconvertible as problem:
            context.remarks.add(problem.pointer, f"Path left out: {problem.reason}")
            continue
        yield from _operations(path, names, item, context)


def resolve_item(node: Node, context: Context) -> Node:
    """A path item, or what it refers to together with what stands beside the reference.

    Raises:
        Unconvertible: a reference in it leads nowhere.
    """
    target = context.document.follow(node)
    if "$ref" not in node.members or _OF_ITEM.isdisjoint(node.members):
        return target
    beside = {name: value for name, value in node.members.items() if name in _OF_ITEM}
    return _Overlaid({**target.members, **beside}, target.pointer, Node(beside, node.pointer))


def _operations(
    path: str, names: tuple[str, ...], item: Node, context: Context
) -> Iterator[Operation]:
    for method, node in _methods(item, context):
        try:
            operation = context.document.follow(node)
        except Unconvertible as problem:
            context.remarks.add(problem.pointer, f"Left out: {problem.reason}")
            continue
        if not isinstance(operation.value, dict):
            context.remarks.add(node.pointer, "Left out: an operation must be an object.")
            continue
        context.budget.spend(_STEPS_PER_OPERATION)
        yield Operation(method, path, names, operation, item)


def _methods(item: Node, context: Context) -> Iterator[tuple[str, Node]]:
    """The methods of a path item as they are sent, those beyond the fixed ones included."""
    for name, node in item.children():
        if name in METHODS:
            yield name.upper(), node
        elif name == "trace":
            context.remarks.add(node.pointer, "Left out: TRACE is for diagnosis, not for callers.")
        elif name == _ADDITIONAL:
            yield from _additional(node, context)


def _additional(more: Node, context: Context) -> Iterator[tuple[str, Node]]:
    for method, node in more.children():
        if not _METHOD.fullmatch(method):
            context.remarks.add(node.pointer, f"Left out: {method[:40]!r} is not a method.")
        elif method.lower() in METHODS or method.upper() in _NOT_FOR_CALLERS:
            context.remarks.add(
                node.pointer, f"Left out: {method[:40]} is not a method that belongs here."
            )
        else:
            yield method, node

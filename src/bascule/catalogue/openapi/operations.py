"""The operations of a document, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.paths import variables

_METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
_STEPS_PER_OPERATION: Final = 20


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path. `item` is the path item, whose parameters and servers it shares."""

    method: str
    path: str
    variables: tuple[str, ...]
    node: Node
    item: Node


def list_operations(context: Context) -> Iterator[Operation]:
    """Every operation that can be requested, in the order of the document."""
    paths = context.document.root.get("paths")
    for path, node in paths.children() if paths else ():
        if path.startswith("x-"):
            continue
        try:
            names = variables(path)
            item = context.document.follow(node)
        except ValueError as error:
            context.remarks.add(node.pointer, f"Left out: {error}.")
            continue
        except Unconvertible as problem:
            context.remarks.add(problem.pointer, f"Path left out: {problem.reason}")
            continue
        yield from _operations(path, names, item, context)


def _operations(
    path: str, names: tuple[str, ...], item: Node, context: Context
) -> Iterator[Operation]:
    for method, node in item.children():
        if method == "trace":
            context.remarks.add(node.pointer, "Left out: TRACE is for diagnosis, not for callers.")
        if method not in _METHODS:
            continue
        try:
            operation = context.document.follow(node)
        except Unconvertible as problem:
            context.remarks.add(problem.pointer, f"Left out: {problem.reason}")
            continue
        if not isinstance(operation.value, dict):
            context.remarks.add(node.pointer, "Left out: an operation must be an object.")
            continue
        context.budget.spend(_STEPS_PER_OPERATION)
        yield Operation(method.upper(), path, names, operation, item)

"""A document to walk through: nodes that know where they are, and references within it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.pointers import Pointer, parse_fragment
from bascule.catalogue.openapi.shapes import (
    JsonObject,
    as_flag,
    as_list,
    as_object,
    as_text,
)

_MOST_HOPS: Final = 32


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place. Members that have the wrong shape count as absent."""

    value: object
    pointer: Pointer

    @property
    def members(self) -> JsonObject:
        """The members, where the value is an object."""
        return as_object(self.value) or {}

    def get(self, name: str) -> "Node | None":
        """The member `name`; None where absent."""
        members = self.members
        return Node(members[name], (*self.pointer, name)) if name in members else None

    def children(self) -> Iterator[tuple[str, "Node"]]:
        """Each member with its name."""
        for name, value in self.members.items():
            yield name, Node(value, (*self.pointer, name))

    def items(self) -> Iterator["Node"]:
        """Each item, where the value is an array."""
        for index, value in enumerate(as_list(self.value) or ()):
            yield Node(value, (*self.pointer, str(index)))

    def text(self, name: str) -> str | None:
        """The member `name` where it is text with something in it, trimmed."""
        return as_text(self.members.get(name))

    def flag(self, name: str) -> bool | None:
        """The member `name` where it is true or false."""
        return as_flag(self.members.get(name))


class Document:
    """The whole document, for looking up what `$ref` names. Nothing outside it is ever read."""

    def __init__(self, root: object) -> None:
        self.root = Node(root, ())

    def find(self, reference: object, at: Pointer) -> Node:
        """The node that the reference found `at` points to.

        Raises:
            Unconvertible: it points outside the document, or at nothing.
        """
        if not isinstance(reference, str):
            raise Unconvertible(at, "`$ref` must be a string.")
        try:
            pointer = parse_fragment(reference)
        except ValueError:
            raise Unconvertible(
                at,
                f"The reference {reference[:200]!r} leaves this document; other files and hosts "
                "are not read. Bundle the document into one file first.",
            ) from None
        node: Node | None = self.root
        for token in pointer:
            node = _step(node, token)
            if node is None:
                raise Unconvertible(at, f"The reference {reference[:200]!r} points at nothing.")
        return node

    def follow(self, node: Node) -> Node:
        """`node`, or what its chain of references ends at.

        Raises:
            Unconvertible: as for `find`, and for a chain that never ends.
        """
        for _ in range(_MOST_HOPS):
            if "$ref" not in node.members:
                return node
            node = self.find(node.members["$ref"], node.pointer)
        raise Unconvertible(node.pointer, "References that lead to each other without an end.")


def _step(node: Node, token: str) -> Node | None:
    items = as_list(node.value)
    if items is None:
        return node.get(token)
    if token.isdecimal() and token.isascii() and len(token) < 9 and int(token) < len(items):
        return Node(items[int(token)], (*node.pointer, token))
    return None

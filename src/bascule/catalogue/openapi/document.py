"""A document to walk through: nodes that know where they are, and references within it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.library import Library
from bascule.catalogue.openapi.pointers import Pointer, file_of, parse_fragment, root_of
from bascule.catalogue.openapi.references import Astray, split_reference
from bascule.catalogue.openapi.shapes import (
    JsonObject,
    as_flag,
    as_list,
    as_object,
    as_text,
)
from bascule.catalogue.openapi.sources import DocumentSource

_MOST_HOPS: Final = 32
_ANCHORS: Final = ("$anchor", "$dynamicAnchor")


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
    """The whole document, for looking up what `$ref` names.

    `root` is the main document; other files are those of `library`, and nothing else is read.
    """

    def __init__(self, root: object, library: Library | None = None) -> None:
        self.root = Node(root, ())
        self._library = library or Library(DocumentSource("", {}))
        self._found: dict[tuple[str, str], Node] = {}
        self._anchors: dict[str, dict[str, Node]] = {}
        self._hops = 0

    def find(self, reference: object, at: Pointer) -> Node:
        """The node that the reference found `at` points to.

        Raises:
            Unconvertible: it points at nothing, or at what is not to be read.
            DocumentRejected: the file it points into is not well-formed.
        """
        if not isinstance(reference, str):
            raise Unconvertible(at, "`$ref` must be a string.")
        key = (file_of(at), reference)
        node = self._found.get(key)
        if node is None:
            node = self._found[key] = self._find(reference, at)
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
        raise _endless(node.pointer)

    def _find(self, reference: str, at: Pointer) -> Node:
        target, fragment = split_reference(reference)
        try:
            file = self._library.locate(target, file_of(at)) if target else file_of(at)
        except Astray as astray:
            raise Unconvertible(at, f"The reference {reference[:200]!r} {astray}") from None
        root = Node(self._library.text(file).root, root_of(file)) if file else self.root
        node = self._descend(root, fragment or "#", at)
        if node is None:
            raise Unconvertible(at, f"The reference {reference[:200]!r} points at nothing.")
        return node

    def _descend(self, root: Node, fragment: str, at: Pointer) -> Node | None:
        try:
            pointer = parse_fragment(fragment)
        except ValueError:
            return self._named(root, fragment[1:])
        node: Node | None = root
        for token in pointer:
            node = _step(node, token) or self._step_beyond(node, token, at)
            if node is None:
                return None
        return node

    def _step_beyond(self, node: Node, token: str, at: Pointer) -> Node | None:
        """A step from what `node` refers to: authors point through references."""
        if "$ref" not in node.members:
            return None
        if self._hops >= _MOST_HOPS:
            raise _endless(at)
        self._hops += 1
        try:
            return _step(self.follow(node), token)
        finally:
            self._hops -= 1

    def _named(self, root: Node, name: str) -> Node | None:
        """What a file calls `name` by `$anchor`."""
        file = file_of(root.pointer)
        if file not in self._anchors:
            self._anchors[file] = dict(_anchors(root))
        return self._anchors[file].get(name)


def _endless(at: Pointer) -> Unconvertible:
    return Unconvertible(at, "References that lead to each other without an end.")


def _step(node: Node, token: str) -> Node | None:
    items = as_list(node.value)
    if items is None:
        return node.get(token)
    if token.isdecimal() and token.isascii() and len(token) < 9 and int(token) < len(items):
        return Node(items[int(token)], (*node.pointer, token))
    return None


def _anchors(root: Node) -> Iterator[tuple[str, Node]]:
    pending = [root]
    while pending:
        node = pending.pop()
        for keyword in _ANCHORS:
            name = node.text(keyword)
            if name is not None:
                yield name, node
        pending += [child for _, child in node.children()]
        pending += node.items()

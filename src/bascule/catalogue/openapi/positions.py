"""Where in the text of a document a place is: lines for findings, found only when needed."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from bascule.catalogue.openapi.pointers import Pointer

Kind: TypeAlias = Literal["{", "}", "[", "]", "scalar"]


class Event(NamedTuple):
    """One step through a document: a bracket, or a scalar (a key or a value) with its text.

    `line` and `column` count from 1. Keys and values of an object simply alternate.
    """

    kind: Kind
    text: str
    line: int
    column: int


@dataclass(slots=True)
class Wanted:
    """A tree of the pointers asked for; `pointer` is set where one ends."""

    children: "dict[str, Wanted]" = field(default_factory=dict[str, "Wanted"])
    pointer: Pointer | None = None

    def step(self, token: str, line: int, found: dict[Pointer, int]) -> "Wanted | None":
        """Go down to `token`, noting its line where it is wanted; None where nothing is."""
        child = self.children.get(token)
        if child is not None and child.pointer is not None:
            found.setdefault(child.pointer, line)
        return child


@dataclass(slots=True)
class _Level:
    """An open object or array, what is wanted in it, and how far it has been read."""

    wanted: Wanted | None
    is_array: bool
    index: int = 0
    current: Wanted | None = None


def find_lines(events: Iterable[Event], pointers: Collection[Pointer]) -> dict[Pointer, int]:
    """The line of each of `pointers` that the document has: that of its key, or of its item."""
    root = tree_of(pointers)
    found: dict[Pointer, int] = {}
    levels = [_Level(None, is_array=False, current=root)]
    if root.pointer is not None:
        found[()] = 1
    for event, is_key in _with_roles(events):
        level = levels[-1]
        if event.kind in "}]":
            levels.pop()
            continue
        if is_key:
            level.current = level.wanted and level.wanted.step(event.text, event.line, found)
            continue
        if level.is_array:
            level.current = level.wanted and level.wanted.step(str(level.index), event.line, found)
            level.index += 1
        if event.kind != "scalar":
            levels.append(_Level(level.current, is_array=event.kind == "["))
    return found


def find_duplicate(events: Iterable[Event]) -> Event | None:
    """The first key that its object already has, in the order of the text."""
    seen: list[set[str]] = []
    for event, is_key in _with_roles(events):
        if event.kind in "}]":
            seen.pop()
        elif is_key:
            if event.text in seen[-1]:
                return event
            seen[-1].add(event.text)
        elif event.kind != "scalar":
            seen.append(set())
    return None


def _with_roles(events: Iterable[Event]) -> Iterator[tuple[Event, bool]]:
    """Each event, and whether it is a key."""
    expects_key: list[bool | None] = []  # None inside an array
    for event in events:
        if event.kind in "}]":
            expects_key.pop()
            yield event, False
            continue
        is_key = bool(expects_key and expects_key[-1])
        if expects_key and expects_key[-1] is not None:
            expects_key[-1] = not is_key
        yield event, is_key
        if event.kind != "scalar":
            expects_key.append(True if event.kind == "{" else None)


def tree_of(pointers: Collection[Pointer]) -> Wanted:
    """The tree whose branches are `pointers`."""
    root = Wanted()
    for pointer in pointers:
        node = root
        for token in pointer:
            node = node.children.setdefault(token, Wanted())
        node.pointer = pointer
    return root

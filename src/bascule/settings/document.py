"""A settings file: YAML taken as text, each value with its place.

YAML's own guesses (`no` is false, `1:30` is ninety) never apply: the type of the setting decides
what its text means. Aliases and tags are refused; a settings file has no use for either, and an
alias can make a small file large.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from bascule.settings.problem import Problem

_DEEPEST: Final = 8
_EMPTY: Final = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Written:
    """A setting as it stands in a file: one text, or one for each item of a list."""

    key: str
    texts: tuple[str, ...]
    is_list: bool
    key_place: Place
    text_places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """What was read, and what could not be."""

    written: tuple[Written, ...]
    problems: tuple[Problem, ...]
    sections: Mapping[str, Place]
    """Every section named, the empty ones too."""


def read_document(text: str, file: str) -> Document:
    """Read `text`, the content of `file`. Faults are in the result; nothing is raised."""
    try:
        unusable = _unusable(text, file)
        if unusable is not None:
            return Document((), (unusable,), {})
        root: yaml.Node | None = yaml.SafeLoader(text).get_single_node()
    except yaml.YAMLError as error:
        return Document((), (_syntax(error, file),), {})
    reader = _Reader(file)
    if root is not None:
        reader.read(root)
    return Document(tuple(reader.written), tuple(reader.problems), reader.sections)


def _syntax(error: yaml.YAMLError, file: str) -> Problem:
    place, what = Place(file, 1, 1), "this is not YAML"
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            place = _place(file, mark)
        what = f"this is not YAML: {error.problem or error.context}"
    return Problem(
        str(place),
        "",
        f"{what}.",
        "Indent with spaces, and quote texts that hold ': ', '#', '{' or a leading '%', '@', '*'.",
    )


def _unusable(text: str, file: str) -> Problem | None:
    """Look for what must not even be composed: aliases, tags, absurd nesting."""
    depth = 0
    parser: Any = yaml.SafeLoader(text)
    while parser.check_event():
        event: yaml.Event = parser.get_event()
        what = ""
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.AliasEvent):
            what = "aliases (*name) are not read here"
        elif getattr(event, "tag", None) is not None:
            what = "tags (!name) are not read here"
        elif depth > _DEEPEST:
            what = "this is nested too deep"
        if what:
            place = str(_place(file, event.start_mark))
            return Problem(place, "", f"{what}.", "Write the value itself: section, key, value.")
    return None


def _place(file: str, mark: yaml.Mark) -> Place:
    return Place(file, mark.line + 1, mark.column + 1)


class _Reader:
    """Walks sections, keys and values; collects instead of raising."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.written: list[Written] = []
        self.problems: list[Problem] = []
        self.sections: dict[str, Place] = {}

    def read(self, root: yaml.Node) -> None:
        for section, content in self._members(root, "The file", "server:\n      port: 8000"):
            self.sections[section.value] = self._at(section)
            if _is_empty(content):
                continue
            example = f"{section.value}:\n      key: value"
            if isinstance(content, yaml.ScalarNode | yaml.SequenceNode):
                self._complain(section, section.value, f"{section.value} is a section", example)
                continue
            for name, value in self._members(content, section.value, example):
                self._read_setting(f"{section.value}.{name.value}", name, value)

    def _members(
        self, node: yaml.Node, owner: str, example: str
    ) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            if not _is_empty(node):
                self._complain(node, "", f"{owner} must hold keys with values", example)
            return
        seen: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._complain(key, "", "a key must be a plain word", example)
            elif key.value in seen:
                first = self._at(seen[key.value])
                what = f"{key.value} is given twice; the first is at {first}"
                self._complain(key, key.value, what, "", "Keep one of the two.")
            else:
                seen[key.value] = key
                yield key, value

    def _read_setting(self, key: str, name: yaml.Node, value: yaml.Node) -> None:
        if isinstance(value, yaml.MappingNode):
            what = f"{key} holds further keys, but settings are two levels deep"
            remedy = "`bascule config schema` prints the keys there are."
            self._complain(name, key, what, "", remedy)
            return
        is_list = isinstance(value, yaml.SequenceNode)
        items: list[yaml.Node] = value.value if is_list else [value]
        sound = [self._is_text(key, item) for item in items]
        if all(sound):
            texts = tuple(str(item.value) for item in items)
            places = tuple(self._at(item) for item in items)
            self.written.append(Written(key, texts, is_list, self._at(name), places))

    def _is_text(self, key: str, item: yaml.Node) -> bool:
        if not isinstance(item, yaml.ScalarNode):
            self._complain(item, key, f"{key} holds a list of plain values only", "- value")
            return False
        if _is_empty(item):
            remedy = 'Give one, write "" for an empty text, or remove the line.'
            self._complain(item, key, f"{key} has no value", "", remedy)
            return False
        return True

    def _complain(
        self, node: yaml.Node, key: str, what: str, example: str, remedy: str = ""
    ) -> None:
        advice = remedy or f"Write it so:\n      {example}"
        self.problems.append(Problem(str(self._at(node)), key, f"{what}.", advice))

    def _at(self, node: yaml.Node) -> Place:
        return _place(self._file, node.start_mark)


def _is_empty(node: yaml.Node) -> bool:
    # Only a plain scalar can mean "nothing"; a quoted "" is an empty text.
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _EMPTY

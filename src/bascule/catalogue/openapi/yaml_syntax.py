"""YAML text to JSON values: the core schema of YAML 1.2, bounded, errors with line and column.

Built on the parser's events, so nesting costs no stack and aliases are counted before they are
shared: a document that would expand beyond `MOST_VALUES` values is refused, as is a cycle.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bascule.catalogue.openapi.findings import DocumentRejected, Finding
from bascule.catalogue.openapi.json_syntax import (
    MAX_DEPTH,
    MOST_VALUES,
    duplicate_key,
    too_deep,
    too_many_values,
)
from bascule.catalogue.openapi.positions import Event
from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_object

_LONGEST_NUMBER: Final = 40

_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, object]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_TAG_PREFIX: Final = "tag:yaml.org,2002:"
_TEXT_TAGS: Final = frozenset({"!", *(_TAG_PREFIX + tag for tag in ("str", "timestamp", "binary"))})
_PLAIN_TAGS: Final = frozenset(
    {None, *(_TAG_PREFIX + tag for tag in ("null", "bool", "int", "float", "map", "seq"))}
)
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_YamlEvent: TypeAlias = Any  # the parser's events come without type information


def read_yaml(text: str) -> object:
    """Decode a YAML document into JSON values; keys become strings as they are written.

    Raises:
        DocumentRejected: not YAML, a duplicate or composite key, an unknown tag, more than one
            document, or too large once its aliases are expanded; says where.
    """
    builder = _Builder()
    for event in _events(text):
        builder.take(event)
    return builder.root


def yaml_events(text: str) -> Iterator[Event]:
    """The steps through a YAML text that `read_yaml` has accepted."""
    for event in _events(text):
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, ScalarEvent | AliasEvent):
            yield Event("scalar", getattr(event, "value", ""), line, column)
        elif isinstance(event, MappingStartEvent):
            yield Event("{", "", line, column)
        elif isinstance(event, SequenceStartEvent):
            yield Event("[", "", line, column)
        elif isinstance(event, MappingEndEvent):
            yield Event("}", "", line, column)
        elif isinstance(event, SequenceEndEvent):
            yield Event("]", "", line, column)


def _events(text: str) -> Iterator[_YamlEvent]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)  # pyright: ignore[reportUnknownMemberType]
    except yaml.MarkedYAMLError as error:
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        _reject_at(error.problem_mark or error.context_mark, f"not valid YAML: {reason}")
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        _reject(f"not valid YAML: {error.reason}", line, column)


def _reject_at(mark: Any, reason: str) -> NoReturn:
    _reject(reason, mark.line + 1, mark.column + 1)


def _reject(reason: str, line: int, column: int) -> NoReturn:
    raise DocumentRejected(
        f"The document cannot be read: {reason} at line {line}, column {column}.",
        [Finding("#", f"{reason} (column {column})", line)],
    )


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A finished value that aliases may repeat: how many values it holds, how deep it goes."""

    value: object
    nodes: int
    height: int


class _Frame:
    """A mapping or sequence being read."""

    __slots__ = ("anchor", "height", "key", "merges", "nodes_before", "value")

    def __init__(self, value: JsonObject | list[object], anchor: str | None, nodes: int) -> None:
        self.value = value
        self.anchor = anchor
        self.nodes_before = nodes
        self.height = 0
        self.key: str | None = None
        self.merges: list[JsonObject] = []


class _Builder:
    """Puts values together from events, keeping count of nodes and depth."""

    def __init__(self) -> None:
        self.root: object = None
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._nodes = 0
        self._documents = 0

    def take(self, event: _YamlEvent) -> None:
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                _reject_at(event.start_mark, "a second YAML document begins; keep only one")
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._close()
        elif isinstance(event, NodeEvent):
            self._node(event)

    def _node(self, event: _YamlEvent) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            frame.key = _key(event, frame.value)
        elif isinstance(event, CollectionStartEvent):
            self._open(event)
        elif isinstance(event, AliasEvent):
            self._repeat(event)
        else:
            self._count(1, 0)
            self._place(_scalar(event), event.anchor, 1, 0)

    def _open(self, event: _YamlEvent) -> None:
        _check_tag(event)
        self._count(1, 0)
        value: JsonObject | list[object] = {} if isinstance(event, MappingStartEvent) else []
        self._frames.append(_Frame(value, event.anchor, self._nodes))

    def _close(self) -> None:
        frame = self._frames.pop()
        if isinstance(frame.value, dict):
            for merged in frame.merges:
                for key, value in merged.items():
                    frame.value.setdefault(key, value)
        nodes = self._nodes - frame.nodes_before + 1
        self._place(frame.value, frame.anchor, nodes, frame.height + 1)

    def _repeat(self, event: _YamlEvent) -> None:
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            _reject_at(
                event.start_mark, f"the alias *{event.anchor} names nothing that ends before it"
            )
        self._count(anchored.nodes, anchored.height)
        self._place(anchored.value, None, anchored.nodes, anchored.height)

    def _place(self, value: object, anchor: str | None, nodes: int, height: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, nodes, height)
        if not self._frames:
            self.root = value
            return
        frame = self._frames[-1]
        frame.height = max(frame.height, height)
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key == "<<" and (merges := _mappings(value)):
            frame.merges += merges
        else:
            frame.value[frame.key or ""] = value
        frame.key = None

    def _count(self, nodes: int, height: int) -> None:
        self._nodes += nodes
        if self._nodes > MOST_VALUES:
            raise too_many_values()
        if len(self._frames) + height >= MAX_DEPTH:
            raise too_deep()


def _mappings(value: object) -> list[JsonObject]:
    """What a merge key (`<<`) brings in; empty where it is an ordinary key."""
    one = as_object(value)
    if one is not None:
        return [one]
    several = [as_object(item) for item in as_list(value) or ()]
    return [item for item in several if item is not None] if all(several) else []


def _key(event: _YamlEvent, mapping: JsonObject) -> str:
    mark = event.start_mark
    if not isinstance(event, ScalarEvent):
        _reject_at(mark, "a key that is not plain text")
    key = str(event.value)
    if key in mapping:
        raise duplicate_key(key, mark.line + 1, mark.column + 1)
    return key


def _scalar(event: _YamlEvent) -> object:
    text = str(event.value)
    if event.tag in _TEXT_TAGS or (event.tag is None and not event.implicit[0]):
        return text
    _check_tag(event)
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
            return number
    return text


def _check_tag(event: _YamlEvent) -> None:
    if event.tag not in _PLAIN_TAGS:
        _reject_at(
            event.start_mark,
            f"the tag {event.tag[:60]!r}, which means nothing in an API description",
        )

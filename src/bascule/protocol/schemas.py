"""How often a JSON Schema can be applied to one value: reckoned, never tried.

A few lines of schema can ask for 2^n checks of one value: each definition applies the next one
twice. Compilers accept that, for they follow a reference once; the validation does not end.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import unquote

MOST_VISITS: Final = 10_000
"""Subschemas that one value may have to be checked against: beyond it a schema is refused."""
_MOST_LEVELS: Final = 1_024
"""Nesting of values that is looked into; decoders give up near it."""
_LEAST_STEPS: Final = 100_000
_STEPS_PER_OBJECT: Final = 10
_MOST_RESOURCES: Final = 64

_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLES: Final = ("not", "if", "then", "else")
_MAPS: Final = ("dependentSchemas", "dependencies")
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS: Final = ("$anchor", "$dynamicAnchor")
_UNEVALUATED: Final = ("unevaluatedProperties", "unevaluatedItems")
_PLAIN_PATH: Final = re.compile(r"[\w~./-]*", re.ASCII)
"""Without escapes, queries, ports: they let one URI be spelt in many ways."""
_APPLICATORS: Final = frozenset(
    (*_LISTS, *_SINGLES, *_MAPS, *_REFERENCES, *_UNEVALUATED, "properties", "patternProperties",
     "additionalProperties", "propertyNames", "items", "prefixItems", "additionalItems", "contains")
)  # fmt: skip
_OUTSIDE: Final = ("http://", "https://", "file://", "ftp://")
_PUBLISHED: Final = ("http://json-schema.org/", "https://json-schema.org/")

Schema = dict[str, Any]
_Place = str | int | None
"""A member by name, an element by index; None stands for the names of members."""
_Position = dict[int, int]
"""The schemas applied to one value, by identity, and how often each is."""


class _TooMuch(Exception):
    """The count has passed the limit, or takes longer than it may."""


def expanded_size(schema: Mapping[str, object], limit: int) -> int:
    """The most subschemas that any one value, at any depth, can have to be checked against.

    Never less than the truth, and `limit + 1` stands for all above `limit`: also for schemas
    that apply themselves to the same value, that multiply with each level of nesting, or that
    take too long to reckon. Takes time linear in the size of the document.
    """
    try:
        return _Census(dict(schema), limit).largest()
    except _TooMuch:
        return limit + 1


@dataclass(slots=True)
class _Node:
    """What one schema applies, by the value it applies it to."""

    same: list[int] = field(default_factory=list[int])
    named: list[tuple[_Place, int]] = field(default_factory=list[tuple[_Place, int]])
    rest: dict[type, list[int]] = field(default_factory=dict[type, list[int]])
    """For `str` members and `int` elements: those that are not named."""
    every: dict[type, list[int]] = field(default_factory=dict[type, list[int]])
    """For `str` members and `int` elements: all of them, the named ones too."""


_NOTHING: Final[Mapping[int, int]] = {}
_LEAF: Final = 0
"""All schemas that apply no other are one."""


class _Census:
    def __init__(self, root: Schema, limit: int) -> None:
        self._root = root
        self._limit = limit
        self._targets = _Targets(root)
        self._schemas: dict[int, Schema] = {}
        self._nodes: dict[int, _Node] = {_LEAF: _Node()}
        self._steps = _LEAST_STEPS

    def largest(self) -> int:
        """Level by level of nesting: the weights of a position only grow, so this ends."""
        known: dict[frozenset[int], _Position] = {}
        dirty: list[_Position] = [{self._identify(self._root): 1}]
        largest = 0
        for _ in range(_MOST_LEVELS):
            raised: dict[frozenset[int], _Position] = {}
            for position in dirty:
                weights = self._spread(position)
                largest = max(largest, sum(weights.values()))
                for child in _positions(weights, self._nodes, self._spend):
                    key = frozenset(child)
                    if _raise(known.setdefault(key, {}), child):
                        raised[key] = known[key]
            if largest > self._limit:
                raise _TooMuch
            if not raised:
                break
            dirty = list(raised.values())
        return largest

    def _spend(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise _TooMuch

    def _spread(self, position: _Position) -> _Position:
        """All schemas that come to be applied to the value, each as often as it is."""
        weights: defaultdict[int, int] = defaultdict(int, position)
        for identity in reversed(self._ordered(position)):
            weight = weights[identity]
            if weight > self._limit:  # before it grows to more digits than a machine word
                raise _TooMuch
            for child in self._nodes[identity].same:
                weights[child] += weight
        return weights

    def _ordered(self, position: _Position) -> list[int]:
        """What is reached without leaving the value, each after all that it applies."""
        done: dict[int, bool] = {}
        order: list[int] = []
        stack = list(position)
        while stack:
            identity = stack[-1]
            if identity in done:
                stack.pop()
                if not done[identity]:
                    done[identity] = True
                    order.append(identity)
                continue
            done[identity] = False
            same = self._node(identity).same
            self._spend(1 + len(same))
            for child in same:
                if child not in done:
                    stack.append(child)
                elif not done[child]:  # it applies itself to the same value
                    raise _TooMuch
        return order

    def _node(self, identity: int) -> _Node:
        node = self._nodes.get(identity)
        if node is None:
            node = self._nodes[identity] = self._read(self._schemas[identity])
            # A larger document may take longer.
            self._steps += _STEPS_PER_OBJECT * (1 + len(node.same) + len(node.named))
        return node

    def _identify(self, schema: Schema) -> int:
        identity = id(schema)
        if identity not in self._schemas:
            self._schemas[identity] = schema
        return identity

    def _all(self, schemas: Iterable[object]) -> list[int]:
        return [
            _LEAF
            if _APPLICATORS.isdisjoint(cast(Schema, one))
            else self._identify(cast(Schema, one))
            for one in schemas
            if isinstance(one, dict)
        ]

    def _read(self, schema: Schema) -> _Node:
        node = _Node(same=self._all(self._same(schema)))
        if any(name in schema for name in _UNEVALUATED):
            node.same *= 2  # asked once more, for what they have evaluated
        self._read_members(schema, node)
        self._read_elements(schema, node)
        return node

    def _same(self, schema: Schema) -> Iterator[object]:
        for keyword in _LISTS:
            yield from _items(schema.get(keyword))
        for keyword in _SINGLES:
            yield schema.get(keyword)
        for keyword in _MAPS:
            yield from _members(schema.get(keyword)).values()
        for keyword in _REFERENCES:
            reference = schema.get(keyword)
            if isinstance(reference, str):
                yield from self._targets.find(reference)

    def _read_members(self, schema: Schema, node: _Node) -> None:
        for name, child in _members(schema.get("properties")).items():
            node.named += [(name, one) for one in self._all([child])]
        node.named += [(None, one) for one in self._all([schema.get("propertyNames")])]
        rest = (schema.get("additionalProperties"), schema.get("unevaluatedProperties"))
        _put(node.rest, str, self._all(rest))
        _put(node.every, str, self._all(_members(schema.get("patternProperties")).values()))

    def _read_elements(self, schema: Schema, node: _Node) -> None:
        items = schema.get("items")  # a list of them up to draft 2019-09
        for first in (_items(schema.get("prefixItems")), _items(items)):
            for index, child in enumerate(first):
                node.named += [(index, one) for one in self._all([child])]
        rest = (items, schema.get("additionalItems"), schema.get("unevaluatedItems"))
        _put(node.rest, int, self._all(rest))
        _put(node.every, int, self._all([schema.get("contains")]))


def _put(kinds: dict[type, list[int]], kind: type, schemas: list[int]) -> None:
    if schemas:
        kinds[kind] = schemas


def _items(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []


def _members(value: object) -> Schema:
    return cast(Schema, value) if isinstance(value, dict) else {}


def _raise(known: _Position, found: _Position) -> bool:
    """Take the larger weight of each schema; was any larger than known?"""
    raised = False
    for identity, weight in found.items():
        if weight > known.get(identity, 0):
            known[identity] = weight
            raised = True
    return raised


def _positions(
    weights: _Position, nodes: Mapping[int, _Node], spend: Callable[[int], None]
) -> Iterator[_Position]:
    """What is applied to each value inside the one that `weights` are of."""
    named: defaultdict[_Place, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    others: dict[type, defaultdict[int, int]] = {str: defaultdict(int), int: defaultdict(int)}
    for identity, weight in weights.items():
        node = nodes[identity]
        spend(len(node.named))
        for kind, schemas in (*node.every.items(), *node.rest.items()):
            spend(len(schemas))
            for child in schemas:
                others[kind][child] += weight
        for place, child in node.named:
            named[place][child] += weight
            for other in node.rest.get(type(place), ()):
                named[place][other] -= weight  # others gets added, where this does not apply
    yield from (wild for wild in others.values() if wild)
    for place, position in named.items():
        wild = others.get(type(place), _NOTHING)
        spend(len(wild))
        for child, weight in wild.items():
            position[child] += weight
        yield {child: weight for child, weight in position.items() if weight}


class _Targets:
    """What the references of one document lead to; rather too many schemas than too few."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._anchors: defaultdict[str, list[Schema]] = defaultdict(list)
        self._resources: defaultdict[str | None, list[Schema]] = defaultdict(list)
        self._all: list[Schema] = []
        self._is_named = False
        self._found: dict[str, list[Schema]] = {}

    def find(self, reference: str) -> list[Schema]:
        """The schemas of this document that `reference` may mean.

        Raises:
            _TooMuch: there are too many to tell.
        """
        if not self._all:
            self._index()
        found = self._found.get(reference)
        if found is None:
            base, _, fragment = reference.partition("#")
            found = self._found[reference] = self._resolve(base, unquote(fragment))
            if len(found) > _MOST_RESOURCES:
                raise _TooMuch
        return found

    def _resolve(self, base: str, fragment: str) -> list[Schema]:
        if fragment and not fragment.startswith("/"):
            return self._anchors.get(fragment, [])
        owners = self._owners(base)
        if len(owners) > _MOST_RESOURCES:
            raise _TooMuch
        found = [_point(owner, fragment) for owner in owners]
        return [one for one in found if one is not None]

    def _owners(self, base: str) -> list[Schema]:
        """Resources by the last segment of their URI, or all where that might mislead."""
        key = _key(base)
        if key in self._resources:
            return self._resources[key]
        if key and base.startswith(_PUBLISHED):
            return []
        if not self._is_named and (key or base.startswith(_OUTSIDE)):
            return []  # the compiler's to refuse: a document without a name lies elsewhere
        return self._all

    def _index(self) -> None:
        self._all.append(self._root)
        identifiers = ["$id"]
        if "draft-04" in str(self._root.get("$schema")):
            identifiers.append("id")
        names = frozenset((*_ANCHORS, *identifiers))
        for schema in _objects(self._root):
            if names.isdisjoint(schema):
                continue
            for keyword in _ANCHORS:
                self._add_anchor(schema.get(keyword), schema)
            for keyword in identifiers:
                self._add_resource(schema.get(keyword), schema)

    def _add_anchor(self, name: object, schema: Schema) -> None:
        if isinstance(name, str):
            self._anchors[name].append(schema)

    def _add_resource(self, uri: object, schema: Schema) -> None:
        if not isinstance(uri, str):
            return
        if uri.startswith("#"):  # how anchors were written up to draft 7
            self._add_anchor(uri[1:], schema)
            return
        self._is_named = True
        if schema is not self._root:
            self._all.append(schema)
        key = _key(uri)
        if key:
            self._resources[key].append(schema)


def _key(uri: str) -> str | None:
    """What all plain spellings of one URI have in common; None for one that is not plain."""
    path = uri.removeprefix("https://").removeprefix("http://")
    if not _PLAIN_PATH.fullmatch(path) or "/." in f"/{path}":
        return None
    return path.rstrip("/").rpartition("/")[2].lower() or None


def _point(schema: Schema, pointer: str) -> Schema | None:
    """RFC 6901; None where there is no schema."""
    place: Any = schema
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(place, dict):
            place = cast(Schema, place).get(name)
        elif isinstance(place, list) and name.isascii() and name.isdigit() and len(name) < 10:
            place = next(iter(cast(list[Any], place)[int(name) :]), None)
        else:
            return None
    return cast(Schema, place) if isinstance(place, dict) else None


def _objects(root: Schema) -> Iterator[Schema]:
    stack: list[Any] = [root]
    seen: set[int] = set()
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        inner = value
        if isinstance(value, dict):
            yield cast(Schema, value)
            inner = cast(Schema, value).values()
        stack.extend([one for one in inner if isinstance(one, (dict, list))])

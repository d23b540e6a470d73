"""What schemas refer to, translated once for all tools; cycles end here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.naming import Names, clean
from bascule.catalogue.openapi.pointers import last_name
from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_object
from bascule.catalogue.openapi.stubs import brief, size_of
from bascule.catalogue.openapi.tameness import Weights, next_reference
from bascule.protocol.schemas import MOST_VISITS

Schema: TypeAlias = bool | JsonObject

_LONGEST_NAME: Final = 100
_BYTES_PER_STEP: Final = 64
_BRIEF_WORDS: Final = 120
_MOST_IN_PROGRESS: Final = 30
_PUNCTUATION_BYTES: Final = 4
_MOST_INLINE_BYTES: Final = 16 * 1024
_MOST_INLINE_LEVELS: Final = 20
_LONGEST_CHAIN: Final = 30


@dataclass(frozen=True, slots=True)
class Translated:
    """A schema, the names of the definitions it refers to, and whether each level is tame."""

    schema: Schema
    refs: frozenset[str]
    tame: bool = True


@dataclass(frozen=True, slots=True)
class Closure:
    """Definitions that refer to no others, by name; what they weigh; whether all are tame."""

    definitions: JsonObject
    size_bytes: int
    tame: bool


@dataclass(slots=True)
class _Definition:
    translated: Translated
    size_bytes: int
    brief: tuple[Schema, int] | None = None


class Definitions:
    """The targets of references, by the name they have under `$defs`.

    `translate` is called once per target, when a tool first needs it.
    """

    def __init__(self, translate: Callable[[Node], Translated], budget: Budget) -> None:
        self._translate = translate
        self._budget = budget
        self._names = Names(_LONGEST_NAME)
        self._by_place: dict[object, str] = {}
        self._targets: dict[str, Node] = {}
        self._known: dict[str, _Definition] = {}
        self._in_progress: set[str] = set()
        self._chains: dict[str, int] = {}
        self._weights = Weights(self.whole)

    def name(self, target: Node) -> str:
        """The name of the definition that stands for `target`."""
        name = self._by_place.get(target.pointer)
        if name is None:
            wish = clean(last_name(target.pointer), _LONGEST_NAME)
            name = self._by_place[target.pointer] = self._names.take(wish or "schema")
            self._targets[name] = target
        return name

    def get(self, name: str) -> Translated:
        """The definition `name`."""
        return self._get(name).translated

    def peek(self, name: str) -> Translated | None:
        """The definition `name`, to be put in the place of a reference.

        None while it is being translated or too many others are, and where it is too much.
        """
        if name not in self._known and (
            name in self._in_progress or len(self._in_progress) >= _MOST_IN_PROGRESS
        ):
            return None
        definition = self._get(name)
        if definition.size_bytes > _MOST_INLINE_BYTES or not _is_shallow(definition):
            return None
        return definition.translated

    def is_light(self, schema: JsonObject) -> bool:
        """Is `schema` small enough for a validator, with all definitions written out?"""
        return self._weights.weigh(schema) <= MOST_VISITS

    def whole(self, name: str) -> JsonObject:
        """The definition `name` as an object."""
        schema = self.get(name).schema
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        return schema

    def closure(self, names: Iterable[str], limit_bytes: int) -> Closure | None:
        """Everything that the definitions `names` need, themselves included.

        None where together they weigh more than `limit_bytes`.
        """
        return self._close(names, limit_bytes, _as_it_is)

    def brief_closure(self, names: Iterable[str], limit_bytes: int) -> Closure | None:
        """Like `closure`, with short descriptions and without examples."""
        return self._close(names, limit_bytes, _in_brief)

    def _close(
        self, names: Iterable[str], limit_bytes: int,
        form: "Callable[[_Definition], tuple[Schema, int]]",
    ) -> Closure | None:  # fmt: skip
        reached: JsonObject = {}
        pending = list(names)
        size_bytes = 0
        tame = True
        while pending:
            name = pending.pop()
            if name in reached:
                continue
            definition = self._get(name)
            reached[name], size = form(definition)
            size_bytes += size + len(name) + _PUNCTUATION_BYTES
            if size_bytes > limit_bytes:
                return None
            self._budget.spend(1 + size // _BYTES_PER_STEP)
            tame = tame and definition.translated.tame and self._chain(name) <= _LONGEST_CHAIN
            pending += definition.translated.refs
        return Closure(dict(sorted(reached.items())), size_bytes, tame)

    def _get(self, name: str) -> _Definition:
        known = self._known.get(name)
        if known is None:
            self._in_progress.add(name)
            try:
                translated = self._translate(self._targets[name])
            finally:
                self._in_progress.discard(name)
            known = self._known[name] = _Definition(translated, size_of(translated.schema))
        return known

    def _chain(self, name: str) -> int:
        """How many definitions apply to one value, from `name` on; too many for a circle."""
        if name not in self._chains:
            self._chains[name] = self._measure(name)
        return self._chains[name]

    def _measure(self, name: str) -> int:
        path = [name]
        while len(path) <= _LONGEST_CHAIN:
            following = next_reference(self.whole(path[-1]))
            if following is None:
                return len(path)
            if following in path:
                break
            path.append(following)
        return _LONGEST_CHAIN + 1


def _as_it_is(definition: _Definition) -> tuple[Schema, int]:
    return definition.translated.schema, definition.size_bytes


def _in_brief(definition: _Definition) -> tuple[Schema, int]:
    if definition.brief is None:
        whole = definition.translated.schema
        schema = whole if isinstance(whole, bool) else brief(whole, _BRIEF_WORDS)
        definition.brief = schema, size_of(schema)
    return definition.brief


def _is_shallow(definition: _Definition) -> bool:
    layer: list[object] = [definition.translated.schema]
    for _ in range(_MOST_INLINE_LEVELS):
        below: list[object] = []
        for value in layer:
            below.extend((as_object(value) or {}).values() or as_list(value) or ())
        if not below:
            return True
        layer = below
    return False

"""Schemas of one tool made to fit: what a caller must give comes first, then what lies highest.

The result accepts whatever the whole schema accepts. It is the same for the same document.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.shapes import JsonObject
from bascule.catalogue.openapi.stubs import Level, Site, Way, size_of, stand_in, take_apart

_MOST_LEVELS: Final = 40
"""Of nesting: what lies deeper is not for a model, and validators give up near 250."""

_MOST_MISSES: Final = 40
"""Schemas in a row for which there is no room; then it is taken to be full."""

_BYTES_PER_STEP: Final = 256
_PUNCTUATION_BYTES: Final = 4
_TOP_WORDS: Final = 400
_INNER_WORDS: Final = 120
_ROOMY: Final = (_TOP_WORDS, 80)
_SPARE: Final = ((_INNER_WORDS, 40), (0, 0))
"""Characters of the descriptions at the top, and of those of what is left out."""

Lookup = Callable[[str], JsonObject]
"""The whole of a definition by its name."""


def prune(
    root: JsonObject,
    lookup: Lookup,
    limit_bytes: int,
    *,
    only_first_level: bool = False,
    budget: Budget | None = None,
) -> JsonObject:
    """`root` with the `$defs` it needs, within `limit_bytes` or as near as its first level allows.

    The properties at the top, and all that is required on every level shown, are kept.
    """
    growth = _start(root, lookup, limit_bytes)
    misses = 0
    while growth.queue and not only_first_level and misses < _MOST_MISSES:
        if budget is not None:
            budget.spend(1 + size_of(growth.next_schema()) // _BYTES_PER_STEP)
        misses = 0 if growth.try_next() else misses + 1
    return growth.result()


def _start(root: JsonObject, lookup: Lookup, limit_bytes: int) -> "_Growth":
    growth = _begin(root, lookup, limit_bytes, *_ROOMY)
    for words, stub_words in _SPARE:
        # Half is left for what is below.
        if growth.used_bytes * 2 > limit_bytes:
            growth = _begin(root, lookup, limit_bytes, words, stub_words)
    return growth


def _begin(
    root: JsonObject, lookup: Lookup, limit_bytes: int, words: int, stub_words: int
) -> "_Growth":
    growth = _Growth(lookup, limit_bytes, stub_words)
    growth.begin(take_apart(root, words, stub_words=stub_words))
    return growth


@dataclass(slots=True)
class _Growth:
    """A schema that begins with stubs and grows, best place first, while there is room."""

    lookup: Lookup
    limit_bytes: int
    stub_words: int
    used_bytes: int = 0
    queue: list[tuple[int, int, int, Site]] = field(
        default_factory=list[tuple[int, int, int, Site]]
    )
    schema: JsonObject = field(default_factory=dict[str, object])
    definitions: dict[str, object] = field(default_factory=dict[str, object])
    _arrivals: int = 0

    def begin(self, level: Level) -> None:
        """Take `level` as the top, whatever it weighs."""
        self.schema = level.schema
        self.used_bytes = size_of(level.schema)
        self._settle(level, self._missing(level))

    def next_schema(self) -> JsonObject:
        """What comes next."""
        return self.queue[0][-1].schema

    def try_next(self) -> bool:
        """Put the next schema in the place of its stub, if there is room for it."""
        *_, site = heappop(self.queue)
        if site.way.depth >= _MOST_LEVELS:
            return False
        level = take_apart(site.schema, _INNER_WORDS, site.way, self.stub_words)
        missing = self._missing(level)
        grown = size_of(level.schema) - size_of(site.standing)
        if self.used_bytes + grown + _weight(missing) > self.limit_bytes:
            return False
        site.put(level.schema)
        self.used_bytes += grown
        self._settle(level, missing)
        return True

    def result(self) -> JsonObject:
        """What has grown."""
        if not self.definitions:
            return self.schema
        return {**self.schema, "$defs": dict(sorted(self.definitions.items()))}

    def _missing(self, level: Level) -> dict[str, JsonObject]:
        return {
            name: stand_in(self.lookup(name), self.stub_words)
            for name in dict.fromkeys(name for name, _ in level.refs)
            if name not in self.definitions
        }

    def _settle(self, level: Level, missing: dict[str, JsonObject]) -> None:
        self.used_bytes += _weight(missing)
        self.definitions |= missing
        ways = dict(sorted(level.refs, key=_urgency, reverse=True))
        for name in missing:
            self._add(Site(ways[name], self.definitions, name, self.lookup(name)))
        for site in level.sites:
            self._add(site)

    def _add(self, site: Site) -> None:
        self._arrivals += 1
        heappush(self.queue, (*_urgency((site.key, site.way)), self._arrivals, site))


def _urgency(place: tuple[object, Way]) -> tuple[int, int]:
    """What comes first: a step that a caller may leave out counts as three."""
    way = place[1]
    return 2 * way.optional + way.depth, way.optional


def _weight(definitions: dict[str, JsonObject]) -> int:
    return size_of(definitions) + _PUNCTUATION_BYTES * len(definitions)

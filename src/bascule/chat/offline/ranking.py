"""Which tool a request means: BM25 over what tools say of themselves, and the verbs."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from bascule.chat.models import ModelTool
from bascule.chat.offline.messages import Request
from bascule.chat.offline.shapes import as_list, as_object
from bascule.chat.offline.words import Action, content_stems, first_action, name_stems, nouns
from bascule.chat.parts import JsonObject

# Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).
_SATURATION: Final = 1.2
_LENGTH_WEIGHT: Final = 0.5
_NAME, _TITLE, _DESCRIPTION, _PARAMETER = 3.0, 3.0, 1.0, 1.0
_DESCRIPTION_READ: Final = 300
_PARAMETERS_READ: Final = 40
_VALUES_READ: Final = 10
_MOST_STEMS: Final = 40
_SHORTEST_PREFIX: Final = 5

_SAME, _OTHER_WRITE, _READ_FOR_WRITE, _WRITE_FOR_READ, _WRITE_UNASKED = 1.6, 0.35, 0.4, 0.25, 0.7
_FEW, _COMMON = 60, 5
"""A noun of so many tools, or of one in so many, still tells them apart."""

_LISTS: Final = 1.25
"""For a tool that lists, where a request is about several."""

_LISTING: Final = frozenset({"list", "search", "find", "browse", "all"})
_PARTLY: Final = 0.4
"""What is left of a score where a request says no noun of the tool's name and title."""


class Described(NamedTuple):
    """What a tool says of itself, as stems with their weights."""

    weights: dict[str, float]
    length: float
    named: frozenset[str]
    lists: bool


class Hit(NamedTuple):
    """A tool, how well it fits, and which part of the request's words it knows, 0 to 1."""

    tool: ModelTool
    score: float
    part: float
    names_it: bool
    """Whether a noun of its name or title was said."""


def action_of(tool: ModelTool) -> Action:
    """What a tool does to things, from its risk and the first verb that fits it."""
    return _action(tool.name, tool.title, tool.risk)


@lru_cache(maxsize=8_000)
def _action(name: str, title: str, risk: str) -> Action:
    if risk == "read":
        return Action.READ
    for text in (name, title):
        action = first_action(text)
        if action is not None and action.writes:
            return action
    return Action.UPDATE


@lru_cache(maxsize=8_000)
def _describe(name: str, title: str, description: str, parameters: tuple[str, ...]) -> Described:
    weights: dict[str, float] = {}
    for text, weight in ((name, _NAME), (title, _TITLE), (description, _DESCRIPTION)):
        for stemmed in set(content_stems(text)):
            weights[stemmed] = weights.get(stemmed, 0.0) + weight
    for stemmed in {one for parameter in parameters for one in name_stems(parameter)}:
        weights[stemmed] = weights.get(stemmed, 0.0) + _PARAMETER
    lists = bool(_LISTING & {*name_stems(name), *name_stems(title)})
    return Described(weights, sum(weights.values()), nouns(name, title), lists)


def _described(tool: ModelTool) -> Described:
    properties = as_object(tool.input_schema.get("properties")) or {}
    names = tuple(_spoken(properties))
    return _describe(tool.name, tool.title[:200], tool.description[:_DESCRIPTION_READ], names)


def _spoken(properties: JsonObject) -> Iterator[str]:
    """The names of parameters, and the values that they may take."""
    for name, schema in list(properties.items())[:_PARAMETERS_READ]:
        yield name
        values = as_list((as_object(schema) or {}).get("enum"))[:_VALUES_READ]
        yield from (one for one in values if isinstance(one, str))


class Ranking:
    """The tools of one request, made ready to be ranked."""

    def __init__(self, tools: Sequence[ModelTool]) -> None:
        self._tools = [(tool, _described(tool)) for tool in tools]
        self._counts = Counter(one for _, told in self._tools for one in told.weights)
        total = sum(told.length for _, told in self._tools)
        self._average = total / len(self._tools) if self._tools else 1.0
        self._postings: dict[str, list[int]] = {}
        self._named: dict[str, list[int]] = {}
        for number, (_, told) in enumerate(self._tools):
            for stemmed in told.weights:
                self._postings.setdefault(stemmed, []).append(number)
            for stemmed in told.named:
                self._named.setdefault(stemmed, []).append(number)

    def rarity(self, stemmed: str) -> float:
        """How much a word tells, as BM25 has it."""
        count = self._counts[stemmed]
        return math.log(1 + (len(self._tools) - count + 0.5) / (count + 0.5))

    def hits(self, request: Request) -> list[Hit]:
        """The tools that share a word with what `request` is about, best first."""
        topics = request.topics[:_MOST_STEMS]
        known = [one for one in topics if one in self._counts]
        numbers = sorted({number for one in known for number in self._postings[one]})
        found = [self._hit(number, topics, request) for number in numbers]
        return sorted(found, key=lambda one: (-one.score, one.tool.name))

    def nearest(self, stems: Sequence[str]) -> list[ModelTool]:
        """Tools that have these nouns in their names or titles, those with the most first.

        Words that most of many tools have say nothing.
        """
        counts: Counter[int] = Counter()
        for stemmed in stems:
            numbers = self._named.get(stemmed, ())
            if len(numbers) <= max(_FEW, len(self._tools) // _COMMON):
                for number in numbers:
                    counts[number] += 1
        order = sorted(
            counts,
            key=lambda at: (-counts[at], len(self._tools[at][1].named), self._tools[at][0].name),
        )
        return [self._tools[at][0] for at in order]

    def _hit(self, number: int, topics: Sequence[str], request: Request) -> Hit:
        tool, told = self._tools[number]
        damping = _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * told.length / self._average)
        score, known = 0.0, 0
        for stemmed in topics:
            said = told.weights.get(stemmed)
            if said is not None:
                known += 1
                score += self.rarity(stemmed) * said * (_SATURATION + 1) / (said + damping)
        named = told.named.intersection(topics)
        whole = len(named) / len(told.named) if told.named else 0.0
        score *= agreement(request.action, action_of(tool)) * (_PARTLY + (1 - _PARTLY) * whole)
        if request.is_plural and told.lists:
            score *= _LISTS
        elif told.lists:
            score /= _LISTS
        return Hit(tool, score, known / len(topics), bool(named))


def agreement(asked: Action | None, does: Action) -> float:
    """By how much the verbs change a score."""
    if asked is None:
        return _WRITE_UNASKED if does.writes else 1.0
    if asked is does:
        return _SAME
    if not asked.writes:
        return _WRITE_FOR_READ
    return _OTHER_WRITE if does.writes else _READ_FOR_WRITE

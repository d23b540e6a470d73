"""Finding tools by words: BM25 over what a tool says of itself, its name counting most.

Lexical on purpose: it needs no model and no network, explains itself, and answers within a
millisecond over a thousand tools.
"""

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, cast

from bascule.gateway.tool import McpSource, RestSource, Tool

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_LONGEST_TEXT: Final = 4_000
_MOST_TERMS: Final = 40
"""Words of a question that count; nobody means more."""

# Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).
_SATURATION: Final = 1.2
_LENGTH_WEIGHT: Final = 0.75

_NAME, _TITLE, _TAGS, _DESCRIPTION, _PLACE, _ARGUMENTS = 4.0, 3.0, 2.0, 1.0, 0.5, 0.5
_COMMON: Final = (
    "a an and any are as at be by can do for from has have how i in into is it its me my of on or "
    "our please that the their them this to us want was what when where which who will with you "
    "your"
)
_STOP_WORDS: Final = frozenset(_COMMON.split())
_VERBS: Final[Mapping[str, str]] = {
    # What people say, in the words of operation ids.
    "show": "get", "read": "get", "fetch": "get", "retrieve": "get", "view": "get",
    "add": "create", "make": "create", "new": "create", "open": "create",
    "change": "update", "edit": "update", "modify": "update", "rename": "update", "set": "update",
    "remove": "delete", "erase": "delete", "destroy": "delete",
    "find": "search", "query": "search", "all": "list",
}  # fmt: skip
_SYNONYM_WEIGHT: Final = 0.6


class Hit(NamedTuple):
    """A tool that fits, and how well; scores compare only within one answer."""

    tool: Tool
    score: float


class _Postings(NamedTuple):
    """The tools that hold a word, and how much; arrays, as a large catalogue has millions."""

    documents: "array[int]"
    weights: "array[float]"


_NOWHERE: Final = _Postings(array("I"), array("f"))


class ToolIndex:
    """The words of many tools. Made once for a catalogue; takes a while where this is large."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools = tuple(tools)
        self._postings: dict[str, _Postings] = {}
        lengths: list[float] = []
        for number, tool in enumerate(self._tools):
            weights = _weights(tool)
            lengths.append(sum(weights.values()))
            for term, weight in weights.items():
                held = self._postings.get(term)
                if held is None:
                    held = self._postings[term] = _Postings(array("I"), array("f"))
                held.documents.append(number)
                held.weights.append(weight)
        average = sum(lengths) / len(lengths) if lengths else 1.0
        self._damping = [
            _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * length / average)
            for length in lengths
        ]

    def search(self, question: str, among: Mapping[str, Tool], limit: int) -> list[Hit]:
        """The `limit` tools of `among` that fit `question` best, the best first.

        A tool that shares no word with it does not fit; equal scores are in order of name.
        """
        scores: dict[int, float] = {}
        covered: dict[int, float] = {}
        asked = 0.0
        for term, importance in _asked(question).items():
            held = self._postings.get(term, _NOWHERE)
            worth = importance * self._rarity(len(held.documents))
            if importance == 1.0:
                asked += worth
            for document, weight in zip(held.documents, held.weights, strict=True):
                gained = weight * (_SATURATION + 1) / (weight + self._damping[document])
                scores[document] = scores.get(document, 0.0) + worth * gained
                covered[document] = covered.get(document, 0.0) + worth
        # What speaks of all that was asked goes before what speaks much of a part of it.
        found = (
            (self._tools[document], score * (covered[document] / asked if asked else 1.0))
            for document, score in scores.items()
        )
        hits = [Hit(tool, score) for tool, score in found if among.get(tool.name) is tool]
        hits.sort(key=lambda hit: (-hit.score, hit.tool.name))
        return hits[:limit]

    def _rarity(self, holders: int) -> float:
        return math.log(1 + (len(self._tools) - holders + 0.5) / (holders + 0.5))


def words_of(text: str) -> list[str]:
    """The words of a text or an identifier, in lower case, endings of number and form aside."""
    return [_stem(word.lower()) for word in _WORD.findall(text[:_LONGEST_TEXT])]


def _stem(word: str) -> str:
    for ending, kept in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("ing", ""), ("ed", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + kept
    if word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _asked(question: str) -> Mapping[str, float]:
    terms: dict[str, float] = {}
    words = [word for word in _WORD.findall(question[:_LONGEST_TEXT]) if len(word) < 100]
    for word in (one.lower() for one in words[:_MOST_TERMS]):
        if word in _STOP_WORDS:
            continue
        terms[_stem(word)] = 1.0
        synonym = _VERBS.get(word)
        if synonym is not None:
            terms.setdefault(synonym, _SYNONYM_WEIGHT)
    return terms


def _weights(tool: Tool) -> Mapping[str, float]:
    weights: Counter[str] = Counter()
    for text, weight in _texts(tool):
        for word in words_of(text):
            if word not in _STOP_WORDS:
                weights[word] += weight  # pyright: ignore[reportArgumentType]
    return cast("Mapping[str, float]", weights)


def _texts(tool: Tool) -> Iterable[tuple[str, float]]:
    yield tool.name, _NAME
    yield tool.title or "", _TITLE
    yield " ".join((*tool.tags, tool.domain or "", tool.bundle)), _TAGS
    yield tool.description, _DESCRIPTION
    if isinstance(tool.source, RestSource):
        yield tool.source.path, _PLACE
    elif isinstance(tool.source, McpSource) and tool.source.name != tool.name:
        yield tool.source.name, _NAME
    properties = tool.input_schema.get("properties")
    if isinstance(properties, Mapping):
        yield " ".join(str(name) for name in properties), _ARGUMENTS  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]

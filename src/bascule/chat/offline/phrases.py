"""Free text in a message: what is named, quoted, sought for, or stands after "in" and the like."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from bascule.chat.offline.messages import Message
from bascule.chat.offline.schemas import Leaf
from bascule.chat.offline.words import VERBS, Token, is_common, words_of

Span = tuple[str, int, int]

_QUOTED: Final = re.compile(
    r"\"([^\"\n]{1,500})\"|\u201c([^\u201d\n]{1,500})\u201d|(?<!\w)'([^'\n]{2,500})'(?!\w)"
)
_LINK: Final = re.compile(
    r"\s*(?:[:=]|(?:is|are|as|should be|will be|would be|to be)\b\s*:?|number is\b"
    r"|numbers? (?:are|is)\b)\s*",
    re.IGNORECASE,
)
_INTENT: Final = re.compile(r"\s*:\s*|\s+to\s+(?=[a-z])", re.IGNORECASE)
_BEFORE_DATE: Final = re.compile(r"(?:\s+(?:by|on|until|for|before|due|at))*\s*$", re.IGNORECASE)
_REST: Final = re.compile(r"[^\n.!?;,]+(?:[.,](?=\S)[^\n.!?;,]+)*")
_CALLED: Final = re.compile(
    r"\b(?:called|named|titled|entitled|labelled|labeled)\s+", re.IGNORECASE
)
_CUT: Final = re.compile(
    r"\s+(?:and|with|for|in|at|on|to|by|of|from|under|but)\s+.*$", re.IGNORECASE | re.DOTALL
)
_SOUGHT: Final = re.compile(
    r"\b(?:for|about|matching|containing|regarding|on)\s+(?:the\s+)?(.{2,100})", re.IGNORECASE
)
_PLACED: Final = re.compile(
    r"\b(?:in|near|around|at|from|to|for|of)\s+(?:the city of\s+)?", re.IGNORECASE
)
_LOWER_PLACED: Final = frozenset({"in", "near", "around"})
_NAME: Final = re.compile(
    r"[A-Z][\w'\u2019-]+(?: (?:(?:of|de|la|do|upon) )?[A-Z][\w'\u2019-]+){0,3}"
)
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_PLACES: Final = frozenset(
    words_of(
        "city locat plac town country region area zon village district state addres address stat"
    )
)
_QUERIES: Final = frozenset(words_of("q query search keyword term"))
_TITLES: Final = frozenset(words_of("nam titl subject label"))
_NOT_PLACES: Final = frozenset(
    words_of(
        "the my your that this morning afternoon evening night total general advance case "
        "fact time order "
        "front january february march april may june july august september october november "
        "december monday "
        "tuesday wednesday thursday friday saturday sunday today tomorrow i regular detail details"
    )
)


def quoted(text: str) -> Iterator[Span]:
    """What stands in quotation marks."""
    for match in _QUOTED.finditer(text):
        group = next(at for at in (1, 2, 3) if match[at] is not None)
        yield match[group].strip(), *match.span(group)


def named_text(stems: Sequence[str], message: Message) -> Iterator[Span]:
    """What follows the name of a parameter: `notes: …`, "the title is …", "called …"."""
    for word in _ends_of_name(stems, message.words):
        link = _LINK.match(message.text, word.end)
        if link:
            yield from _text_from(message.text, link.end(), until_word=False)
    if set(stems) & _TITLES:
        for called in _CALLED.finditer(message.text):
            yield from _text_from(message.text, called.end(), until_word=True)


def _ends_of_name(stems: Sequence[str], words: Sequence[Token]) -> Iterator[Token]:
    """The last words of where the name is said whole, or its last part alone."""
    for at, word in enumerate(words):
        for name in dict.fromkeys((tuple(stems), tuple(stems[-1:]))):
            if (
                name
                and tuple(one.stem for one in words[max(at + 1 - len(name), 0) : at + 1]) == name
            ):
                yield word
                break


def titled_text(stems: Sequence[str], about: frozenset[str], message: Message) -> Iterator[Span]:
    """What follows the thing itself, where the parameter is its title: `task: …`, "a task to …".

    A date at its end is left out.
    """
    if not set(stems) & _TITLES:
        return
    for word in message.words:
        link = _INTENT.match(message.text, word.end) if word.stem in about else None
        if link:
            for span in _text_from(message.text, link.end(), until_word=False):
                yield _without_date(message, span)
            return


def _without_date(message: Message, span: Span) -> Span:
    """`span` without a date at its end."""
    text, start, end = span
    for day in message.days:
        if day.end == end and day.start > start:
            text = _BEFORE_DATE.sub("", message.text[start : day.start]).rstrip()
            end = start + len(text)
    return text, start, end


def _text_from(text: str, start: int, *, until_word: bool) -> Iterator[Span]:
    marks = _QUOTED.match(text, start)
    if marks:
        yield from _shifted(marks)
        return
    rest = _REST.match(text, start)
    if rest:
        said = _CUT.sub("", rest[0]) if until_word else rest[0]
        kept = said.rstrip()
        if kept.strip():
            yield kept.strip(), start + len(kept) - len(kept.lstrip()), start + len(kept)


def _shifted(marks: re.Match[str]) -> Iterator[Span]:
    group = next(at for at in (1, 2, 3) if marks[at] is not None)
    yield marks[group].strip(), *marks.span(group)


def sought(stems: Sequence[str], message: Message) -> Iterator[Span]:
    """What is searched for, where the parameter is a query."""
    if not set(stems) & _QUERIES:
        return
    found = [*quoted(message.text)]
    yield from found
    for match in () if found else _SOUGHT.finditer(message.text):
        text = match[1].strip().rstrip(".!?")
        yield text, match.start(1), match.start(1) + len(text)


def place_names(
    leaf: Leaf, examples: Sequence[str], message: Message
) -> Iterator[tuple[str, int, int, bool]]:
    """Names after "in", "near" and the like, where the parameter is a place; whether it is sure.

    A parameter is a place where its name says so, or its example is a capitalised word.
    """
    is_place = bool(set(leaf.stems) & _PLACES)
    if not leaf.is_free or not is_place:
        return
    for match in _PLACED.finditer(message.text):
        name = _NAME.match(message.text, match.end())
        if name and name[0].split()[0].lower() not in _NOT_PLACES:
            yield name[0], *name.span(), match[0].split()[0].lower() in _LOWER_PLACED
            continue
        word = _WORD.match(message.text, match.end())
        if word and match[0].strip().lower() in _LOWER_PLACED and _may_be_place(word[0], examples):
            yield word[0], *word.span(), True


def _may_be_place(word: str, examples: Sequence[str]) -> bool:
    del examples
    lowered = word.lower()
    return lowered not in _NOT_PLACES and not is_common(lowered) and lowered not in VERBS

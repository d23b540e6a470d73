"""Words: how a text or a name is cut, reduced to stems, and sorted into verbs and the rest."""

import re
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_TOKEN: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?|#")
_LONGEST_NAME: Final = 200


def words_of(text: str) -> tuple[str, ...]:
    """The words of a list that is written as one text."""
    return tuple(text.split())


STOP_WORDS: Final = frozenset(
    words_of(
        "a an and any are as at be by can could do does for from had has have her here hers "
        "hi him his "
        "how i if in into is it its i'd i'll i'm it's let me my need now of on one or our "
        "please shall "
        "she should so some than that the their them then there these they this those to us "
        "want was "
        "we were what when where which who whom will with would you your he give know like "
        "near off "
        "out up about also just too not no yes ok okay"
    )
)


class Action(Enum):
    """What a verb wants done."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self is not Action.READ


_VERBS: Final = {
    Action.READ: "find get show list look see view search fetch read retrieve display browse check "
    "tell query resolve lookup describe which what where when who how status",
    Action.CREATE: "book create make add reserve schedule order buy purchase register submit post "
    "arrange start new send write upload insert remind hire rent",
    Action.UPDATE: "update change edit modify rename reschedule move set mark complete finish "
    "assign replace extend postpone pay correct",
    Action.REMOVE: "cancel delete remove erase destroy revoke withdraw clear drop",
}


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """`word` without case, plural and the endings -ed and -ing."""
    word = word.lower()
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending, shortest in (("ing", 6), ("ed", 5)):
        if len(word) >= shortest and word.endswith(ending):
            word = _single(word[: -len(ending)])
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def _single(word: str) -> str:
    is_double = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeios"
    return word[:-1] if is_double else word


VERBS: Final = {stem(verb): action for action, verbs in _VERBS.items() for verb in verbs.split()}
_STOP_STEMS: Final = frozenset(stem(word) for word in STOP_WORDS)


@lru_cache(maxsize=20_000)
def name_stems(name: str) -> tuple[str, ...]:
    """The stems of a name as programs write it: `startDate`, `pet_id`, `X-Page`."""
    return tuple(stem(part) for part in _PART.findall(name[:_LONGEST_NAME]))


class Token(NamedTuple):
    """A word of a text, and where it stands."""

    text: str
    stem: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The words and numbers of `text` in their order."""
    return [
        Token(one[0], stem(one[0].partition("'")[0].partition("\u2019")[0]), *one.span())
        for one in _TOKEN.finditer(text)
    ]


def is_common(stemmed: str) -> bool:
    """Whether a stem says nothing of what a text is about."""
    return stemmed in _STOP_STEMS


def content_stems(text: str) -> list[str]:
    """The stems of `text` that say what it is about, names in it taken apart."""
    found = (stem(part) for part in _PART.findall(text))
    return [one for one in found if one not in _STOP_STEMS]


def nouns(*names: str) -> frozenset[str]:
    """The stems of names and titles that say what they are about; not the verb that leads."""
    found: set[str] = set()
    for name in names:
        stems = name_stems(name)
        found.update(stems[1:] if len(stems) > 1 and stems[0] in VERBS else stems)
    return frozenset(found - _STOP_STEMS)


def first_action(name: str) -> Action | None:
    """What the first verb of a name or title says; a plural is a noun."""
    parts = [one.lower() for one in _PART.findall(name[:_LONGEST_NAME])]
    verbs = [VERBS[stem(one)] for one in parts if stem(one) in VERBS and not one.endswith("s")]
    return verbs[0] if verbs else None


def spoken_name(name: str) -> str:
    """A name as a person says it: `startDate` is "start date"."""
    parts = _PART.findall(name[:_LONGEST_NAME])
    return " ".join(part if part.isupper() and len(part) > 1 else part.lower() for part in parts)

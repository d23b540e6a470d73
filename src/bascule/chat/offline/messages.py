"""What a person wrote, taken apart once: words, dates, times, and what kind of message it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple

from bascule.chat.offline.dates import Clock, Day, find_clocks, find_days
from bascule.chat.offline.words import VERBS, Action, Token, is_common, stem, tokens, words_of

_LONGEST: Final = 4_000
"""Characters of a message that are read; nobody says more in one."""

_SENTENCE: Final = re.compile(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?\n]?")
_REQUEST: Final = re.compile(
    r"^\W*(?:please\b|(?:can|could|would|will) you\b|(?:i|we)(?:'d|\u2019d| would)? (?:need"
    r"|want|like|wish)\b"
    r"|(?:need|want|looking for|looking to)\b"
    r"|(?:i|we)(?:'m|\u2019m|'re|\u2019re| am| are) looking\b"
    r"|(?:i|we) have to\b|let(?:'s| us| me)\b|(?:what|which|where|when|who|how|is|are|do"
    r"|does|did|has|have|any)\b"
    r"|help me\b|(?:can|could|may) (?:i|we)\b)",
    re.IGNORECASE,
)
_ABANDON: Final = re.compile(
    r"^\W*(?:no,? )?(?:(?:never ?mind|forget (?:it|that|about (?:it|that))"
    r"|(?:cancel|stop|drop|leave|abort|scratch) (?:that|this|it)|start (?:over|again))\b"
    r"|(?:stop|abort|cancel|quit)(?=\W*$))(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_HELP: Final = re.compile(
    r"^\W*(?:help(?: me)?|\?+|what (?:all )?can (?:you|i) do.*|what do you do.*"
    r"|who are you.*|what are you.*"
    r"|how (?:does|do) (?:this|you) work.*|what (?:tools|things) .*(?:have|are there|can).*)\W*$",
    re.IGNORECASE,
)
_GREETING: Final = re.compile(
    r"^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening)|namaste|howdy|greetings)"
    r"(?: there| all| everyone)?\W*(?:how are you\W*)?$",
    re.IGNORECASE,
)
_THANKS: Final = re.compile(
    r"^\W*(?:many )?(?:thanks|thank you|thx|cheers|great|perfect|awesome|nice|cool|bye|goodbye)"
    r"(?: (?:a lot|so much|very much|you|again))?\W*$",
    re.IGNORECASE,
)
_QUESTION: Final = re.compile(
    r"^\W*(?:what|which|where|when|who|whose|is|are|was|were|does|did|has|how (?!do |can |to ))\b",
    re.IGNORECASE,
)
_VALUE: Final = re.compile(r":|\b(?:called|named|titled|entitled)\b", re.IGNORECASE)
_MARKED: Final = re.compile(r"\"[^\"]*\"|\u201c[^\u201d]*\u201d|(?<!\w)'[^']*'(?!\w)")
"""Where what a request is about ends, and a value begins."""

_PLURAL: Final = re.compile(r"[^su']s$", re.IGNORECASE)
_ARTICLES: Final = frozenset(
    words_of("a an the my your his her our their this that these those no")
)
_MOST_REST: Final = 12
_NO_TOPICS: Final = frozenset(
    stem(word)
    for word in words_of(
        "first second third fourth fifth sixth seventh eighth last today tomorrow tonight next "
        "morning afternoon evening night noon monday tuesday wednesday thursday friday "
        "saturday sunday "
        "week day please thanks option number available another again instead same one two "
        "three four "
        "after before early late soon later earlier five six seven eight nine ten is are "
        "hello hi hey want help different new get"
    )
)


class Kind(Enum):
    """What a message is, before any tool is thought of."""

    SAYS = "says"
    ABANDONS = "abandons"
    HELP = "help"
    GREETS = "greets"
    THANKS = "thanks"


class Request(NamedTuple):
    """A sentence, and what its first verb wants done; `asks` where it is a request at all.

    `topics` are the stems of what it is about; not its verb, nor names, codes and numbers.
    """

    text: str
    action: Action | None
    asks: bool
    topics: tuple[str, ...]
    is_plural: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `turn` counts the person's messages from 0."""

    turn: int
    text: str
    words: list[Token]
    days: list[Day]
    clocks: list[Clock]
    kind: Kind
    now: datetime

    @property
    def requests(self) -> list[Request]:
        """Its sentences."""
        return list(_requests(self.text))


def read_message(turn: int, text: str, now: datetime) -> Message:
    """Take `text` apart. Dates are relative to `now`."""
    text = text[:_LONGEST].encode(errors="replace").decode()
    days = find_days(text, now.date())
    return Message(turn, text, tokens(text), days, find_clocks(text, days), _kind(text), now)


def _kind(text: str) -> Kind:
    for pattern, kind in ((_HELP, Kind.HELP), (_GREETING, Kind.GREETS), (_THANKS, Kind.THANKS)):
        if pattern.match(text):
            return kind
    abandons = _ABANDON.match(text)
    if abandons and len(abandons["rest"].strip()) <= _MOST_REST:
        return Kind.ABANDONS
    return Kind.SAYS


def _requests(text: str) -> Iterator[Request]:
    for one in _SENTENCE.findall(text):
        sentence = one.strip()
        if sentence:
            words = tokens(sentence)
            action, verb = _action(words)
            asks = sentence.endswith("?") or bool(_REQUEST.match(sentence)) or _commands(sentence)
            if _QUESTION.match(sentence):
                action, verb = Action.READ, None
            topics = _topics(sentence, words, verb)
            plural = any(one.stem in topics and _PLURAL.search(one.text) for one in words)
            yield Request(sentence, action, asks, topics, plural)


def _topics(sentence: str, words: list[Token], verb: Token | None) -> tuple[str, ...]:
    found: list[str] = []
    value = _VALUE.search(sentence)
    marked = [one.span() for one in _MARKED.finditer(sentence)]
    for at, word in enumerate(words):
        if (value and word.start >= value.start()) or any(a <= word.start < b for a, b in marked):
            continue
        around = sentence[max(word.start - 1, 0) : word.start] + sentence[word.end : word.end + 1]
        is_name = at > 0 and word.text[0].isupper() and not sentence.isupper()
        is_code = any(one.isdigit() for one in word.text) or any(one in "/@_" for one in around)
        is_word = word.text[0].isalpha() and not is_name and not is_code
        if (
            is_word
            and word is not verb
            and not is_common(word.stem)
            and word.stem not in _NO_TOPICS
        ):
            found.append(word.stem)
    return tuple(dict.fromkeys(found))


def _commands(sentence: str) -> bool:
    """Whether it begins with a verb, as a command does."""
    words = [
        one
        for one in tokens(sentence)
        if one.text.lower() not in {"please", "now", "then", "ok", "and", "so"}
    ]
    return bool(words) and words[0].stem in VERBS


def _action(words: list[Token]) -> tuple[Action | None, Token | None]:
    """The first verb; what follows an article is a noun."""
    before = ""
    weak: tuple[Action | None, Token | None] = (None, None)
    for word in words:
        action = VERBS.get(word.stem)
        if action is not None and before not in _ARTICLES:
            if not is_common(word.stem):
                return action, word
            weak = weak if weak[0] else (action, word)
        before = word.text.lower()
    return weak

"""A message that is nothing but the answer to a question."""

import re
from typing import Final

from bascule.chat.offline.candidates import ORDINALS
from bascule.chat.offline.codes import is_code
from bascule.chat.offline.dates import count_of
from bascule.chat.offline.messages import Kind, Message
from bascule.chat.offline.schemas import Leaf
from bascule.chat.offline.values import Wish, is_allowed
from bascule.chat.offline.words import is_common, words_of

_LEAD: Final = re.compile(
    r"^\W*(?:(?:it is|it's|its|it\u2019s|that is|that's|this is|the|in|at|on|for|to|from"
    r"|near|please|maybe|call it|with|"
    r"i think|i am in|i'm in|i live in|my)\s+)+",
    re.IGNORECASE,
)
_TRAIL: Final = re.compile(r"(?:\s+please|\s+thanks|[\s.!?,;])+$", re.IGNORECASE)
_MOST_WORDS: Final = 8
_CODE: Final = re.compile(r"\d{4}|[A-Za-z]\d|\d[A-Za-z]|\bis\b", re.IGNORECASE)
"""What tells that a message says something else than a name."""

_NO: Final = frozenset({"no", "nope", "false", "not"})
_YES: Final = frozenset({"yes", "yeah", "yep", "true", "sure", "ok", "okay"})
_CHOOSING: Final = frozenset(
    {*ORDINALS, *words_of("last other another instead one ones none neither cancel")}
)
"""Words that choose among what was shown, or change it: no name of anything."""

_MOST_TEXT: Final = frozenset(
    words_of("titl nam description note text messag content body comment reason summary subject")
)


def read_reply(wish: Wish, message: Message) -> object | None:
    """The value that a short message is; None where it does not fit, or is a request of its own."""
    leaf = wish.leaf
    if message.kind is not Kind.SAYS:
        return None
    bare = _TRAIL.sub("", _LEAD.sub("", message.text)).strip().strip("\"'")
    value = _value(leaf, wish, bare, message)
    return value if value is not None and is_allowed(value, leaf.schema) else None


def _value(leaf: Leaf, wish: Wish, bare: str, message: Message) -> object | None:
    words = message.words
    if leaf.kind in {"integer", "number"}:
        return _number(leaf, bare)
    if leaf.kind == "boolean":
        return _truth(words[0].text.lower() if words else "")
    if (
        leaf.kind == "array"
        and leaf.items.get("type") == "string"
        and not {"enum", "format"} & leaf.items.keys()
    ):
        parts = [one.strip() for one in re.split(r",|\band\b", bare)]
        return [one for one in parts if one] or None
    if not leaf.is_free or not bare or _is_date(message):
        return None
    return _text(leaf, wish, bare, message)


def _text(leaf: Leaf, wish: Wish, bare: str, message: Message) -> str | None:
    """Prose as it is; of anything else only what is short, and has digits where its like have."""
    if set(leaf.stems) & _MOST_TEXT:
        return _TRAIL.sub("", message.text.strip()).strip("\"'") or None
    said = [one.text.lower() for one in message.words]
    if all(is_common(one.stem) or one.text.lower() in _YES | _NO for one in message.words):
        return None
    if _CHOOSING & set(said) or said[0] in _NO:
        return None
    is_request = any(one.asks for one in message.requests)
    has_codes = any(is_code(one) for one in wish.examples)
    is_odd = has_codes != any(one.isdigit() for one in bare) if has_codes else _CODE.search(bare)
    return None if is_request or len(message.words) > _MOST_WORDS or is_odd else bare


def _truth(word: str) -> bool | None:
    if word in _YES:
        return True
    return False if word in _NO else None


def _is_date(message: Message) -> bool:
    """Whether it says nothing but dates and times."""
    spans = [(one.start, one.end) for one in (*message.days, *message.clocks)]
    rest = [
        one for one in message.words if not any(start <= one.start < end for start, end in spans)
    ]
    return bool(spans) and all(is_common(one.stem) or one.text.isdigit() for one in rest)


def _number(leaf: Leaf, bare: str) -> int | float | None:
    match = re.fullmatch(r"[^\d-]{0,20}(-?\d[\d,]{0,17}(?:\.\d+)?)[^\d]{0,20}", bare)
    if match:
        value = float(match[1].replace(",", ""))
        return int(value) if value.is_integer() else (value if leaf.kind == "number" else None)
    return count_of(bare.split(maxsplit=1)[0]) if bare else None

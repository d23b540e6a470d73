"""Text without characters that nobody sees, and with a word on text that speaks to a model.

A description is read by models as it is. What a person who reviews it cannot see is taken out;
what reads like an order to a model stays, and is remarked on: only a person can tell.
"""

import re
from typing import Final

_CONTROLS: Final = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_FORMATS: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
# Two joiners mean something between letters of other scripts, and in emoji; not beside Latin ones.
_STRAY_JOINER: Final = "(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
_HIDDEN: Final = re.compile(f"[{_CONTROLS}{_FORMATS}]|{_STRAY_JOINER}")
_CONTROL: Final = re.compile(f"[{_CONTROLS}]")

_ORDERS: Final = re.compile(
    r"""
      \b(?:ignore|disregard|forget|override)\s+(?:\w+\s+){0,3}?
        (?:previous|prior|above|earlier|preceding|other)\b[^.]{0,30}?
        \b(?:instruction|prompt|rule|message|guideline|direction)
    | \b(?:do\s+not|don'?t|never|without)\s+
        (?:tell|telling|inform|informing|mention|mentioning|reveal|revealing|notify|notifying|
           alert|alerting)\b[^.]{0,30}?\buser\b
    | \byour\s+(?:system|developer)\s+prompt\b
    | </?\s*(?:system|instructions?|important|assistant)\s*>
    | <!--
    | \bbefore[ ](?:using|calling|invoking)\s+(?:this|any)(?:\s+other)?\s+tools?\b
    | \byou[ ]are\s+(?:now|no\s+longer)\s+(?:an?|the|bound|in)\b
    | \b(?:exfiltrate|jailbreak)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# One of these is in whatever the pattern finds; to look for them takes a tenth of the time.
_SIGNS: Final = (
    "ignore", "disregard", "forget", "override", "tell", "inform", "mention", "reveal", "notify",
    "alert", "prompt", "<sys", "<instr", "<import", "<assis", "</", "< ", "<!--", "before using",
    "before call", "before invok", "you are", "exfiltrate", "jailbreak",
)  # fmt: skip
_SHOWN: Final = 80


def visible(text: str) -> str:
    """`text` without control characters (line breaks and tabs stay) and invisible ones."""
    if text.isascii():
        if _CONTROL.search(text) is None:
            return text
    elif _HIDDEN.search(text) is None:
        return text
    return _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def hides_something(text: str) -> bool:
    """Does `text` hold more that nobody sees than the line ends of another system?"""
    return visible(text) != text.replace("\r\n", "\n").replace("\r", "\n")


def order_in(text: str) -> str | None:
    """The words in `text` that read like an order to a model; None where there are none."""
    low = text.lower()
    if not any(sign in low for sign in _SIGNS):
        return None
    match = _ORDERS.search(text)
    if match is None:
        return None
    return " ".join(match.group().split())[:_SHOWN]

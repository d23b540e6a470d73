"""Prose of a document: what can be seen of it, cut to what fits."""

import re
from typing import Final

from bascule.catalogue.openapi.characters import hides_something, order_in, visible
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node

LONGEST_DESCRIPTION: Final = 500
LONGEST_TITLE: Final = 120
_LINK: Final = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_MARKS: Final = re.compile(r"\*\*|__|`|^#+\s", re.MULTILINE)


def shorten(text: str, longest: int) -> str:
    """`text` within `longest` characters, cut after a whole word and marked with `…`."""
    text = text.strip()
    if len(text) <= longest:
        return text
    head = text[:longest]  # one more than fits, to see whether a word ends there
    words = head[:-1] if head[-1].isspace() else head.rpartition(" ")[0]
    kept = words.rstrip(" \t\r\n.,;:") or head[:-1]
    return kept[: longest - 1] + "…"


def heading(text: str) -> str:
    """`text` as one line of plain words: marks and links of Markdown are taken out."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())


def spoken(text: str, at: Node, context: Context) -> str:
    """`text` as a model may read it, with a remark where it hides something or gives orders."""
    seen = visible(text)
    if seen is not text and hides_something(text):
        context.remarks.add(
            at.pointer, "Characters that nobody sees were taken out of the text; look at the rest."
        )
    order = order_in(seen)
    if order is not None:
        context.remarks.add(
            at.pointer,
            f"The text reads like an order to a model: {order!r}. Let somebody look at it before "
            "publishing.",
        )
    return seen

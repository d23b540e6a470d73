"""Prose of a document, cut to what fits."""

from typing import Final

LONGEST_DESCRIPTION: Final = 500
LONGEST_TITLE: Final = 120


def shorten(text: str, longest: int) -> str:
    """`text` within `longest` characters, cut after a whole word and marked with `…`."""
    text = text.strip()
    if len(text) <= longest:
        return text
    head = text[:longest]  # one more than fits, to see whether a word ends there
    words = head[:-1] if head[-1].isspace() else head.rpartition(" ")[0]
    kept = words.rstrip(" \t\r\n.,;:") or head[:-1]
    return kept[: longest - 1] + "…"

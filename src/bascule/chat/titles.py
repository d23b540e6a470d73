"""How a conversation is called before somebody gives it a name."""

from typing import Final

LONGEST: Final = 60


def title_of(text: str) -> str:
    """The beginning of `text` on one line: 60 characters at most, cut after a whole word."""
    line = " ".join(text.split())
    if len(line) <= LONGEST:
        return line
    head = line[:LONGEST]  # one character is for the ellipsis, in place of the blank
    whole, blank, _ = head.rpartition(" ")
    return f"{whole if blank else head[:-1]}…"

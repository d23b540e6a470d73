"""A table that fits a terminal: every column readable, and those that do not fit left out."""

import sys
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, chop_cells
from rich.table import Table
from rich.text import Text

from bascule.cli.terminal import console_on

_GAP: Final = 2
_READABLE: Final = 20
"""Columns of the terminal that a text may be folded to; a time to the second fits."""
_WHOLE_ID: Final = 36
"""A UUID is never shortened where the terminal holds it."""
_ELISION: Final = "…"


def print_fitted(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print `rows` of cells on the terminal; the first columns are the ones to keep.

    The first says which row it is: it is never folded, only shortened in the middle.
    """
    console = console_on(sys.stdout)
    lengths = [
        max(cell_len(heading), *(cell_len(row[number]) for row in rows)) if rows else 0
        for number, heading in enumerate(headings)
    ]
    widths = fit(lengths, [cell_len(one) for one in headings], console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, width in enumerate(widths):
        heading = Text(headings[number])
        table.add_column(heading, overflow="fold", no_wrap=number == 0, width=width)
    for row in rows:
        # Text, not str: what looks like markup in a name is part of the name.
        cells = [elide(row[0], widths[0]), *row[1 : len(widths)]]
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    left_out = len(headings) - len(widths)
    if left_out:
        noun = "column does" if left_out == 1 else "columns do"
        console.print(f"{left_out} more {noun} not fit: -o json has all.", style="dim")


def fit(lengths: Sequence[int], headings: Sequence[int], width: int) -> list[int]:
    """The widths of as many columns as fit beside each other, at least of the first.

    `lengths` are those of the longest cells, `headings` those of the headings. What is left of
    `width` goes to the first column that can use it, then to the next.
    """
    least = [
        min(length, max(heading, _READABLE))
        for length, heading in zip(lengths, headings, strict=True)
    ]
    first = max(headings[0], _WHOLE_ID, width // 2)
    widths = [min(lengths[0], first, max(width, 1))]
    for one in least[1:]:
        if sum(widths) + one + _GAP * len(widths) > width:
            break
        widths.append(one)
    left = max(width - sum(widths) - _GAP * (len(widths) - 1), 0)
    for number, length in enumerate(lengths[: len(widths)]):
        more = min(length - widths[number], left)
        widths[number] += more
        left -= more
    return widths


def elide(text: str, width: int) -> str:
    """`text` in at most `width` columns of a terminal, what is too much taken from its middle."""
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return _ELISION[:width]
    head, tail = width // 2, (width - 1) // 2
    start = chop_cells(text, head)[0]
    end = chop_cells(text[::-1], tail)[0][::-1] if tail else ""
    return f"{start}{_ELISION}{end}"

"""Results as a few lines of text. What they say is shown, and means nothing here."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from bascule.chat.offline.candidates import SHOWN, rows_of
from bascule.chat.offline.history import Outcome
from bascule.chat.offline.schemas import Field
from bascule.chat.offline.shapes import EACH, as_list, at_path
from bascule.chat.offline.words import name_stems, spoken_name, words_of
from bascule.chat.parts import CallState

NOTHING: Final = "Nothing was found."
_MOST_FACTS: Final = 5
_MOST_BESIDE_LIST: Final = 2
_MOST_ANCHORS: Final = 8
_MOST_IN_ROW: Final = 4
_LONGEST: Final = 160
_LONGEST_ERROR: Final = 400
_MOST_READ: Final = 4_000
_BREAKS: Final = re.compile(
    r"[\s\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+"
)
_MARKUP: Final = re.compile(r"([\\`*_<>\[\]|~])")
_ADDRESS: Final = re.compile(r"(?i)((?:https?://|www\.)[^\s`]+)")
_SENTENCE: Final = re.compile(
    r'"(?:message|detail|error_description)"\s*:\s*("(?:[^"\\]|\\.){1,1000}")'
)
_ISO: Final = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?$")
_DAY_AND_TIME: Final = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d$")
_DAY_ALONE: Final = re.compile(r"^\d{4}-\d\d-\d\d$")
_TAG: Final = re.compile(r"</?[A-Za-z!][^<>]{0,500}>")
_DECIDED: Final = {"deny": "You did not agree", "expired": "Nobody agreed in time"}
_FIRST: Final = ("nam", "titl", "label")
_STATES: Final = frozenset(words_of("status stat start dat time due pric"))
_NOTES: Final = frozenset({"not", "messag"})
_COUNTS: Final = frozenset({"total", "count"})
_TELLING: Final = frozenset(
    words_of(
        "nam titl status stat date time day price distanc rat city typ kind start open clos total "
        "make model year due number summary amount scor not messag"
    )
)
_DULL: Final = frozenset(
    words_of(
        "lat latitud longitud lon lng url uri href link etag hash uuid node avatar zon "
        "creat updat pincod phon"
    )
)


def clean(text: str, longest: int = _LONGEST) -> str:
    """One line of plain text that Markdown leaves as it is, cut at `longest` characters.

    Addresses become code: as text, renderers make links of them (GFM section 6.9).
    """
    line = _BREAKS.sub(" ", text[:_MOST_READ]).strip()
    line = line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
    parts = _ADDRESS.split(line)
    texts = [_MARKUP.sub(r"\\\1", one) for one in parts[::2]]
    codes = [*(f"`{one}`" for one in parts[1::2]), ""]
    return "".join(f"{text}{code}" for text, code in zip(texts, codes, strict=True))


def summarise(outcome: Outcome, fields: Sequence[Field]) -> str:
    """What came of a call."""
    if outcome.is_error:
        return _failure(outcome)
    if outcome.structured is None:
        said = clean(outcome.text, _LONGEST_ERROR)
        return said if said.startswith("Done") else f"Done: {said}" if said else "Done."
    if not fields:
        return _untold(outcome.structured)
    listed = _main_list(outcome, fields)
    parts = [_facts(outcome, fields, beside=listed), listed]
    return " ".join(part for part in parts if part) or "Done."


def _failure(outcome: Outcome) -> str:
    tool = outcome.tool
    title = clean((tool.title if tool else "") or spoken_name(outcome.name), 80)
    if outcome.is_unknown:
        return (
            f"It is not known whether this was done: {title}. It broke off while it was under "
            "way. I do not do it again by myself."
        )
    if outcome.state is CallState.CANCELLED:
        return f"It was stopped before it was done: {title}."
    if outcome.decided in _DECIDED:
        return f"{_DECIDED[outcome.decided]}, so it was not done: {title}."
    text = _message(outcome.text) or _TAG.sub(" ", outcome.text[:_MOST_READ])
    return f"That did not work ({title}): {clean(text, _LONGEST_ERROR) or 'it gave no reason'}"


def _message(text: str) -> str:
    """The sentence for people in an error that is JSON, wherever in the text it stands."""
    found = _SENTENCE.search(text[:_MOST_READ])
    if found is None:
        return ""
    try:
        return str(msgspec.json.decode(found[1]))
    except msgspec.DecodeError:
        return ""


def _untold(structured: dict[str, object]) -> str:
    """A result without an output schema: its plain values at the top."""
    plain = [(name, value) for name, value in list(structured.items())[:40] if _is_plain(value)]
    told = [f"**{_label(name)}**: {clean(_said(value))}" for name, value in plain[:_MOST_FACTS]]
    return _joined(told) or "Done."


def _joined(facts: Sequence[str]) -> str:
    text = ", ".join(facts)
    return text if not text or text[-1] in ".!?" else f"{text}."


def _facts(outcome: Outcome, fields: Sequence[Field], *, beside: str) -> str:
    """Its most telling plain values; few `beside` a list, and none that the list tells."""
    found: list[tuple[int, int, str]] = []
    for at, one in enumerate(fields):
        is_plain_list = one.is_item and one.path.count(EACH) == 1
        if one.is_listed and not is_plain_list:
            continue
        path = one.path[:-1] if is_plain_list else one.path
        value = at_path(outcome.structured, path)
        text = (
            _said(value)
            if _is_plain(value)
            else ", ".join(map(_said, filter(_is_plain, as_list(value)[:SHOWN])))
        )
        if text and not (beside and text in beside):
            label = _label(" ".join(path[-2:]))
            is_moment = _DAY_AND_TIME.match(text) and not _DULL & set(one.stems)
            dullness = 0 if is_moment else _dullness(one, at)
            found.append((dullness, at, f"**{label}**: {clean(text)}"))
    if beside:
        kept = [one for one in sorted(found) if one[0] < 2][:_MOST_BESIDE_LIST]
    else:
        kept = sorted(found)[:_MOST_FACTS]
    return _joined([line for _, _, line in sorted(kept, key=lambda one: one[1])])


def _dullness(one: Field, at: int) -> int:
    stems = set(one.stems)
    if stems & (_DULL | _COUNTS):
        return 5
    if one.stems[-1:] == ("id",):
        return 4
    if stems & _NOTES or stems & set(_FIRST) or at == 0:
        return 0
    return 1 if stems & _STATES else 2 if stems & _TELLING else 3


def _main_list(outcome: Outcome, fields: Sequence[Field]) -> str:
    """The longest list of objects, or of values where there is nothing else."""
    lists: dict[tuple[str, ...], Field] = {}
    for one in fields:
        if one.is_listed and (not one.is_item or one.path[:-1] == ("result",)):
            lists.setdefault(one.path[: one.path.index(EACH)], one)
    best: tuple[int, Field] | None = None
    for path, one in lists.items():
        size = len(as_list(at_path(outcome.structured, path)))
        if best is None or size > best[0]:
            best = (size, one)
    if best is None:
        return ""
    within = [
        one for one in fields if one.is_listed and EACH not in one.path[one.path.index(EACH) + 1 :]
    ]
    at = best[1].path.index(EACH)
    anchors = [one for one in within if one.path[: at + 1] == best[1].path[: at + 1]]
    # Rows may lack some of their fields.
    several = [rows_of(outcome, one, fields) for one in anchors[:_MOST_ANCHORS]]
    rows = max((one for one in several if one), key=lambda one: len(one.items), default=None)
    if best[0] == 0 or rows is None:
        return NOTHING
    return _numbered(rows.texts, best[0])


def _numbered(texts: Sequence[Sequence[tuple[str, str]]], total: int) -> str:
    """The rows of a list by their numbers and most telling values, a day common to all once."""
    rows = [*_rows(texts, range(min(len(texts), SHOWN)))]
    if not rows:
        return f"{total} found."
    if len(rows) == 1 or all(_DAY_ALONE.match(head) for head, _ in rows):
        told = [", ".join(f"{_label(name)} {text}" for name, text in rest) for _, rest in rows]
        heads = [
            f"{row[0]}: {more}" if more else row[0] for row, more in zip(rows, told, strict=True)
        ]
        return f"{total} found: " + "; ".join(clean(one) for one in heads) + "."
    heads = [head for head, _ in rows]
    days = {head[: len("2026-11-25")] for head in heads if _DAY_AND_TIME.match(head)}
    when = ""
    if len(days) == 1 and all(map(_DAY_AND_TIME.match, heads)):
        when = f" on {next(iter(days))}"
        heads = [head.partition(" ")[2] for head in heads]
    listed = ", ".join(f"({at}) {clean(head, 80)}" for at, head in enumerate(heads, 1))
    more = f" and {total - SHOWN} more" if total > SHOWN else ""
    return f"{total} found{when}: {listed}{more}."


def row_lines(texts: Sequence[Sequence[tuple[str, str]]], numbers: Sequence[int]) -> list[str]:
    """Rows with the numbers by which they are chosen, each with its most telling values.

    What is the same in every row is left out.
    """
    lines: list[str] = []
    for at, (head, rest) in zip(numbers, _rows(texts, numbers), strict=True):
        details = ", ".join(f"{_label(name)} {clean(text, 60)}" for name, text in rest)
        lines.append(f"{at + 1}. **{clean(head, 80)}**" + (f": {details}" if details else ""))
    return lines


def _rows(
    texts: Sequence[Sequence[tuple[str, str]]], numbers: Sequence[int]
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Of each row its most telling value, and some others with their names."""
    same = _same_everywhere(texts)
    for at in numbers:
        told = [(name, text) for name, text in texts[at] if name not in same] or list(texts[at])
        told.sort(key=lambda one: _place(one[0]))
        (_, head), *rest = [(name, _moment(text)) for name, text in told] or [("", "?")]
        rest = [(name, text) for name, text in rest if text not in head and _place(name) < 4]
        yield head, rest[:_MOST_IN_ROW]


def _moment(text: str) -> str:
    """A moment without its seconds and offset; any other text as it is."""
    return _ISO.sub(r"\1 \2", text)


def _same_everywhere(texts: Sequence[Sequence[tuple[str, str]]]) -> set[str]:
    if len(texts) < 2:
        return set()
    values: dict[str, set[str]] = {}
    for row in texts:
        for name, text in row:
            values.setdefault(name, set()).add(text)
    return {name for name, known in values.items() if len(known) == 1}


def _place(name: str) -> int:
    stems = name_stems(name)
    if set(stems) & set(_FIRST):
        return 0
    if set(stems) & _DULL:
        return 5
    if "dat" in stems:
        return 1
    if stems[-1:] == ("id",):
        return 4
    return 2 if set(stems) & _TELLING else 3


def _label(name: str) -> str:
    return clean(spoken_name(name) or name, 60)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and value != ""


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _moment(str(value)[:_MOST_READ])

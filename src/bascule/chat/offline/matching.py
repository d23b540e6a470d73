"""Whether a field of what one tool gives is what a parameter of another one asks for."""

import re
from typing import Final

from bascule.chat.offline.schemas import Field, Leaf, kind_of
from bascule.chat.offline.words import content_stems, stem, words_of

ENOUGH: Final = 0.65
"""The least fit that counts."""

_IDENTIFIERS: Final = frozenset(
    {"id", "uuid", "guid", "key", "cod", "numb", "ref", "referenc", "slug", "handl"}
)
_OPAQUE: Final = frozenset({"id", "uuid", "guid"})
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9.]+(?:[_-][A-Za-z0-9.]+)+|[a-z]+[A-Z][A-Za-z0-9]*")
_DESCRIPTIVE: Final = frozenset(
    stem(word)
    for word in words_of(
        "name title description note text message content body date time day hour status "
        "state type kind "
        "category price amount quantity total count limit page size offset sort order "
        "filter query search q city "
        "country region location place address color colour comment reason summary start "
        "end from to until latitude "
        "longitude lat lon lng radius lang language locale format currency unit tag label "
        "subject value url email "
        "cursor since before after direction per min max duration"
    )
)


def is_reference(leaf: Leaf) -> bool:
    """Whether a parameter points at something that a tool may know, rather than describe it."""
    stems = leaf.stems
    if not stems or "enum" in leaf.schema or leaf.kind not in {"string", "integer", "number"}:
        return False
    if leaf.schema.get("format") == "uuid" or _IDENTIFIERS & set(stems[-1:]):
        return True
    return stems[-1] not in _DESCRIPTIVE and leaf.schema.get("format") is None


def is_opaque(leaf: Leaf) -> bool:
    """Whether a person would hardly know it by heart."""
    return bool(_OPAQUE & set(leaf.stems[-1:])) or leaf.schema.get("format") == "uuid"


def fit(leaf: Leaf, around: frozenset[str], field: Field) -> float:
    """How well `field` answers to `leaf`, whose tool is about the nouns `around`; 0 to 1."""
    wanted, given = leaf.stems, field.stems
    if not given or not _same_kind(leaf, field):
        return 0.0
    if field.is_item:
        return _fit_item(wanted, given, around, field)
    return _fit_names(wanted, given, around, field.entities)


def _fit_names(
    wanted: tuple[str, ...],
    given: tuple[str, ...],
    around: frozenset[str],
    entities: frozenset[str],
) -> float:
    """The same name; or one led by what it belongs to, where the other has that around it."""
    if wanted == given:
        if len(wanted) > 1 or not _IDENTIFIERS & set(wanted):
            return 1.0
        return 0.9 if around & entities else 0.0
    if wanted[-len(given) :] == given:
        return 0.9 if set(wanted[: -len(given)]) <= entities else 0.0
    if given[-len(wanted) :] == wanted:
        return 0.8 if set(given[: -len(wanted)]) <= around else 0.0
    return 0.0


def _fit_item(
    wanted: tuple[str, ...], given: tuple[str, ...], around: frozenset[str], field: Field
) -> float:
    """An array of plain values, named after what they point at: its description may say how."""
    if wanted == given:
        return 0.9
    told = {*content_stems(str(field.schema.get("description", ""))[:300]), *_IDENTIFIERS}
    rest = set(wanted) - set(given)
    is_about = set(given) <= set(wanted) | around
    return 0.7 if is_about and rest < set(wanted) | told and rest <= told else 0.0


def _same_kind(leaf: Leaf, field: Field) -> bool:
    kinds = {leaf.kind, kind_of(field.schema)}
    forms = {leaf.schema.get("format"), field.schema.get("format")} - {None}
    return (len(kinds) == 1 or kinds == {"integer", "number"}) and len(forms) < 2


def mentioned(leaf: Leaf) -> frozenset[str]:
    """What in the description of a parameter could be the name of the tool it comes from."""
    return frozenset(one.strip(".") for one in _IDENTIFIER.findall(leaf.description))

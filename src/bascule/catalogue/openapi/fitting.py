"""Schemas made complete with their definitions, within the bytes that a tool may take."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.definitions import Closure, Definitions, Translated
from bascule.catalogue.openapi.pruning import prune
from bascule.catalogue.openapi.shapes import JsonObject, as_object
from bascule.catalogue.openapi.stubs import brief, size_of
from bascule.catalogue.openapi.tameness import Weights
from bascule.catalogue.openapi.validators import compile_checked, compile_schema
from bascule.protocol.schemas import MOST_VISITS

_BYTES_PER_STEP: Final = 64
_BRIEF_WORDS: Final = 400


class Fit(Enum):
    """How much of a schema is left; the value is what a remark says of it."""

    WHOLE = "is complete"
    BRIEF = "has its longer descriptions shortened and its examples left out"
    PRUNED = "is shortened: parts of it accept any value of their type"
    BARE = "says nothing of what its properties may be"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A schema that compiles, with the definitions it needs. `cause` is why it is not whole."""

    schema: JsonObject
    fit: Fit
    cause: str = ""


def fit(top: Translated, definitions: Definitions, limit_bytes: int, budget: Budget) -> Fitted:
    """Complete `top` by its definitions, and let go of what does not fit.

    What is accepted by `top` is accepted by the result. Never refuses: where nothing else
    compiles, the names of the properties remain.
    """
    root = cast("JsonObject", top.schema)
    size_bytes = size_of(root)
    budget.spend(1 + size_bytes // _BYTES_PER_STEP)
    fitted = _unpruned(top, size_bytes, definitions, limit_bytes)
    if fitted is not None:
        sound = fitted.tame or definitions.is_light(root)
        problem = "" if sound else _problem(fitted.schema)
        if not problem:
            return fitted.result
        return _pruned(root, definitions, limit_bytes, problem, budget)
    return _pruned(root, definitions, limit_bytes, "", budget)


@dataclass(frozen=True, slots=True)
class _Whole:
    result: Fitted
    tame: bool

    @property
    def schema(self) -> JsonObject:
        return self.result.schema


def _unpruned(
    top: Translated, size_bytes: int, definitions: Definitions, limit_bytes: int
) -> _Whole | None:
    """All of it, if need be with less prose; None where that is too large."""
    root = cast("JsonObject", top.schema)
    if size_bytes <= limit_bytes:
        closure = definitions.closure(top.refs, limit_bytes - size_bytes)
        if closure is not None:
            return _Whole(Fitted(_joined(root, closure), Fit.WHOLE), top.tame and closure.tame)
    shorter = brief(root, _BRIEF_WORDS)
    left_bytes = limit_bytes - size_of(shorter)
    closure = definitions.brief_closure(top.refs, left_bytes) if left_bytes >= 0 else None
    if closure is None:
        return None
    cause = f"it has more than {limit_bytes:,} bytes"
    return _Whole(Fitted(_joined(shorter, closure), Fit.BRIEF, cause), top.tame and closure.tame)


def _pruned(
    root: JsonObject, definitions: Definitions, limit_bytes: int, problem: str, budget: Budget
) -> Fitted:
    cause = problem or f"it has more than {limit_bytes:,} bytes"
    pruned = prune(
        root, definitions.whole, limit_bytes, only_first_level=bool(problem), budget=budget
    )
    problem = _problem(pruned)
    if not problem:
        return Fitted(pruned, Fit.PRUNED, cause)
    return Fitted(_bare(root), Fit.BARE, problem)


def _joined(root: JsonObject, closure: Closure) -> JsonObject:
    return {**root, "$defs": closure.definitions} if closure.definitions else root


def _problem(schema: JsonObject) -> str:
    definitions = as_object(schema.get("$defs")) or {}
    weights = Weights(lambda name: as_object(definitions.get(name)) or {})
    is_light = weights.weigh(schema) <= MOST_VISITS
    try:
        compile_checked(schema) if is_light else compile_schema(schema)
    except ValueError as error:
        return str(error)
    return ""


def _bare(root: JsonObject) -> JsonObject:
    """The names of the properties, and nothing of what they may be."""
    bare: JsonObject = {"type": "object"}
    properties = as_object(root.get("properties"))
    if properties:
        bare["properties"] = {name: {} for name in properties}
    for keyword in ("required", "additionalProperties"):
        if isinstance(root.get(keyword), list | bool):
            bare[keyword] = root[keyword]
    return bare

"""Two JSON Schemas side by side: where they differ, and what that does to the values that pass.

It never says less than is true: a difference that cannot be judged is `UNKNOWN`. So where all that
is found only widens, every value that passed the old schema passes the new one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bascule.catalogue.constraints import (
    BOUNDS,
    Effect,
    Schema,
    bound_effect,
    canonical,
    enum_effect,
    flag_effect,
    multiple_effect,
    shown_types,
    text_effect,
    type_effect,
)
from bascule.catalogue.schema_views import (
    NOTHING,
    TEXTS,
    as_list,
    as_names,
    as_object,
    below,
    definitions_of,
    moved,
    refers,
    resembling,
    shown_choices,
    view_of,
)

_MOST_STEPS: Final = 20_000
_WIDE: Final = ("unevaluated", "$ref", "$dynamicRef")
_OPAQUE: Final = (
    "not", "if", "then", "else", "contains", "minContains", "maxContains", "propertyNames",
    "dependentRequired", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties",
    "patternProperties", "prefixItems", "format",
)  # fmt: skip
_JUDGED: Final = frozenset(
    {
        *BOUNDS, *TEXTS, *_OPAQUE, "type", "enum", "const", "multipleOf", "uniqueItems", "pattern",
        "properties", "required", "additionalProperties", "items", "allOf", "anyOf", "oneOf",
        "$defs", "definitions", "$schema", "$comment",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `place` is a path of members, `kind` what differs there."""

    effect: Effect
    place: str
    kind: str
    message: str


def compare(old: Schema, new: Schema, place: str, noun: str) -> tuple[Difference, ...]:
    """How `new` differs from `old`; `noun` is what to call a member of the value."""
    if canonical(old) == canonical(new):
        return ()
    walk = _Walk(old, new, noun, canonical(definitions_of(old)) == canonical(definitions_of(new)))
    walk.compare(old, new, place)
    return tuple(dict.fromkeys(walk.found))


@dataclass(slots=True)
class _Walk:
    """One comparison on its way. Pairs that were met before, or are being compared, are skipped:
    their differences are in `found` already, or will be."""

    old_root: Schema
    new_root: Schema
    noun: str
    same_definitions: bool
    found: list[Difference] = field(default_factory=list[Difference])
    _met: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    _kept: list[object] = field(default_factory=list[object])
    _steps: int = 0

    def compare(self, old: object, new: object, place: str) -> None:
        """Note how `new` differs from `old`."""
        if self._steps >= _MOST_STEPS or self._is_met(old, new) or self._same(old, new):
            return
        self._steps += 1
        if self._steps == _MOST_STEPS:
            # Schemas can be made to take for ever.
            self._note(Effect.UNKNOWN, place, "size", "The schemas are too large to compare.")
            return
        before, after = view_of(old, self.old_root), view_of(new, self.new_root)
        # What a reference leads to is looked at once, whoever refers to it.
        if (before is old and after is new) or not self._is_met(before, after):
            self._compare(before, after, place)

    def _is_met(self, old: object, new: object) -> bool:
        """Whether the pair was met before; from now on it was."""
        pair = id(old), id(new)
        if pair in self._met:
            return True
        self._met.add(pair)
        self._kept += [old, new]  # an id is only good as long as its object lives
        return False

    def _compare(self, old: Schema, new: Schema, place: str) -> None:
        if old is NOTHING or new is NOTHING:
            self._note_bar(old, new, place)
            return
        self._values(old, new, place)
        self._members(old, new, place)
        self.compare(old.get("items", True), new.get("items", True), f"{place}[]")
        self._combined(old, new, place)
        self._texts(old, new, place)
        self._rest(old, new, place)

    def _note_bar(self, old: Schema, new: Schema, place: str) -> None:
        if old is not new:
            effect = Effect.NARROWS if new is NOTHING else Effect.WIDENS
            what = "is not accepted any more" if new is NOTHING else "is accepted now"
            self._note(effect, place, "bar", f"Any value here {what}.")

    def _values(self, old: Schema, new: Schema, place: str) -> None:
        was, now = shown_types(old), shown_types(new)
        self._note(type_effect(old, new), place, "type", f"The type was {was}, and is {now}.")
        sets = f"The values were {shown_choices(old)}, and are {shown_choices(new)}."
        self._note(enum_effect(old, new), place, "enum", sets)
        for keyword in BOUNDS:
            effect = bound_effect(keyword, old, new)
            self._note(effect, place, "bounds", moved(keyword, old, new))
        message = moved("multipleOf", old, new)
        self._note(multiple_effect(old, new), place, "bounds", message)
        message = moved("uniqueItems", old, new)
        self._note(flag_effect("uniqueItems", old, new), place, "bounds", message)
        message = moved("pattern", old, new)
        self._note(text_effect("pattern", old, new), place, "pattern", message)

    def _members(self, old: Schema, new: Schema, place: str) -> None:
        before, after = as_object(old.get("properties")), as_object(new.get("properties"))
        wanted, required = as_names(old.get("required")), as_names(new.get("required"))
        for name, schema in before.items():
            if name in after:
                self.compare(schema, after[name], below(place, name))
            else:
                self._gone(name, new, place, resembling(schema, after, before))
        for name in after:
            if name not in before and name not in required:
                self._come(name, old, new, place)
        for name in sorted(required - wanted):
            new_one = "New, and required" if name not in before else "Required now"
            message = f"{new_one}: {self.noun} `{name}`."
            self._note(Effect.NARROWS, below(place, name), "required.added", message)
        for name in sorted(wanted - required):
            if name in after or name not in before:
                message = f"The {self.noun} `{name}` may be missing now."
                self._note(Effect.WIDENS, below(place, name), "required.removed", message)
        self._others(old, new, place)

    def _gone(self, name: str, new: Schema, place: str, likely: str) -> None:
        others = view_of(new.get("additionalProperties", True), self.new_root)
        closed = others is NOTHING
        hint = f" (perhaps it is `{likely}` now)" if likely else ""
        ending = "." if closed else "; it is still let through, but not described."
        message = f"The {self.noun} `{name}` is gone{hint}{ending}"
        still = Effect.WIDENS if others == {} else Effect.SHIFTS
        effect = Effect.NARROWS if closed else still
        self._note(effect, below(place, name), "property.removed", message)

    def _come(self, name: str, old: Schema, new: Schema, place: str) -> None:
        closed = view_of(old.get("additionalProperties", True), self.old_root) is NOTHING
        at = below(place, name)
        if "patternProperties" in old:
            self._note(Effect.UNKNOWN, at, "property.added", f"New {self.noun} `{name}`.")
        elif closed:
            message = f"New optional {self.noun} `{name}`."
            self._note(Effect.WIDENS, at, "property.added", message)
        else:
            message = f"New {self.noun} `{name}`; any value was let through under this name before."
            self._note(Effect.NARROWS, at, "property.added", message)

    def _others(self, old: Schema, new: Schema, place: str) -> None:
        before, after = (one.get("additionalProperties", True) for one in (old, new))
        if isinstance(before, bool) and isinstance(after, bool):
            if before is not after:
                effect = Effect.WIDENS if after else Effect.NARROWS
                what = "let through now" if after else "not let through any more"
                message = f"Any {self.noun} that is not described is {what}."
                self._note(effect, place, "additional", message)
            return
        self.compare(before, after, f"{place}.*")

    def _combined(self, old: Schema, new: Schema, place: str) -> None:
        for keyword in ("allOf", "anyOf", "oneOf"):
            before, after = as_list(old.get(keyword)), as_list(new.get(keyword))
            if not self._same(before, after):
                start = len(self.found)
                self._branches(keyword, before, after, place)
                if keyword == "oneOf":
                    self._doubt(start, place)

    def _doubt(self, start: int, place: str) -> None:
        """What passes `oneOf` fits one branch only, so a wider branch may let less through."""
        found = {one.effect for one in self.found[start:]}
        if found != {Effect.STEERS}:
            message = "The alternatives of `oneOf` changed: a value may fit another number of them."
            self._note(Effect.UNKNOWN, place, "oneOf", message)

    def _branches(
        self, keyword: str, before: list[object], after: list[object], place: str
    ) -> None:
        """Equal branches pair first, the rest in their order."""
        rest_old = [one for one in before if not self._has_equal(one, after)]
        rest_new = [one for one in after if not self._has_equal(one, before, turned=True)]
        pairs = list(zip(rest_old, rest_new, strict=False))
        extra = Effect.NARROWS if keyword == "allOf" else Effect.WIDENS
        missing = Effect.WIDENS if keyword == "allOf" else Effect.NARROWS
        if not before or not after:
            # Without the keyword everything passes; with it, what some branch lets through.
            extra, missing = Effect.NARROWS, Effect.WIDENS
        for index, (one, other) in enumerate(pairs):
            self.compare(one, other, f"{place}({keyword} {index + 1})")
        for count, effect, what in (
            (len(rest_new) - len(pairs), extra, "new"),
            (len(rest_old) - len(pairs), missing, "gone"),
        ):
            if count:
                noun = "alternative" if count == 1 else "alternatives"
                self._note(effect, place, keyword, f"`{keyword}`: {count} {noun} {what}.")

    def _has_equal(self, schema: object, others: Iterable[object], *, turned: bool = False) -> bool:
        """Whether one of `others`, which are of the other side, is the same schema."""
        return any(
            self._same(other, schema) if turned else self._same(schema, other) for other in others
        )

    def _texts(self, old: Schema, new: Schema, place: str) -> None:
        for keyword in TEXTS:
            if old.get(keyword) != new.get(keyword):
                message = moved(keyword, old, new)
                self._note(Effect.STEERS, place, keyword, message)

    def _rest(self, old: Schema, new: Schema, place: str) -> None:
        keywords = {**old, **new}.keys()
        for keyword in keywords:
            if keyword in _JUDGED and keyword not in _OPAQUE:
                continue
            before, after = old.get(keyword), new.get(keyword)
            # What these mean depends on everything else, and that differs.
            if keyword.startswith(_WIDE) or not self._same(before, after):
                message = f"`{keyword}` changed, which cannot be judged: {moved(keyword, old, new)}"
                self._note(Effect.UNKNOWN, place, keyword, message)

    def _same(self, old: object, new: object) -> bool:
        """Whether two parts are equal, and what they refer to as well."""
        # Python takes True for 1, which JSON does not.
        if old is not new and (old != new or canonical(old) != canonical(new)):
            return False
        return not refers(old, definitions=not self.same_definitions)

    def _note(self, effect: Effect | None, place: str, kind: str, message: str) -> None:
        if effect is not None:
            self.found.append(Difference(effect, place, kind, message))

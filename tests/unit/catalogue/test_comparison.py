"""Two schemas side by side: what is called wider lets through whatever passed before."""

from collections.abc import Mapping
from typing import Any, Final

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.catalogue.comparison import Difference, compare
from bascule.catalogue.constraints import Effect

_NAMES: Final = st.sampled_from(["a", "b", "c", "d"])
_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 6) | st.sampled_from([0.5, 1.0, "", "a", "ab"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)


def _keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    kinds = ["null", "boolean", "object", "array", "string", "number", "integer"]
    small = st.integers(0, 4)
    branches = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(kinds)
            | st.lists(st.sampled_from(kinds), min_size=1, unique=True),
            "enum": st.lists(_VALUES, min_size=1, max_size=3),
            "const": _VALUES,
            "minimum": small, "exclusiveMaximum": small, "multipleOf": st.integers(1, 4),
            "minLength": small, "maxLength": small, "pattern": st.sampled_from(["a", "^a", "b$"]),
            "minItems": small, "maxItems": small, "uniqueItems": st.booleans(),
            "minProperties": small, "maxProperties": small,
            "properties": st.dictionaries(_NAMES, inner, max_size=3),
            "required": st.lists(_NAMES, unique=True, max_size=2),
            "additionalProperties": inner,
            "patternProperties": st.dictionaries(st.sampled_from(["a", "^b"]), inner, max_size=1),
            "items": inner, "prefixItems": branches,
            "allOf": branches, "anyOf": branches, "oneOf": branches, "not": inner,
            "if": inner, "then": inner, "propertyNames": inner,
            "unevaluatedProperties": inner,
            "description": st.sampled_from(["x", "y"]),
            "$ref": st.sampled_from(["#/$defs/one", "#/$defs/two", "#"]),
        },
    )  # fmt: skip


_PARTS: Final = st.recursive(st.booleans() | st.just({}), _keywords, max_leaves=5)
_SCHEMAS: Final = st.builds(
    lambda root, one, two: {**root, "$defs": {"one": one, "two": two}},
    _keywords(_PARTS), _PARTS, _PARTS,
)  # fmt: skip


@st.composite
def _edited(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema, and the same with a little of it exchanged: most of what can be safe is small."""
    old = draw(_SCHEMAS)
    return old, _edit(draw, old)


def _edit(draw: st.DrawFn, old: dict[str, Any]) -> dict[str, Any]:
    other = draw(_SCHEMAS)
    keyword = draw(st.sampled_from(sorted({*old, *other})))
    new = {name: value for name, value in old.items() if name != keyword}
    if keyword in old and isinstance(old[keyword], dict) and old[keyword] and keyword != "const":
        inner = dict(old[keyword])
        if keyword in ("properties", "$defs", "patternProperties"):
            name = draw(st.sampled_from(sorted(inner)))
            if draw(st.booleans()) and keyword != "$defs":
                inner.pop(name)
            else:
                inner[name] = draw(_PARTS)
            return {**new, keyword: inner}
    if keyword in old and isinstance(old[keyword], list) and draw(st.booleans()):
        kept = old[keyword][:-1] or old[keyword]
        return {**new, keyword: draw(st.sampled_from([kept, old[keyword][::-1]]))}
    return {**new, **({keyword: other[keyword]} if keyword in other else {})}


def _accepts(schema: Mapping[str, Any], value: object) -> bool | None:
    try:
        return jsonschema_rs.Draft202012Validator(schema).is_valid(value)
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return None  # references that lead to each other without an end


def differences(old: Any, new: Any) -> tuple[Difference, ...]:
    return compare(old, new, "input", "argument")


def effects(old: Any, new: Any) -> list[tuple[str, str, str]]:
    return [(one.effect.value, one.place, one.kind) for one in differences(old, new)]


@settings(max_examples=150, deadline=None)
@given(_edited() | st.tuples(_SCHEMAS, _SCHEMAS), st.lists(_VALUES, min_size=8, max_size=8))
def test_what_only_widens_lets_through_whatever_passed_before(
    pair: tuple[dict[str, Any], dict[str, Any]], values: list[object]
) -> None:
    old, new = pair
    found = {one.effect for one in differences(old, new)}
    for value in values:
        before, after = _accepts(old, value), _accepts(new, value)
        if before is None or after is None:
            return
        if found <= {Effect.WIDENS, Effect.STEERS}:
            assert not before or after, (old, new, value)
        if found <= {Effect.NARROWS, Effect.STEERS}:
            assert not after or before, (old, new, value)


@given(_SCHEMAS)
def test_equal_schemas_do_not_differ(schema: dict[str, Any]) -> None:
    turned = dict(reversed(schema.items()))
    assert differences(schema, turned) == ()


@settings(max_examples=100, deadline=None)
@given(_SCHEMAS, _SCHEMAS)
def test_schemas_that_differ_are_told_apart_within_bounds(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    for one in differences(old, new):
        assert one.message
        assert one.place.startswith("input")


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "additionalProperties": False}


STRING: Final = {"type": "string"}


def test_each_change_has_its_place() -> None:
    deep = _object(filter=_object(tags={"type": "array", "items": STRING}))
    wider = _object(filter=_object(tags={"type": "array", "items": {"type": ["string", "null"]}}))
    assert effects(deep, wider) == [("widens", "input.filter.tags[]", "type")]
    odd = {"a.b": STRING}
    assert effects(_object(**odd), _object()) == [("narrows", 'input["a.b"]', "property.removed")]


def test_arguments_come_and_go() -> None:
    closed, more = _object(a=STRING), _object(a=STRING, b=STRING)
    assert effects(closed, more) == [("widens", "input.b", "property.added")]
    assert effects(more, closed) == [("narrows", "input.b", "property.removed")]
    required = {**more, "required": ["b"]}
    assert effects(closed, required) == [("narrows", "input.b", "required.added")]
    assert effects(required, more) == [("widens", "input.b", "required.removed")]
    opened = {
        name: {**one, "additionalProperties": True} for name, one in (("a", closed), ("b", more))
    }
    assert effects(opened["a"], opened["b"]) == [("narrows", "input.b", "property.added")]
    assert effects(opened["b"], opened["a"]) == [("widens", "input.b", "property.removed")]
    assert effects(closed, opened["a"]) == [("widens", "input", "additional")]


def test_a_renamed_argument_is_one_that_went_and_one_that_came() -> None:
    found = differences(_object(old=STRING), _object(new=STRING))
    assert [one.kind for one in found] == ["property.removed", "property.added"]
    assert "perhaps it is `new` now" in found[0].message


def test_values_are_compared_as_json_compares_them() -> None:
    assert effects({"const": 1}, {"const": 1.0}) == []
    assert effects({"const": 1}, {"const": True}) == [("shifts", "input", "enum")]
    assert effects({"enum": ["a", "b"]}, {"enum": ["b"]}) == [("narrows", "input", "enum")]
    assert effects({"type": "integer"}, {"type": "number"}) == [("widens", "input", "type")]


def test_what_a_model_reads_is_told_though_the_values_stay() -> None:
    old, new = _object(a={**STRING, "default": "x"}), _object(a={**STRING, "default": "y"})
    assert effects(old, new) == [("steers", "input.a", "default")]


def test_references_are_followed_and_what_they_lead_to_is_told_once() -> None:
    def schema(kind: str) -> dict[str, Any]:
        reference = {"$ref": "#/$defs/node"}
        node = {"type": kind, "properties": {"next": reference}}
        return {"properties": {"a": reference, "b": reference}, "$defs": {"node": node}}

    assert effects(schema("object"), schema("array")) == [("shifts", "input.a", "type")]


def test_alternatives_pair_with_their_like() -> None:
    one, two, three = STRING, {"type": "integer"}, {"type": "null"}
    assert effects({"anyOf": [one, two]}, {"anyOf": [two, one, three]}) == [
        ("widens", "input", "anyOf")
    ]
    assert effects({"anyOf": [one, two]}, {"anyOf": [two]}) == [("narrows", "input", "anyOf")]
    found = effects({"oneOf": [one, two]}, {"oneOf": [one, {"type": "number"}]})
    assert ("unknown", "input", "oneOf") in found
    assert effects({"oneOf": [one]}, {"oneOf": [{**one, "title": "T"}]}) == [
        ("steers", "input(oneOf 1)", "title")
    ]


def test_an_endless_comparison_ends() -> None:
    def wide(depth: int, leaf: str) -> dict[str, Any]:
        inner: Any = {"type": leaf}
        for _ in range(depth):
            inner = {"anyOf": [{"properties": {"x": inner}, "minLength": n} for n in range(3)]}
        return inner

    defs = {f"d{n}": wide(3, "string") for n in range(3000)}
    changed = {f"d{n}": wide(3, "number") for n in range(3000)}
    old, new = ({"properties": one} for one in (defs, changed))
    assert effects(old, new)[-1] == ("unknown", "input", "size") or any(
        kind == "size" for _, _, kind in effects(old, new)
    )

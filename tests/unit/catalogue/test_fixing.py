from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.fixing import without_arguments

PLAIN: dict[str, Any] = {
    "type": "object",
    "properties": {"day": {"type": "string"}, "dealer": {"type": "integer"}},
    "required": ["day", "dealer"],
    "additionalProperties": False,
}


def test_a_fixed_argument_is_neither_taken_nor_required() -> None:
    assert without_arguments(PLAIN, ["dealer"]) == {
        "type": "object",
        "properties": {"day": {"type": "string"}},
        "required": ["day"],
        "additionalProperties": False,
    }
    assert PLAIN["required"] == ["day", "dealer"], "the tool's own schema stays as it is"


def test_alternatives_do_not_ask_for_it_either() -> None:
    schema = {
        "properties": {"a": {}, "b": {}, "c": {}},
        "anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}],
        "if": {"required": ["c"]},
        "then": {"required": ["a", "b"]},
        "else": True,
        "dependentRequired": {"a": ["b"], "b": ["c"]},
    }
    assert without_arguments(schema, {"a"}) == {
        "properties": {"b": {}, "c": {}},
        "anyOf": [{"required": []}, {"required": ["b", "c"]}],
        "if": {"required": ["c"]},
        "then": {"required": ["b"]},
        "else": True,
        "dependentRequired": {"b": ["c"]},
    }


def test_a_schema_nested_without_end_is_cut_off() -> None:
    schema: dict[str, Any] = {"required": ["a"]}
    for _ in range(100):
        schema = {"allOf": [schema], "required": ["a"]}
    assert without_arguments(schema, ["a"])["required"] == []


@pytest.mark.parametrize("odd", [{"required": "a"}, {"properties": 1}, {"allOf": {}}, {"then": 3}])
def test_what_is_no_schema_stays_as_it_is(odd: dict[str, object]) -> None:
    assert without_arguments(odd, ["a"]) == odd


_names = st.sampled_from(["a", "b", "c"])
_required = st.lists(_names, unique=True, max_size=3)
_schemas = st.fixed_dictionaries(
    {
        "properties": st.just({name: {"type": "integer"} for name in "abc"}),
        "required": _required,
        "additionalProperties": st.just(value=False),
    },
    optional={
        "anyOf": st.lists(_required.map(lambda one: {"required": one}), min_size=1, max_size=3),
        "allOf": st.lists(_required.map(lambda one: {"required": one}), min_size=1, max_size=3),
    },
)


@given(_schemas, st.sets(_names), st.sets(_names))
def test_what_is_shown_accepts_what_the_whole_does_with_the_rest_filled_in(
    schema: dict[str, Any], fixed: set[str], sent: set[str]
) -> None:
    arguments = dict.fromkeys(sent - fixed, 1)
    shown = jsonschema_rs.validator_for(without_arguments(schema, fixed))
    whole = jsonschema_rs.validator_for(schema)
    assert shown.is_valid(arguments) is whole.is_valid({**arguments, **dict.fromkeys(fixed, 1)})

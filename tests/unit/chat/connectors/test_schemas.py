import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.chat.connectors.schemas import plain

TEXT = {"type": "string"}


def test_an_ordinary_schema_is_told_as_it_is():
    schema = {
        "type": "object",
        "properties": {"city": TEXT, "ids": {"type": "array", "items": TEXT}},
        "required": ["city"],
        "additionalProperties": False,
    }
    assert plain(schema) == schema


def test_an_empty_schema_is_one_of_an_object():
    assert plain({}) == {"type": "object", "properties": {}}


@pytest.mark.parametrize("choice", ["oneOf", "anyOf", "allOf"])
def test_choices_at_the_top_become_properties(choice):
    schema = {choice: [{"properties": {"file": TEXT}, "required": ["file"]}, {"type": "object"}]}
    shown = plain({"properties": {"x": TEXT}, "required": ["x"], **schema})
    assert shown["properties"] == {"x": TEXT, "file": TEXT}
    assert choice not in shown
    assert shown["required"] == (["x", "file"] if choice == "allOf" else ["x"])


def test_a_choice_below_the_top_stays():
    schema = {"type": "object", "properties": {"x": {"anyOf": [TEXT, {"type": "null"}]}}}
    assert plain(schema) == schema


def test_properties_that_providers_do_not_take_are_left_out():
    shown = plain(
        {"properties": {"a b": TEXT, "$top": TEXT, "ok": TEXT}, "required": ["a b", "ok"]}
    )
    assert (list(shown["properties"]), shown["required"]) == (["ok"], ["ok"])


@pytest.mark.parametrize("kind", ["array", ["array", "null"]])
def test_a_list_of_anything_says_so(kind):
    inner = {"type": "object", "properties": {"x": {"type": kind}}}
    shown = plain({"properties": {"deep": inner}})
    assert shown["properties"]["deep"]["properties"]["x"] == {"type": kind, "items": {}}


@given(
    st.dictionaries(
        st.sampled_from(["type", "properties", "required", "allOf", "oneOf", "enum", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["type", "properties", "required", "a"]), inner)
            ),
            max_leaves=8,
        ),
    )
)
def test_whatever_a_server_calls_a_schema_comes_out_as_an_object(schema):
    shown = plain(schema)
    assert shown["type"] == "object"
    assert isinstance(shown["properties"], dict)
    assert not {"allOf", "oneOf", "anyOf", "not", "enum"} & set(shown)
    assert plain(shown) == shown

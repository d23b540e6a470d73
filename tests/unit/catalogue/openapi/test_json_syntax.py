"""JSON is read strictly, and what is wrong has a line and a column."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.json_syntax import MAX_DEPTH, MOST_VALUES, json_events, read_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_what_json_writes_is_read_back(value: object) -> None:
    assert read_json(json.dumps(value)) == value


@given(JSON.filter(lambda value: isinstance(value, dict)))
def test_every_key_is_an_event(value: dict[str, object]) -> None:
    events = list(json_events(json.dumps(value)))

    assert [event.text for event in events][:1] == ["{"]
    assert set(value) <= {event.text for event in events if event.kind == "scalar"}


def test_an_error_names_line_and_column() -> None:
    with pytest.raises(DocumentRejected, match="at line 2, column 7") as caught:
        read_json('{"a": 1,\n "b": x}')

    assert caught.value.findings[0].line == 2


def test_columns_are_counted_in_characters_not_bytes() -> None:
    with pytest.raises(DocumentRejected, match="at line 1, column 9"):
        read_json('{"äöü": x}')


def test_a_duplicate_key_is_refused_where_it_is() -> None:
    with pytest.raises(DocumentRejected, match=r"'get' appears twice.*line 2, column 2"):
        read_json('{"get": {},\n "get": {}}')


def test_deep_nesting_is_refused_and_costs_no_stack() -> None:
    with pytest.raises(DocumentRejected, match="levels deep"):
        read_json("[" * 200_000 + "]" * 200_000)
    with pytest.raises(DocumentRejected, match="levels deep"):
        read_json("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    assert read_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)


@pytest.mark.parametrize("text", ['"\\ud800"', "1e999", "NaN", "[1,]", "{'a': 1}", "1" * 9_000])
def test_what_strict_json_forbids_is_refused(text: str) -> None:
    with pytest.raises(DocumentRejected, match="not valid JSON"):
        read_json(text)


def test_a_text_that_ends_too_early_has_a_line() -> None:
    with pytest.raises(DocumentRejected, match="line 2") as caught:
        read_json('{"a":\n[1, ')

    assert caught.value.findings[0].line == 2


def test_more_values_than_memory_allows_are_refused_unread() -> None:
    with pytest.raises(DocumentRejected, match="more than 2,000,000 values"):
        read_json("[" + "{}," * MOST_VALUES + "{}]")

"""Forms decode to what was given."""

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.tool import RestPart
from bascule.upstreams.rest.forms import join_pairs, pair_writer, plan_form
from bascule.upstreams.rest.values import Unwritable

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def decoded(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True)


@given(st.dictionaries(TEXT, TEXT | st.lists(TEXT, max_size=3)))
def test_a_form_decodes_to_its_members(members: dict[str, object]) -> None:
    expected = [
        (name, one)
        for name, value in members.items()
        for one in (value if isinstance(value, list) else [value])
    ]

    assert decoded(plan_form({})(members)) == expected


@given(st.dictionaries(st.sampled_from(["a", "b&c"]), st.lists(TEXT, min_size=1) | TEXT))
def test_a_styled_form_decodes_to_its_members(members: dict[str, object]) -> None:
    parts = {name: RestPart(style="form", explode=True) for name in ("a", "b&c")}
    expected = [
        (name, one)
        for name, value in members.items()
        for one in (value if isinstance(value, list) else [value])
    ]

    assert decoded(plan_form(parts)(members)) == expected


def test_null_is_left_out_and_objects_are_json() -> None:
    text = plan_form({})({"a": None, "b": {"k": [1]}, "c": [None, [1, 2]], "d": True})

    pairs = decoded(text)
    assert [name for name, _ in pairs] == ["b", "c", "d"]
    assert json.loads(pairs[0][1]) == {"k": [1]}
    assert pairs[1:] == [("c", "[1,2]"), ("d", "true")]
    assert pair_writer("a", RestPart(style="form"))(None) == ""


def test_a_value_declared_json_is_json_even_where_it_is_text() -> None:
    assert pair_writer("a", RestPart(("application/json",)))("x y") == "a=%22x+y%22"


def test_only_an_object_is_a_form() -> None:
    with pytest.raises(Unwritable, match="object"):
        plan_form({})(["a"])


def test_who_gave_a_value_without_a_form_is_named() -> None:
    with pytest.raises(Unwritable) as caught:
        join_pairs([("arg", pair_writer("wire", RestPart()), "\ud800")])

    assert caught.value.argument == "arg"


def test_a_style_that_there_is_not_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        pair_writer("a", RestPart(style="matrix"))

"""A schema is looked at as it is meant, whatever its shape."""

from typing import Any

import pytest

from bascule.catalogue.schema_views import (
    NOTHING,
    as_list,
    as_names,
    as_object,
    below,
    definitions_of,
    find,
    moved,
    refers,
    resembling,
    shown_choices,
    view_of,
)

ROOT: dict[str, Any] = {
    "$defs": {"a/b": {"type": "string", "title": "T"}, "to": {"$ref": "#/$defs/a~1b"}, "no": False,
              "loop": {"$ref": "#/$defs/loop"}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "view"),
    [
        (True, {}),
        (False, NOTHING),
        ({"not": {}}, NOTHING),
        (7, {}),
        ({"$ref": "#/$defs/to"}, {"type": "string", "title": "T"}),
        ({"$ref": "#/$defs/to", "title": "U"}, {"type": "string", "title": "U"}),
        ({"$ref": "#/$defs/no"}, NOTHING),
        ({"$ref": "#/$defs/no", "title": "U"}, {"title": "U", "allOf": [False]}),
        ({"$ref": "#/$defs/none"}, {"$ref": "#/$defs/none"}),
        ({"$ref": "http://h/x"}, {"$ref": "http://h/x"}),
        ({"$ref": "#/$defs/loop"}, {"$ref": "without end"}),
        ({"$ref": "#/$defs/to", "maxLength": 1},
         {"maxLength": 1, "allOf": [{"$ref": "#/$defs/a~1b"}]}),
    ],
)  # fmt: skip
def test_references_are_followed(schema: Any, view: Any) -> None:
    assert view_of(schema, ROOT) == view


def test_what_is_not_there_is_nothing() -> None:
    assert find("#/$defs/x/y", ROOT) is None
    assert find("#", ROOT) is ROOT
    assert definitions_of(ROOT) == (ROOT["$defs"], None)
    assert (as_object([]), as_list({}), as_names([1, "a"])) == ({}, [], {"a"})


def test_who_refers_to_what_may_have_changed() -> None:
    within = {"items": [{"$ref": "#/$defs/x"}]}
    assert refers(within, definitions=True)
    assert not refers(within, definitions=False)
    assert refers({"a": {"$ref": "#/properties/b"}}, definitions=False)
    assert refers({"$dynamicRef": "#node"}, definitions=False)


def test_words_for_people() -> None:
    assert (below("input", "a-b"), below("input", "a b")) == ("input.a-b", 'input["a b"]')
    assert shown_choices({"const": None}) == "[null]"
    assert (shown_choices({"enum": []}), shown_choices({})) == ("[]", "not limited")
    assert moved("x", {}, {"x": 1}) == "`x` is new: 1."
    assert moved("x", {"x": 1}, {}) == "`x` is gone; it was 1."
    assert moved("x", {"x": 1}, {"x": 2}) == "`x` was 1, and is 2."
    assert moved("x", {}, {}) == ""
    assert resembling({"type": "string"}, {"b": {"type": "string"}}, {"a": {}}) == "b"
    assert resembling({}, {"b": {}}, {"a": {}}) == ""

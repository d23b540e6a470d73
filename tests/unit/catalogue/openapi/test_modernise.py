"""Words of OpenAPI 3.0 become words of JSON Schema 2020-12."""

import pytest

from bascule.catalogue.openapi.modernise import annotations_of, modernise


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": ["string"], "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string", "nullable": False}),
        (
            {"type": "string", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"nullable": True, "enum": ["a", None]}, {"enum": ["a", None]}),
        (
            {"nullable": True, "$ref": "#/x", "description": "d"},
            {"description": "d", "anyOf": [{"$ref": "#/x"}, {"type": "null"}]},
        ),
        (
            {"nullable": True, "allOf": [{}], "type": "object"},
            {"anyOf": [{"allOf": [{}], "type": "object"}, {"type": "null"}]},
        ),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 9, "exclusiveMaximum": False}, {"maximum": 9}),
        ({"exclusiveMaximum": True}, {}),
        ({"exclusiveMinimum": 3}, {"exclusiveMinimum": 3}),
        ({"example": 0}, {"examples": [0]}),
        ({"example": 1, "examples": [2]}, {"examples": [2]}),
    ],
)
def test_old_words_become_new_ones(old: dict[str, object], new: dict[str, object]) -> None:
    before = dict(old)

    assert modernise(old) == new
    assert old == before


def test_annotations_constrain_nothing() -> None:
    assert annotations_of({"title": "t", "type": "string", "default": 1}) == {
        "title": "t", "default": 1,
    }  # fmt: skip


def test_what_swagger_authors_call_nullable_is() -> None:
    assert modernise({"type": "string", "x-nullable": True}) == {"type": ["string", "null"]}
    assert modernise({"type": "string", "x-nullable": False}) == {
        "type": "string", "x-nullable": False,
    }  # fmt: skip
    assert modernise({"enum": ["a"], "nullable": True}) == {"enum": ["a", None]}

"""Schemas are taken apart level by level, and what stands for the rest says so."""

from bascule.catalogue.openapi.stubs import Way, brief, size_of, stub, take_apart

LONG = "word " * 100


def test_a_stub_keeps_the_type_and_says_that_it_is_one() -> None:
    assert stub({"type": "object", "properties": {"a": {}}, "description": "A pet."}) == {
        "type": "object", "description": "A pet. (Shortened here: any object is accepted.)",
    }  # fmt: skip
    assert stub({"oneOf": [], "title": "Pet"}) == {
        "description": "Pet (Shortened here: any value is accepted.)"
    }
    assert stub({"type": ["object", "null"]}, words=0) == {"type": ["object", "null"]}


def test_what_is_small_comes_along_and_the_rest_is_a_site() -> None:
    large = {"type": "object", "description": LONG}
    schema = {
        "type": "object",
        "properties": {"may": {"type": "integer"}, "must": large, "more": large},
        "required": ["must"],
        "items": {"$ref": "#/$defs/A"},
    }

    level = take_apart(schema, 20, Way(1, 2))

    assert level.schema["properties"]["may"] == {"type": "integer"}
    assert level.refs == [("A", Way(1, 3))]
    assert [(site.key, site.way) for site in level.sites] == [
        ("must", Way(1, 3)), ("more", Way(2, 3)),
    ]  # fmt: skip
    level.sites[0].put({"type": "null"})
    assert level.schema["properties"]["must"] == {"type": "null"}


def test_what_would_refuse_more_as_its_parts_accept_more_is_let_go() -> None:
    reference = {"$ref": "#/$defs/A"}
    level = take_apart(
        {
            "not": reference, "if": reference, "then": {}, "contains": reference, "maxContains": 1,
            "unevaluatedProperties": False, "oneOf": [reference], "propertyNames": {"minLength": 1},
        },
        20,
    )  # fmt: skip

    assert level.schema == {"anyOf": [reference], "propertyNames": {"minLength": 1}}


def test_conditions_that_refer_to_nothing_stay() -> None:
    schema = {"not": {"type": "null"}, "if": {"type": "string"}, "then": {"minLength": 1},
              "contains": {"type": "string"}, "minContains": 2}  # fmt: skip

    assert take_apart(schema, 20).schema == schema


def test_two_unions_stay_two() -> None:
    schema = {"oneOf": [{"type": "string"}], "anyOf": [{"type": "null"}]}

    assert take_apart(schema, 20).schema == {
        "allOf": [{"anyOf": [{"type": "string"}]}], "anyOf": [{"type": "null"}],
    }  # fmt: skip


def test_in_brief_prose_is_short_and_examples_are_gone() -> None:
    schema = {
        "description": LONG, "examples": [1],
        "properties": {"description": {"description": LONG}, "examples": {"type": "string"}},
        "anyOf": [{"description": LONG}, True], "items": {"examples": [2]},
        "const": {"examples": 5},
    }  # fmt: skip

    shorter = brief(schema, 20)

    assert size_of(shorter) < 300
    assert list(shorter["properties"]) == ["description", "examples"]
    assert shorter["const"] == {"examples": 5}
    assert shorter["items"] == {}
    assert shorter["anyOf"][1] is True


def test_a_stub_that_says_all_there_is_does_not_call_itself_one() -> None:
    assert stub({"type": "string", "description": LONG, "default": "a"}, words=10) == {
        "type": "string", "description": "word word\u2026",
    }  # fmt: skip

"""Forms of servers: which are forms, which ask for secrets, which answers fit."""

import pytest

from bascule.chat.forms import asks_for_secret, members_of, misfit

CHOICE = {"type": "string", "enum": ["red", "blue"]}
TITLED = {"type": "string", "oneOf": [{"const": "r", "title": "Red"}]}
SEVERAL = {"type": "array", "minItems": 1, "maxItems": 1, "items": CHOICE}


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {"type": "array"},
        {"type": "object", "properties": []},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "properties": {"a": {"type": "object"}}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object"}}}},
        {"type": "object", "properties": {f"a{n}": {"type": "string"} for n in range(65)}},
    ],
    ids=["none", "list", "no-map", "true", "nested", "union", "objects", "many"],
)
def test_what_goes_beyond_plain_fields_is_no_form(schema: dict[str, object] | None) -> None:
    assert members_of(schema) is None


def test_plain_fields_are_a_form() -> None:
    properties = {"a": {"type": "string"}, "b": SEVERAL, "c": {"type": "boolean"}}
    assert members_of({"type": "object", "properties": properties}) == properties
    assert members_of({"type": "object"}) == {}


@pytest.mark.parametrize(
    "name",
    ["password", "userPassword", "API_KEY", "apiKey", "access-token", "otp", "Card number",
     "client_secret", "PRIVATE KEY", "pass_word", "cvv"],
)  # fmt: skip
def test_secrets_are_known_by_their_names(name: str) -> None:
    assert asks_for_secret({name: {"type": "string"}}) == name
    assert asks_for_secret({"a": {"type": "string", "title": name}}) == "a"


def test_secrets_are_known_by_their_format() -> None:
    assert asks_for_secret({"a": {"type": "string", "format": "password"}}) == "a"
    assert asks_for_secret({"a": {"type": "string", "writeOnly": True}}) == "a"


@pytest.mark.parametrize("name", ["pin_code", "compass", "tokenise", "secretary", "key", "name"])
def test_other_names_are_no_secrets(name: str) -> None:
    assert asks_for_secret({name: {"type": "string"}}) is None


@pytest.mark.parametrize(
    ("field", "fits", "fails"),
    [
        ({"type": "boolean"}, True, "true"),
        ({"type": "number", "minimum": 1}, 1.5, 0),
        ({"type": "number", "maximum": 1}, 1, 2),
        ({"type": "number"}, 1, True),
        ({"type": "integer"}, 2.0, 2.5),
        ({"type": "integer"}, 2, float("inf")),
        ({"type": "integer"}, 2, float("nan")),
        ({"type": "string"}, "a", 1),
        ({"type": "string", "minLength": 2}, "ab", "a"),
        ({"type": "string", "maxLength": 2}, "ab", "abc"),
        ({"type": "string", "format": "email"}, "a@b", "ab"),
        ({"type": "string", "format": "uri"}, "https://a/b", "a b"),
        ({"type": "string", "format": "uri"}, "mailto:a", "http://[a"),
        ({"type": "string", "format": "date"}, "2026-01-31", "20260131"),
        ({"type": "string", "format": "date-time"}, "2026-01-31T09:00:00Z", "2026-01-31T09:00"),
        (CHOICE, "red", "green"),
        (TITLED, "r", "Red"),
        (SEVERAL, ["red"], []),
        (SEVERAL, ["red"], ["red", "blue"]),
        (SEVERAL, ["red"], ["green"]),
        (SEVERAL, ["red"], "red"),
    ],
)
def test_answers_fit_their_fields(field: dict[str, object], fits: object, fails: object) -> None:
    assert misfit({"a": field}, None, {"a": fits}) is None
    assert misfit({"a": field}, None, {"a": fails}) is not None


def test_what_is_required_is_there_and_nothing_else_is() -> None:
    field: dict[str, object] = {"type": "string"}
    assert misfit({"a": field}, ["a"], {}) == "“a” is missing."
    assert misfit({"a": field}, [], {"b": "x"}) == "“b” was not asked for."
    assert misfit({"a": field}, [], {}) is None

"""What a person writes becomes what the tool's schema asks for, or an error that says why not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import (
    booleans,
    dictionaries,
    floats,
    integers,
    lists,
    none,
    recursive,
    text,
)

from bascule.cli.arguments import parse_arguments
from bascule.cli.failures import CommandFailed, Exit

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer"},
        "ratio": {"type": "number"},
        "flag": {"type": "boolean"},
        "list": {"type": "array"},
        "map": {"type": "object"},
        "maybe": {"type": ["integer", "null"]},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "number_or_flag": {"oneOf": [{"type": "number"}, {"type": "boolean"}]},
        "all": {"allOf": [{"type": "integer"}, {"minimum": 1}]},
        "level": {"enum": [1, 2]},
        "name": {"enum": ["1", "2"]},
        "fixed": {"const": True},
        "referenced": {"$ref": "#/$defs/Count"},
        "endless": {"$ref": "#/$defs/Endless"},
        "dangling": {"$ref": "#/$defs/None"},
        "free": {},
        "anything": True,
    },
    "$defs": {"Count": {"type": "integer"}, "Endless": {"$ref": "#/$defs/Endless"}},
}


def parsed(*pairs: str, given_json: str | None = None) -> dict[str, Any]:
    return parse_arguments(pairs, given_json, SCHEMA)


def refusal(*pairs: str, given_json: str | None = None) -> str:
    with pytest.raises(CommandFailed) as caught:
        parsed(*pairs, given_json=given_json)
    assert caught.value.exit_code is Exit.USAGE
    return caught.value.message


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("text=5", "5"),
        ("text=true", "true"),
        ("text=", ""),
        ("text=a=b", "a=b"),
        ("count=5", 5),
        ("ratio=0.5", 0.5),
        ("ratio=5", 5),
        ("flag=true", True),
        ('list=["a"]', ["a"]),
        ('map={"a": 1}', {"a": 1}),
        ("maybe=null", None),
        ("maybe=3", 3),
        ("either=5", "5"),
        ("number_or_flag=false", False),
        ("all=7", 7),
        ("level=2", 2),
        ("name=2", "2"),
        ("fixed=true", True),
        ("referenced=4", 4),
        ("endless=4", "4"),
        ("dangling=4", "4"),
        ("free=4", "4"),
        ("anything=4", "4"),
        ("unknown=4", "4"),
        ("text:=5", 5),
        ("unknown:=[1, null]", [1, None]),
        ('count:="5"', "5"),
    ],
)
def test_a_value_takes_the_type_that_its_property_has(pair: str, value: object) -> None:
    key = pair.partition("=")[0].removesuffix(":")
    found = parsed(pair)
    assert found == {key: value}
    assert type(found[key]) is type(value)


@pytest.mark.parametrize("pair", ["text", "=x", ":=5", "", "--flag"])
def test_what_is_no_pair_is_answered_with_an_example(pair: str) -> None:
    assert "city=Pune" in refusal(pair)


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("count=five", ["count", "integer", "'five'"]),
        ("flag=yes", ["flag", "boolean", "'yes'"]),
        ("list=a,b", ["list", "array", 'list:=["a", "b"]']),
        ("map=a", ["map", "object", "map:="]),
        ("maybe=x", ["maybe", "integer or null"]),
        ("ratio=NaN", ["ratio", "number"]),
        ("ratio=1e999", ["ratio", "number"]),
        ("count:=five", ["count", "not JSON"]),
        ("x:=", ["x", "not JSON"]),
        ("x:=Infinity", ["Infinity is no JSON number"]),
        ("x:=1e999", ["too large"]),
        ("x:=" + "[" * 100_000, ["nested too deeply"]),
        ("x:=" + "9" * 5000, ["not JSON"]),
        ('x:="\\ud800"', ["half of a surrogate pair"]),
        ("text=\udcff", ["'text'", "not valid UTF-8"]),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(pair: str, words: list[str]) -> None:
    message = refusal(pair)
    assert all(word in message for word in words), message


def test_pairs_win_over_json() -> None:
    assert parsed("text=b", given_json='{"text": "a", "count": 1}') == {"text": "b", "count": 1}


@pytest.mark.parametrize("again", ["text=b", 'text:="b"'])
def test_a_pair_given_twice_is_refused_by_its_name(again: str) -> None:
    with pytest.raises(CommandFailed, match=r"^text is given twice\.") as refused:
        parsed("text=a", again)
    assert refused.value.exit_code is Exit.USAGE


@pytest.mark.parametrize("given_json", ["[]", "5", "null", '"x"', "{", "", '{"a": NaN}', "\udcff"])
def test_json_that_is_no_object_is_refused(given_json: str) -> None:
    assert "--json" in refusal(given_json=given_json)


def test_without_pairs_and_json_there_are_no_arguments() -> None:
    assert parsed() == {}


JSON = recursive(
    none()
    | booleans()
    | integers(-(2**53), 2**53)
    | floats(allow_nan=False, allow_infinity=False)
    | text(),
    lambda inner: lists(inner, max_size=3) | dictionaries(text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_whatever_can_be_sent_can_be_said_outright(value: Any) -> None:
    assert parsed(f"x:={json.dumps(value)}") == {"x": value}


@given(lists(text(), max_size=4), none() | text())
def test_any_command_line_gives_arguments_or_a_usage_error(
    pairs: list[str], given_json: str | None
) -> None:
    try:
        found = parsed(*pairs, given_json=given_json)
    except CommandFailed:
        return
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode()

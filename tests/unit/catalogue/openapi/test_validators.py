"""A schema compiles the way calls are checked: no outside, linear patterns."""

import pytest

from bascule.catalogue.openapi.validators import Patterns, compile_schema


def test_a_compiled_schema_validates() -> None:
    validator = compile_schema({"type": "object", "required": ["a"]})

    assert validator.is_valid({"a": 1})
    assert not validator.is_valid({})


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9/x.json", "file:///etc/hostname"])
def test_a_reference_to_the_outside_is_never_fetched(uri: str) -> None:
    with pytest.raises(ValueError, match="are not followed"):
        compile_schema({"$ref": uri})


def test_an_unusable_schema_says_why_in_one_line() -> None:
    with pytest.raises(ValueError, match="any") as caught:
        compile_schema({"type": "any"})

    assert "\n" not in str(caught.value)


def test_only_patterns_of_linear_time_run() -> None:
    patterns = Patterns()

    assert patterns.run_in_linear_time("^(a+)+$")
    assert not patterns.run_in_linear_time("^(?!admin)")
    assert not patterns.run_in_linear_time(r"(a)\1")
    assert not patterns.run_in_linear_time("[")


def test_a_schema_whose_checks_double_with_each_definition_is_not_compiled() -> None:
    definitions: dict[str, object] = {
        f"A{number}": {"anyOf": [{"$ref": f"#/$defs/A{number + 1}"}] * 2} for number in range(40)
    }
    schema = {"$ref": "#/$defs/A0", "$defs": {**definitions, "A40": {}}}

    with pytest.raises(ValueError, match="more than 10,000 subschemas"):
        compile_schema(schema)

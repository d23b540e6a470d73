"""Keyword values are usable or not."""

import pytest

from bascule.catalogue.openapi.keywords import PLAIN
from bascule.catalogue.openapi.validators import compile_schema

VALUES = (
    None, True, 0, 3, -1, 1.5, 2.0, 0.0, "", "3", "string", "any", [], ["a"], ["a", "a"], [1],
    ["string", "null"], ["string", 1], {}, {"a": ["b"]}, {"a": "b"}, [None, {}],
)  # fmt: skip


@pytest.mark.parametrize("keyword", [name for name in PLAIN if name != "pattern"])
def test_a_value_that_passes_its_check_compiles(keyword: str) -> None:
    passed = [value for value in VALUES if PLAIN[keyword](value)]

    assert passed
    for value in passed:
        compile_schema({keyword: value})


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("type", "file"), ("type", []), ("type", ["string", "string"]), ("minLength", -1),
        ("minLength", "3"), ("minLength", True), ("multipleOf", 0), ("required", True),
        ("required", ["a", "a"]), ("enum", []), ("enum", "a"), ("description", 5),
        ("deprecated", "yes"), ("examples", "a"), ("dependentRequired", {"a": "b"}),
    ],
)  # fmt: skip
def test_a_value_that_authors_get_wrong_is_caught(keyword: str, value: object) -> None:
    assert not PLAIN[keyword](value)

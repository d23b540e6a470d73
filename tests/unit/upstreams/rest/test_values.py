"""Values as text, and who is to blame where one has none."""

import pytest

from bascule.upstreams.rest.values import (
    Unwritable,
    blame,
    items_of,
    leaves_of,
    pairs_of,
    to_json,
    to_text,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"), (True, "true"), (False, "false"), (5, "5"), (5.0, "5"), (-0.5, "-0.5"),
        (1e22, "1e+22"), (0.1, "0.1"), ({"a": [1, None]}, '{"a":[1,null]}'), ([1], "[1]"),
        (2**70, "1180591620717411303424"),
    ],
)  # fmt: skip
def test_scalars_are_written_as_json_writes_them(value: object, text: str) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_refused(number: float) -> None:
    with pytest.raises(Unwritable):
        to_text(number)
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json([number])


def test_null_has_no_place_among_items_and_members() -> None:
    assert items_of([1, None, "a"]) == ["1", "a"]
    assert pairs_of({"a": None, "b": True}) == [("b", "true")]
    assert items_of("ab") is None
    assert pairs_of([]) is None


def test_half_of_a_surrogate_pair_is_no_json() -> None:
    assert to_json("😀") == '"\\ud83d\\ude00"'
    with pytest.raises(UnicodeEncodeError):
        to_json({"a": "\ud83d"})


def test_leaves_carry_the_keys_that_lead_to_them() -> None:
    value = {"a": {"b": 1}, "c": ["x", None, "y"], "d": None, "e": []}

    assert list(leaves_of(value, "f")) == [("f[a][b]", "1"), ("f[c]", "x"), ("f[c]", "y")]


def test_leaves_of_an_array_add_brackets_and_those_of_objects_in_one_are_numbered() -> None:
    assert list(leaves_of(["x", "y"], "f")) == [("f[]", "x"), ("f[]", "y")]
    assert list(leaves_of([{"a": 1}, [2]], "f")) == [("f[0][a]", "1"), ("f[1]", "2")]
    assert list(leaves_of({"a": [{"b": 1}, 2]}, "f")) == [("f[a][0][b]", "1"), ("f[a][1]", "2")]
    assert list(leaves_of(5, "f")) == [("f", "5")]


def test_a_key_cannot_open_another_level() -> None:
    with pytest.raises(Unwritable, match="brackets"):
        list(leaves_of({"a][b": 1}, "f"))


def test_leaves_too_deep_are_refused() -> None:
    value: object = 1
    for _ in range(5_000):
        value = {"a": value}

    with pytest.raises(Unwritable, match="levels deep"):
        list(leaves_of(value, "f"))


def test_every_failure_is_put_into_words_and_blamed_on_who_gave_it() -> None:
    failures = {
        "surrogate": UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        "deeply": RecursionError(),
        "number": OverflowError(),
        "odd": Unwritable("is odd"),
    }
    for word, failure in failures.items():
        blamed = blame(failure, "x")
        assert word in str(blamed)
        assert blamed.argument == "x"
    assert blame(Unwritable("is odd", "inner"), "outer").argument == "inner"

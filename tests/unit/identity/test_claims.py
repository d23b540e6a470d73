from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.identity.claims import at, first_text, gathered, number_of, text_of, texts_of, words

CLAIMS: dict[str, Any] = {
    "sub": "ann",
    "https://a.example/roles": ["x", 5, "", "y\n"],
    "realm_access": {"roles": ["r"]},
    "resource_access": {"my.client": {"roles": ["c"]}, "my": {"other": 1}},
    "a": {"b": {"c": "deep"}, "b.c": "named so"},
    "scope": "read  write",
    "act": {"sub": "agent"},
    "cognito:groups": "one",
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("sub", "ann"),
        ("https://a.example/roles", ["x", 5, "", "y\n"]),
        ("realm_access.roles", ["r"]),
        ("resource_access.my.client.roles", ["c"]),
        ("a.b.c", "named so"),
        ("act.sub", "agent"),
        ("act.sub.more", None),
        ("none", None),
        ("", None),
        (".", None),
        ("sub.x", None),
        ("." * 100, None),
    ],
)
def test_a_claim_is_found_by_its_path(path: str, found: object) -> None:
    assert at(CLAIMS, path) == found


def test_a_name_is_one_printable_line() -> None:
    assert text_of("Ann Ström") == "Ann Ström"
    for value in ("", "a\nb", "\x00", "x" * 301, 5, None, True, ["a"], "\ud800"):
        assert text_of(value) is None
    assert text_of("x" * 400, 400) == "x" * 400


def test_the_first_claim_that_is_a_name_counts() -> None:
    assert first_text(CLAIMS, ("none", "realm_access", "act.sub", "sub")) == "agent"
    assert first_text(CLAIMS, ()) is None


def test_names_are_gathered_from_all_their_claims() -> None:
    assert gathered(CLAIMS, ("https://a.example/roles", "realm_access.roles")) == {"x", "r"}
    assert gathered(CLAIMS, ("cognito:groups", "none")) == {"one"}
    assert texts_of("") == ()
    assert texts_of({"a": 1}) == ()
    assert len(texts_of([str(one) for one in range(2000)])) == 1000


def test_scopes_are_the_words_of_the_first_claim_there_is() -> None:
    assert words(CLAIMS, ("scp", "scope", "sub")) == {"read", "write"}
    assert words({"scp": ["a", "b c"]}, ("scp",)) == {"a", "b", "c"}
    assert words({"scope": 5}, ("scope",)) == frozenset()
    assert words({}, ("scope",)) == frozenset()


@pytest.mark.parametrize("value", [None, True, "5", [], 2**53 + 1.0e3, -(2**60), float("inf")])
def test_what_is_no_moment_is_none(value: object) -> None:
    assert number_of(value) is None


def test_a_moment_may_have_a_fraction() -> None:
    assert number_of(5) == 5.0
    assert number_of(1.5) == 1.5


@given(st.dictionaries(st.text(".ab", max_size=4), st.dictionaries(st.text(".ab"), st.just(1))))
def test_any_path_finds_something_or_nothing(claims: dict[str, Any]) -> None:
    for path in ("a.b", "a..b", ".a", "a."):
        at(claims, path)

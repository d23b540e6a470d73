"""Challenges are read as RFC 9110 writes them, and nothing that is sent breaks the reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.oauth.challenges import (
    Challenge,
    Demand,
    demand_of,
    parse_challenges,
    parse_scopes,
)

TOKENS = st.text("abcdefXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)
CHALLENGES = st.lists(
    st.tuples(TOKENS, st.dictionaries(TOKENS.map(str.lower), VALUES, max_size=4)), max_size=4
)


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@given(CHALLENGES)
def test_what_was_written_by_the_grammar_is_read_back(
    challenges: list[tuple[str, dict[str, str]]],
) -> None:
    written = ", ".join(
        " ".join(
            [scheme, ", ".join(f"{name}={quoted(value)}" for name, value in params.items())]
        ).strip()
        for scheme, params in challenges
    )

    read = parse_challenges([written])

    assert read == tuple(Challenge(scheme.lower(), params) for scheme, params in challenges)


@given(st.lists(st.text(max_size=200), max_size=3))
def test_whatever_comes_is_read_or_left_out(values: list[str]) -> None:
    for one in parse_challenges(values):
        assert one.scheme == one.scheme.lower() != ""
        assert all(name == name.lower() for name in one.params)
    demand = demand_of(values)
    assert demand is None or len(demand.scopes) <= 64


@given(st.text(' ,="\\Beararz\t', max_size=60))
def test_near_misses_end_the_reading_without_a_failure(value: str) -> None:
    parse_challenges([value])


@pytest.mark.parametrize(
    ("value", "schemes"),
    [
        ("Negotiate", ["negotiate"]),
        ("Negotiate, Basic", ["negotiate", "basic"]),
        ('Basic realm="a, b", Bearer scope=x', ["basic", "bearer"]),
        ("Bearer realm = x ,, error=y", ["bearer"]),
        ("", []),
        (",,", []),
        ('Bearer realm="never ends', ["bearer", "realm"]),
        ('Bearer a="1" b="2"', ["bearer"]),
    ],
)
def test_several_challenges_may_share_a_field(value: str, schemes: list[str]) -> None:
    assert [one.scheme for one in parse_challenges([value])] == schemes


def test_a_scheme_may_take_one_token_in_place_of_parameters() -> None:
    first, second = parse_challenges(["Negotiate YWJj==, Bearer x=y"])

    assert first == Challenge("negotiate", {}, "YWJj==")
    assert second == Challenge("bearer", {"x": "y"})


def test_of_a_parameter_that_comes_twice_the_first_counts() -> None:
    (one,) = parse_challenges(['Bearer scope="good", SCOPE="evil"'])

    assert one.params == {"scope": "good"}


def test_what_follows_a_value_that_nothing_ends_is_left_out() -> None:
    assert demand_of(['Bearer a="1"scope="x"']) == Demand()


def test_a_comma_that_was_forgotten_is_forgiven() -> None:
    assert demand_of(['Bearer error="invalid_token" scope="x"']) == Demand(
        None, ("x",), "invalid_token"
    )


def test_a_field_of_no_honest_length_is_not_read() -> None:
    assert parse_challenges(["Bearer x=" + "y" * 20_000]) == ()


def test_the_demand_is_in_the_bearer_challenge_that_says_most() -> None:
    values = [
        'Basic realm="x"',
        'Bearer realm="y"',
        'Bearer error="insufficient_scope", scope="a  b a", resource_metadata="https://h/meta"',
    ]

    demand = demand_of(values)

    assert demand == Demand("https://h/meta", ("a", "b"), "insufficient_scope")
    assert demand.wants_more


def test_without_a_bearer_challenge_nothing_is_demanded() -> None:
    assert demand_of(['Basic realm="x"', "DPoP"]) is None


def test_what_is_no_scope_is_left_out() -> None:
    assert parse_scopes('read "x" \\ write\n über mcp:a/b') == ("read", "mcp:a/b")
    assert len(parse_scopes(" ".join(map(str, range(1000))))) == 64

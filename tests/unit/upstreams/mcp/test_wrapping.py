"""A wrapped state is worth something for one request of one caller, and for a while."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis.strategies import binary, integers

from bascule.gateway.call import Call, Method, More
from bascule.gateway.errors import StaleHandle, UpstreamFailed
from bascule.gateway.principal import Principal
from bascule.gateway.sealing import Purpose
from bascule.gateway.seals import Seals
from bascule.upstreams.mcp.wrapping import Wrapping, caller_of, digest_of
from fakes.asking import modern_call

SEALS = Seals([b"k" * 32])
STATE = Purpose.REQUEST_STATE


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@given(binary(max_size=6000))
def test_a_state_comes_back_to_the_byte(inner: bytes) -> None:
    wrapping = Wrapping(SEALS, "hotels")
    token = wrapping.wrap(STATE, modern_call(), inner, 60)
    assert wrapping.unwrap(STATE, modern_call(), token) == inner


@pytest.mark.parametrize(
    "other",
    [
        modern_call(subject="bela"),
        modern_call(principal=Principal("other", "asha", frozenset())),
        modern_call(principal=None),
        modern_call(tool_name="cancel"),
        modern_call(arguments={"city": "Pune", "nights": 3}),
        modern_call(arguments={}),
        modern_call(method=Method.PROMPTS_GET),
        modern_call(more=More(uri="file:///x")),
    ],
)
def test_a_state_of_another_request_or_caller_is_stale(other: Call) -> None:
    wrapping = Wrapping(SEALS, "hotels")
    token = wrapping.wrap(STATE, modern_call(), b"inner", 60)
    with pytest.raises(StaleHandle) as refusal:
        wrapping.unwrap(STATE, other, token)
    assert refusal.value.public == "requestState is not valid for this request; start again."


def test_a_state_of_another_upstream_or_purpose_is_stale() -> None:
    token = Wrapping(SEALS, "hotels").wrap(STATE, modern_call(), b"inner", 60)
    with pytest.raises(StaleHandle):
        Wrapping(SEALS, "flights").unwrap(STATE, modern_call(), token)
    with pytest.raises(StaleHandle):
        Wrapping(SEALS, "hotels").unwrap(Purpose.PARKED, modern_call(), token)


def test_a_state_expires() -> None:
    clock = Clock()
    wrapping = Wrapping(SEALS, "hotels", clock)
    token = wrapping.wrap(STATE, modern_call(), b"inner", 60)
    clock.now += 59
    assert wrapping.unwrap(STATE, modern_call(), token) == b"inner"
    clock.now += 1
    with pytest.raises(StaleHandle):
        wrapping.unwrap(STATE, modern_call(), token)


@given(integers(min_value=0, max_value=10_000))
def test_a_state_changed_anywhere_is_stale(place: int) -> None:
    wrapping = Wrapping(SEALS, "hotels")
    token = wrapping.wrap(STATE, modern_call(), b"inner", 60)
    place %= len(token)
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    with pytest.raises(StaleHandle):
        wrapping.unwrap(STATE, modern_call(), changed)


@pytest.mark.parametrize("token", ["", "-TAMPERED", "{}", "é", "A" * 100_000])
def test_what_was_never_a_state_is_stale(token: str) -> None:
    with pytest.raises(StaleHandle):
        Wrapping(SEALS, "hotels").unwrap(STATE, modern_call(), token)


def test_what_is_appended_to_a_state_is_not_overlooked() -> None:
    wrapping = Wrapping(SEALS, "hotels")
    token = wrapping.wrap(STATE, modern_call(), b"inner", 60)
    with pytest.raises(StaleHandle):
        wrapping.unwrap(STATE, modern_call(), f"{token}-TAMPERED")


def test_a_seal_over_something_else_is_stale() -> None:
    token = SEALS.seal(STATE, caller_of(modern_call()), b"not a state")
    with pytest.raises(StaleHandle):
        Wrapping(SEALS, "hotels").unwrap(STATE, modern_call(), token)


def test_an_upstream_with_a_state_too_large_to_seal_has_failed() -> None:
    with pytest.raises(UpstreamFailed, match="larger than"):
        Wrapping(SEALS, "hotels").wrap(STATE, modern_call(), b"x" * 9000, 60)


def test_a_state_tells_its_holder_nothing() -> None:
    token = Wrapping(SEALS, "hotels").wrap(STATE, modern_call(), b"secret-inner", 60)
    assert "secret" not in token


def test_resources_are_told_apart_by_their_uri_and_callers_by_their_tenant() -> None:
    one = modern_call(method=Method.RESOURCES_READ, more=More(uri="file:///a"))
    other = modern_call(method=Method.RESOURCES_READ, more=More(uri="file:///b"))
    assert digest_of(one) != digest_of(other)
    principal = dataclasses.replace(one.principal or Principal("", "", frozenset()), tenant="b")
    assert caller_of(one) != caller_of(modern_call(principal=principal))

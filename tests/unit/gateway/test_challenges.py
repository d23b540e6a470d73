import msgspec
import pytest
from hypothesis import given
from hypothesis.strategies import binary

from bascule.gateway.call import NOTHING_MORE, Call, Method, More
from bascule.gateway.challenges import KEYS, settle
from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Need

OTHER = {"user_name": {"action": "accept", "content": {"name": "ann"}}}


def call_with(responses: object) -> Call:
    raw = responses if isinstance(responses, bytes) else msgspec.json.encode(responses)
    return Call(Method.TOOLS_CALL, "c-1", more=More(input_responses=raw, request_state="s"))


@pytest.mark.parametrize("need", Need)
def test_what_was_answered_to_a_challenge_never_reaches_an_upstream(need: Need) -> None:
    call = call_with({KEYS[need]: {"action": "accept"}, **OTHER})
    assert settle(call) is None
    assert msgspec.json.decode(call.more.input_responses or b"") == OTHER
    assert call.more.request_state == "s"


def test_where_nothing_else_was_answered_the_call_is_as_the_first_time() -> None:
    call = call_with({KEYS[Need.CONSENT]: {"action": "accept"}})
    assert settle(call) is None
    assert call.more.input_responses is None


@pytest.mark.parametrize("action", ["decline", "cancel"])
@pytest.mark.parametrize("need", Need)
def test_who_would_not_go_is_not_asked_for_ever(need: Need, action: str) -> None:
    refusal = settle(call_with({KEYS[need]: {"action": action}}))
    assert refusal is not None
    assert refusal.error is need.error
    assert "nothing was done" in refusal.public


def test_declining_is_told_by_its_own_code() -> None:
    refusal = settle(call_with({KEYS[Need.CONSENT]: {"action": "decline"}}))
    assert refusal is not None
    assert refusal.error is ErrorCode.CONSENT_REQUIRED


@pytest.mark.parametrize("responses", [OTHER, {}])
def test_answers_to_others_are_left_as_they_came(responses: object) -> None:
    call = call_with(responses)
    before = call.more
    assert settle(call) is None
    assert call.more is before


@pytest.mark.parametrize(
    "answer", [1, "x", None, [], {}, {"action": 5}, {"action": "accept", "content": {"x": 1}}]
)
def test_an_answer_that_makes_no_sense_counts_as_none(answer: object) -> None:
    call = call_with({KEYS[Need.CONSENT]: answer})
    assert settle(call) is None
    assert call.more.input_responses is None


def test_a_call_without_answers_is_left_alone() -> None:
    call = Call(Method.TOOLS_CALL, "c-1")
    assert settle(call) is None
    assert call.more is NOTHING_MORE


@pytest.mark.parametrize("raw", [b'["io.bascule/consent"]', b'{"io.bascule/consent":', b'"\xff'])
def test_what_is_no_object_is_for_others_to_refuse(raw: bytes) -> None:
    call = call_with(raw + b'"io.bascule/')
    assert settle(call) is None


@given(binary(max_size=64))
def test_nothing_that_comes_from_outside_breaks_it(raw: bytes) -> None:
    settle(call_with(b'{"io.bascule/consent":' + raw + b"}"))

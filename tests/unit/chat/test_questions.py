"""Questions of servers, put to the person or declined, and their answers."""

import pytest

from bascule.chat.parts import CallPart, CallState, InputRequest
from bascule.chat.questions import answer, objection, put_questions
from bascule.gateway.errors import Conflict, InvalidArgument

FORM = InputRequest("f", "?", {"type": "object", "properties": {"a": {"type": "string"}}})
PAGE = InputRequest("p", "Visit", url="https://hotel.example/pay")
SECRET = InputRequest("s", "?", {"type": "object", "properties": {"password": {"type": "string"}}})
CALL = CallPart("c", "find", {}, CallState.RUNNING)


def asked(*inputs: InputRequest) -> CallPart:
    return put_questions(CALL, inputs, "sealed", 10.0)[0]


def test_forms_and_pages_are_put_and_secrets_are_not() -> None:
    call, objections = put_questions(CALL, [FORM, SECRET, PAGE], "sealed", 10.0)
    assert (call.state, call.secret_state, call.expires_at) == (
        CallState.NEEDS_INPUT,
        "sealed",
        10.0,
    )
    assert call.inputs == [FORM, PAGE]
    assert call.answers == {"s": {"action": "decline"}}
    assert len(objections) == 1
    assert "password" in objections[0]


def test_where_nothing_is_put_the_call_goes_on_at_once() -> None:
    assert asked(SECRET).state is CallState.QUEUED


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x"])
def test_an_address_that_is_no_page_is_declined(url: str) -> None:
    assert objection(InputRequest("p", "Visit", url=url))


def test_answers_of_the_person_join_what_was_declined() -> None:
    given = {"f": {"action": "accept", "content": {"a": "x"}}, "p": {"action": "cancel", "no": 1}}
    call = answer(asked(FORM, SECRET, PAGE), 0.0, answers=given)
    assert call.state is CallState.QUEUED
    assert call.answers == {
        "f": given["f"],
        "p": {"action": "cancel"},
        "s": {"action": "decline"},
    }


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"f": "yes"},
        {"f": {"action": "maybe"}},
        {"f": {"action": []}},
        {"f": {"action": "accept", "content": []}},
        {"f": {"action": "accept", "content": {"a": 1}}},
        {"f": {"action": "decline"}, "other": {"action": "accept"}},
    ],
)
def test_answers_that_do_not_fit_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        answer(asked(FORM), 0.0, answers=given)


def test_a_call_without_a_question_takes_no_answer() -> None:
    with pytest.raises(Conflict):
        answer(CALL, 0.0, answers={})

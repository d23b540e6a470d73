"""Questions of servers: which of them are put to the person, and which answers are handed on."""

import re
from collections.abc import Sequence
from typing import Final, cast

from msgspec.structs import replace

from bascule.chat.forms import asks_for_secret, members_of, misfit
from bascule.chat.parts import CallPart, CallState, InputRequest, JsonObject
from bascule.gateway.errors import Conflict, InvalidArgument

DECLINED: Final[JsonObject] = {"action": "decline"}
_ACTIONS: Final = frozenset({"accept", "decline", "cancel"})
# What a browser would run, or read from its own machine, is never shown as a link.
_WEB_ADDRESS: Final = re.compile(r"https?://[^\s\x00-\x1f]+", re.IGNORECASE)


def is_web_address(url: str) -> bool:
    """Whether a person can be sent to `url`."""
    return _WEB_ADDRESS.fullmatch(url) is not None


def objection(question: InputRequest) -> str:
    """Why `question` is declined without the person; empty where it is put to them.

    Source: specification 2025-11-25, client/elicitation: servers must not ask for secrets in a
    form, but send the person to an address for it.
    """
    if question.url:
        return "" if is_web_address(question.url) else "It led to an address that is not a page."
    fields = members_of(question.schema)
    if fields is None:
        return "It was not a form of plain fields."
    secret = asks_for_secret(fields)
    if secret is None:
        return ""
    return f"It asked for “{secret}”. Secrets do not belong in forms, where others can read them."


def put_questions(
    call: CallPart, inputs: Sequence[InputRequest], state: str, expires_at: float
) -> tuple[CallPart, list[str]]:
    """`call` with those of its server's questions that are put, and why the others are not.

    What is not put is declined. Where nothing is left to ask, the call is queued to go on.
    """
    objections = {question.id: objection(question) for question in inputs}
    declined: JsonObject = {id_: DECLINED for id_, why in objections.items() if why}
    put = [question for question in inputs if not objections[question.id]]
    waits = replace(
        call,
        state=CallState.NEEDS_INPUT if put else CallState.QUEUED,
        inputs=put,
        answers=declined or None,
        secret_state=state,
        expires_at=expires_at if put else None,
    )
    return waits, [why for why in objections.values() if why]


def answer(call: CallPart, _: float, *, answers: JsonObject) -> CallPart:
    """`call`, to go on with `answers`: an `ElicitResult` for each of its questions, by their ids.

    Raises:
        Conflict: it has no open question.
        InvalidArgument: an answer is missing, too many, or not what its form allows.
    """
    if call.state is not CallState.NEEDS_INPUT:
        raise Conflict(
            f"There is no open question: this call is {call.state.value.replace('_', ' ')}.",
            details={"state": call.state.value},
        )
    questions = {question.id: question for question in call.inputs}
    for unknown in answers.keys() - questions.keys():
        raise InvalidArgument(f"There is no question “{unknown}”.", details={"field": unknown})
    given = {id_: _checked(question, answers.get(id_)) for id_, question in questions.items()}
    return replace(
        call, state=CallState.QUEUED, answers={**(call.answers or {}), **given}, expires_at=None
    )


def _checked(question: InputRequest, given: object) -> JsonObject:
    """One `ElicitResult`, with nothing in it that was not asked for."""
    answer = cast(JsonObject, given) if isinstance(given, dict) else {}
    action = answer.get("action")
    if not isinstance(action, str) or action not in _ACTIONS:
        raise InvalidArgument(
            "Answer each question with the action accept, decline or cancel.",
            details={"field": question.id},
        )
    if action != "accept" or question.url:
        return {"action": action}
    content = answer.get("content", {})
    schema = question.schema or {}
    wrong = (
        misfit(members_of(schema) or {}, schema.get("required"), cast(JsonObject, content))
        if isinstance(content, dict)
        else "The content has to be an object."
    )
    if wrong is not None:
        raise InvalidArgument(wrong, details={"field": question.id})
    return {"action": action, "content": content}

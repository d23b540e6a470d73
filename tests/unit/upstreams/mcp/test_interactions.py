"""A caller that can be asked is asked at once, for a bounded time and a bounded number of times."""

import asyncio
import json
import time

import msgspec
import pytest

from bascule.gateway.backchannel import CallerGone, CallerRefused, CallerSilent, Question
from bascule.gateway.errors import AskedInVain, MissingCapability
from bascule.gateway.session import Session, SessionOwner
from bascule.upstreams.mcp.interactions import Interaction, InteractionLimits, Patience, admitted
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.questions import InputRequest, read_request
from fakes.asking import ACCEPT, ALL, FORM, SAMPLE, Back, encoded, legacy_call, modern_call

FORM_REQUEST = read_request("elicitation/create", encoded(FORM))
ROOTS_REQUEST = read_request("roots/list", None)


def interaction(back: Back, limits: InteractionLimits | None = None, **call: object) -> Interaction:
    return Interaction(legacy_call(back, **call), back, limits or InteractionLimits())


async def test_all_questions_are_open_at_once() -> None:
    barrier = asyncio.Barrier(2)

    async def answer(_: Question) -> bytes:
        await barrier.wait()
        return ACCEPT

    asking = interaction(Back(answer))
    async with asyncio.timeout(5):
        answers = await asking.answer_all({"a": FORM_REQUEST, "b": ROOTS_REQUEST})
    assert {key: bytes(value) for key, value in answers.items()} == {"a": ACCEPT, "b": ACCEPT}


async def test_nothing_is_asked_if_one_question_is_not_declared() -> None:
    back = Back()
    asking = interaction(back, capabilities=b'{"elicitation":{}}')
    with pytest.raises(MissingCapability) as refusal:
        await asking.answer_all({"a": FORM_REQUEST, "b": ROOTS_REQUEST})
    assert refusal.value.details == {"requiredCapabilities": {"roots": {}}}
    assert back.asked == []


async def test_a_refusal_ends_the_call_with_the_clients_code_and_takes_back_other_questions() -> (
    None
):
    taken_back = asyncio.Event()

    async def answer(question: Question) -> bytes:
        if question.method == "elicitation/create":
            raise CallerRefused(-1, "I do not want to")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            taken_back.set()
        return b""

    with pytest.raises(AskedInVain, match="I do not want to") as refusal:
        await interaction(Back(answer)).answer_all({"a": ROOTS_REQUEST, "b": FORM_REQUEST})
    assert refusal.value.details == {"client_code": -1, "client_message": "I do not want to"}
    assert taken_back.is_set()


@pytest.mark.parametrize("failure", [CallerGone(), CallerSilent()])
async def test_no_answer_ends_the_call(failure: Exception) -> None:
    async def answer(_: Question) -> bytes:
        raise failure

    with pytest.raises(AskedInVain, match="no answer"):
        await interaction(Back(answer)).answer_all({"a": FORM_REQUEST})


async def test_a_bug_stays_a_bug() -> None:
    async def answer(_: Question) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await interaction(Back(answer)).answer_all({"a": FORM_REQUEST})


@pytest.mark.parametrize("given", [b"1", b"null", b"[]", b'"yes"', b"{"])
async def test_an_answer_that_is_no_object_is_none(given: bytes) -> None:
    async def answer(_: Question) -> bytes:
        return given

    with pytest.raises(AskedInVain, match="no object"):
        await interaction(Back(answer)).answer_all({"a": FORM_REQUEST})


async def test_the_sessions_version_decides_how_a_question_is_put() -> None:
    back = Back()
    session = Session("s", SessionOwner("acme", "asha"), "2025-06-18")
    call = legacy_call(back)
    call.more = type(call.more)(session=session)
    await Interaction(call, back, InteractionLimits()).answer_all({"a": FORM_REQUEST})
    assert "mode" not in json.loads(back.asked[0].params)


async def test_a_legacy_upstreams_request_is_answered_with_the_clients_result() -> None:
    back = Back()
    incoming = Incoming(
        id=1, method="sampling/createMessage", params=msgspec.Raw(encoded(SAMPLE["params"]))
    )
    assert await interaction(back).answer(incoming) == ACCEPT
    assert back.asked == [Question("sampling/createMessage", encoded(SAMPLE["params"]))]


@pytest.mark.parametrize(
    "incoming",
    [
        Incoming(id=1, method="tools/call"),
        Incoming(id=1),
        Incoming(id=1, method="sampling/createMessage"),
    ],
)
def test_what_a_caller_is_not_asked_is_refused_in_its_place(incoming: Incoming) -> None:
    with pytest.raises(CallerRefused) as refusal:
        admitted(incoming, modern_call(capabilities=b'{"elicitation":{}}').capabilities)
    assert refusal.value.code == -32601


def test_what_a_caller_may_be_asked_is_admitted() -> None:
    incoming = Incoming(id=1, method="roots/list")
    assert admitted(incoming, modern_call(capabilities=ALL).capabilities) == InputRequest(
        "roots/list"
    )


async def test_an_answer_has_until_the_time_for_questions_is_over() -> None:
    back = Back()
    before = time.monotonic()
    await interaction(back, InteractionLimits(interaction_seconds=40)).answer_all(
        {"a": FORM_REQUEST}
    )
    assert before + 39 < back.deadlines[0] <= time.monotonic() + 40


def test_the_time_of_open_questions_is_counted_once_and_runs_out() -> None:
    patience = Patience(InteractionLimits(interaction_seconds=1e-9))
    assert patience.waited_seconds == 0
    with patience.question(), pytest.raises(CallerSilent), patience.question():
        pass
    assert patience.waited_seconds > 0
    stopped = patience.waited_seconds
    assert patience.waited_seconds == stopped
    with pytest.raises(CallerSilent), patience.question():
        pass


async def test_a_call_that_asks_without_end_is_refused() -> None:
    back = Back()
    asking = interaction(back, InteractionLimits(most_questions=3))
    incoming = Incoming(id=1, method="roots/list")
    for _ in range(3):
        await asking.answer(incoming)
    with pytest.raises(CallerRefused, match="too many"):
        await asking.answer(incoming)
    assert len(back.asked) == 3

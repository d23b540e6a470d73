import asyncio
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.backchannel import CallerGone, CallerRefused, CallerSilent, Question
from bascule.protocol.messages import Message, decode
from bascule.transports.open_questions import OpenQuestions

ROOTS = Question("roots/list", b"")


def soon(seconds: float = 5) -> float:
    return time.monotonic() + seconds


def answer(message_id: object, **members: object) -> Message:
    return decode(json.dumps({"jsonrpc": "2.0", "id": message_id, **members}).encode())


async def test_an_answer_goes_to_the_question_with_its_id_as_it_came() -> None:
    sent: list[bytes] = []
    questions = OpenQuestions(sent.append)
    first = asyncio.ensure_future(questions.ask(ROOTS, soon()))
    second = asyncio.ensure_future(questions.ask(ROOTS, soon()))
    await asyncio.sleep(0)
    ids = [json.loads(message)["id"] for message in sent]

    assert questions.take(answer(ids[1], result={"n": 2}))
    assert questions.take(answer(ids[0], result={"n": 1}))
    assert [json.loads(await first), json.loads(await second)] == [{"n": 1}, {"n": 2}]
    assert "params" not in json.loads(sent[0])


async def test_an_answer_is_taken_once() -> None:
    sent: list[bytes] = []
    questions = OpenQuestions(sent.append)
    asked = asyncio.ensure_future(questions.ask(ROOTS, soon()))
    await asyncio.sleep(0)
    question_id = json.loads(sent[0])["id"]

    assert questions.take(answer(question_id, result={}))
    assert not questions.take(answer(question_id, result={"second": True}))
    assert await asked == b"{}"
    assert not questions.take(answer(question_id, result={}))


@given(st.one_of(st.integers(), st.text(), st.floats(allow_nan=False, allow_infinity=False)))
def test_an_answer_to_nothing_is_not_taken(message_id: object) -> None:
    assert not OpenQuestions(lambda _: None).take(answer(message_id, result={}))


async def test_silence_ends_the_question_and_tells_the_client() -> None:
    sent: list[bytes] = []
    questions = OpenQuestions(sent.append)

    with pytest.raises(CallerSilent):
        await questions.ask(ROOTS, soon(0))

    notice = json.loads(sent[1])
    assert notice["method"] == "notifications/cancelled"
    assert notice["params"]["requestId"] == json.loads(sent[0])["id"]


async def test_a_cancelled_question_is_withdrawn() -> None:
    sent: list[bytes] = []
    asked = asyncio.ensure_future(OpenQuestions(sent.append).ask(ROOTS, soon()))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait([asked])

    assert json.loads(sent[1])["method"] == "notifications/cancelled"


@pytest.mark.parametrize(
    ("members", "code", "data"),
    [
        ({"error": {"code": -1, "message": "no", "data": {"a": 1}}}, -1, b'{"a": 1}'),
        ({"error": {"code": -1, "message": "no"}}, -1, b""),
        ({}, -32600, b""),
    ],
)
async def test_what_is_no_result_is_a_refusal(members, code, data) -> None:
    sent: list[bytes] = []
    questions = OpenQuestions(sent.append)
    asked = asyncio.ensure_future(questions.ask(ROOTS, soon()))
    await asyncio.sleep(0)
    questions.take(answer(json.loads(sent[0])["id"], **members))

    with pytest.raises(CallerRefused) as refused:
        await asked
    assert (refused.value.code, refused.value.data) == (code, data)


async def test_nobody_is_left_to_answer_once_closed() -> None:
    sent: list[bytes] = []
    questions = OpenQuestions(sent.append)
    asked = asyncio.ensure_future(questions.ask(ROOTS, soon()))
    await asyncio.sleep(0)
    questions.close()

    with pytest.raises(CallerGone):
        await asked
    with pytest.raises(CallerGone):
        await questions.ask(ROOTS, soon())
    assert len(sent) == 1


async def test_questions_are_bounded() -> None:
    questions = OpenQuestions(lambda _: None)
    asked = [asyncio.ensure_future(questions.ask(ROOTS, soon())) for _ in range(64)]
    await asyncio.sleep(0)

    with pytest.raises(CallerGone):
        await questions.ask(ROOTS, soon())
    questions.close()
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(end) for end in ends} == {CallerGone}

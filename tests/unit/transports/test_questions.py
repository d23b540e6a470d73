import asyncio
import json
import time
from typing import Any

import pytest

from bascule.gateway.backchannel import CallerGone, CallerRefused, CallerSilent, Question
from bascule.protocol.messages import decode
from bascule.state.memory import MemoryState
from bascule.transports import questions
from bascule.transports.questions import Questions
from fakes.streams import until

NAME = Question("elicitation/create", b'{"message":"?"}')


class Shared(MemoryState):
    """A store that other workers see, too."""

    local = False  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]


class Asked:
    """A question under way: what was sent, and what came of it."""

    def __init__(self, source: Questions, seconds: float = 60.0, session: str = "s") -> None:
        self.sent: list[dict[str, Any]] = []
        deadline = time.monotonic() + seconds
        self.task = asyncio.ensure_future(source.ask(session, NAME, self.put, deadline))

    def put(self, message: bytes) -> None:
        self.sent.append(json.loads(message))

    async def question_id(self) -> str:
        await until(lambda: self.sent)
        return self.sent[0]["id"]


async def take(
    source: Questions, message_id: object, session: str = "s", **members: object
) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": message_id, **members}).encode()
    await source.take(session, decode(body), body)


async def test_an_answer_reaches_who_asked_as_it_came() -> None:
    source = Questions(MemoryState())
    asked = Asked(source)
    question_id = await asked.question_id()
    assert asked.sent == [
        {
            "jsonrpc": "2.0",
            "id": question_id,
            "method": "elicitation/create",
            "params": {"message": "?"},
        }
    ]
    await take(source, question_id, result={"a": 1.0})
    assert await asked.task == b'{"a": 1.0}'
    await take(source, question_id, result={})
    assert source.strangers == 1, "it is answered once"


@pytest.mark.parametrize("answer", [{"error": {"code": 1, "message": "x" * 600}}, {}])
async def test_an_error_is_raised_in_bounded_words(answer: dict[str, object]) -> None:
    source = Questions(MemoryState())
    asked = Asked(source)
    await take(source, await asked.question_id(), **answer)
    with pytest.raises(CallerRefused) as raised:
        await asked.task
    assert len(raised.value.message) <= 500
    assert raised.value.data == b""


async def test_strangers_answers_are_dropped_and_counted() -> None:
    source = Questions(MemoryState())
    asked = Asked(source)
    question_id = await asked.question_id()
    for message_id in ("q-x", "", "nothing", 5, question_id + "0"):
        await take(source, message_id, result={})
    await take(source, question_id, session="other", result={})
    assert source.strangers == 6
    assert not asked.task.done()
    source.close("other")
    source.close("s")
    with pytest.raises(CallerGone):
        await asked.task


async def test_a_question_nobody_answers_is_withdrawn() -> None:
    asked = Asked(Questions(MemoryState()), seconds=0.0)
    with pytest.raises(CallerSilent):
        await asked.task
    assert asked.sent[-1]["method"] == "notifications/cancelled"
    assert asked.sent[-1]["params"]["requestId"] == asked.sent[0]["id"]


async def test_a_question_whose_call_is_cancelled_is_withdrawn() -> None:
    asked = Asked(Questions(MemoryState()))
    await asked.question_id()
    asked.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked.task
    assert asked.sent[-1]["method"] == "notifications/cancelled"


async def test_a_session_has_only_so_many_open_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_MOST_OPEN", 1)
    source = Questions(MemoryState())
    first, other = Asked(source), Asked(source, session="t")
    await first.question_id()
    await other.question_id()
    with pytest.raises(CallerGone):
        await Asked(source).task
    source.close("s")
    source.close("t")
    for asked in (first, other):
        with pytest.raises(CallerGone):
            await asked.task


async def test_an_answer_finds_the_worker_that_asked() -> None:
    store = Shared()
    asking, other = Questions(store), Questions(store)
    asked = Asked(asking)
    question_id = await asked.question_id()
    listening = asyncio.ensure_future(asking.run())
    await until(lambda: store._readers)
    await store.publish(next(iter(store._readers)), b"rubbish")
    await take(other, question_id, session="t", result={})
    await until(lambda: asking.strangers)
    await take(other, question_id, result={"from": "afar"})
    async with asyncio.timeout(5):
        assert json.loads(await asked.task) == {"from": "afar"}
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening


async def test_a_drain_waits_for_no_answer() -> None:
    source = Questions(MemoryState())
    asked = Asked(source)
    await asked.question_id()
    source.close_all()
    source.close_all()
    for one in (asked, Asked(source)):
        with pytest.raises(CallerGone):
            await one.task

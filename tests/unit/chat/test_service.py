"""What people can do in a conversation, and what comes of it."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from bascule.chat.events import CallChanged, Snapshot, Titled
from bascule.chat.limits import ChatLimits
from bascule.chat.models import FailureKind, ModelFailure, Returned, Text
from bascule.chat.parts import (
    CallState,
    Choice,
    InputRequest,
    Message,
    MessageStatus,
    NoticeCode,
    NoticePart,
    calls_of,
    text_of,
)
from bascule.chat.places import TooManyTurns
from bascule.chat.runs import Closing
from bascule.chat.showing import shown
from bascule.chat.toolbox import Asks, Progress, Questions, Refused, ToolCall
from bascule.gateway.errors import Conflict, Forbidden, GatewayError, InvalidArgument, NotFound
from fakes.chatting import BOB, Reader, Scene, ran, says, tool, until, wants

BOOK = tool("book", "write", required=["slot"])
FIND = tool("find")
WIPE = tool("wipe", "privileged")
SLOT = {"slot": "09:00"}
FORM = InputRequest(
    "q1", "Which colour?", {"type": "object", "properties": {"colour": {"type": "string"}}}
)
SECRET = InputRequest(
    "q2", "Sign in", {"type": "object", "properties": {"password": {"type": "string"}}}
)


def states(message: Message) -> list[str]:
    return [call.state.value for call in calls_of(message)]


def notices(message: Message) -> list[str]:
    return [part.code for part in message.parts if isinstance(part, NoticePart)]


def returned(scene: Scene) -> list[Returned]:
    return [entry for entry in scene.model.requests[-1].entries if isinstance(entry, Returned)]


async def test_an_answer_is_streamed_and_kept() -> None:
    scene = Scene(says("Hello ", "Ada."))
    message = await scene.said("Hi")
    assert text_of(message) == "Hello Ada."
    assert (message.status, message.model) == (MessageStatus.COMPLETE, "scripted-1")
    assert (message.tokens_in, message.tokens_out) == (10, 2)


async def test_the_first_message_gives_the_title_and_no_later_one() -> None:
    scene = Scene()
    sent = await scene.desk.send(scene.person, "c1", "Book a service for my car")
    events = [one.event async for one in scene.desk.listen(scene.person, sent.answer.id, since=0)]
    assert Titled("Book a service for my car") in events
    await scene.said("Thanks")
    assert scene.database.conversations["c1"].title == "Book a service for my car"


@pytest.mark.parametrize("text", ["", "  \n", "x" * 16_001], ids=["empty", "blank", "long"])
async def test_a_message_that_is_empty_or_too_long_is_refused(text: str) -> None:
    scene = Scene()
    with pytest.raises(InvalidArgument):
        await scene.desk.send(scene.person, "c1", text)
    assert not scene.database.messages


async def test_reading_tools_run_at_once_and_the_model_is_told() -> None:
    scene = Scene(wants(("find", {"city": "Pune"}), text="Let me look."), tools=[FIND])
    message = await scene.said()
    assert states(message) == ["done"]
    assert text_of(message) == "Let me look.\n\nDone."
    assert "ok" in returned(scene)[0].text
    assert scene.toolbox.principals[-1].agent == "bascule-chat"


async def test_a_call_is_saved_as_running_before_it_is_made() -> None:
    scene = Scene(wants(("find", {})), tools=[FIND])
    seen: list[str] = []

    def look(_: ToolCall) -> Any:
        seen.extend(states(scene.database.saved[-1]))
        return ran()

    scene.toolbox.outcomes["find"] = [look]
    await scene.said()
    assert seen == ["running"]


async def test_calls_of_one_step_run_at_the_same_time() -> None:
    scene = Scene(wants(("find", {"n": 1}), ("find", {"n": 2})), tools=[FIND])
    first = asyncio.Event()

    def release(_: ToolCall) -> Any:
        first.set()
        return ran()

    scene.toolbox.outcomes["find"] = [first, release]
    assert states(await scene.said()) == ["done", "done"]


async def test_a_writing_tool_waits_for_the_person() -> None:
    scene = Scene(wants(("book", SLOT)), tools=[BOOK])
    message = await scene.said()
    assert message.status is MessageStatus.WAITING
    assert states(message) == ["needs_approval"]
    assert not scene.toolbox.calls
    call = calls_of(message)[0]
    assert call.expires_at == scene.clock.now + 900
    decided = await scene.desk.decide(scene.person, message.id, call.id, Choice.ONCE)
    assert decided.status is MessageStatus.RUNNING
    message = await scene.ended(message.id)
    assert (message.status, states(message)) == (MessageStatus.COMPLETE, ["done"])
    assert scene.toolbox.calls[0].idempotency_key == call.key


async def test_a_denial_and_its_reason_reach_the_model() -> None:
    scene = Scene(wants(("book", SLOT)), tools=[BOOK])
    message = await scene.said()
    call = calls_of(message)[0]
    await scene.desk.decide(scene.person, message.id, call.id, Choice.DENY, reason="too early")
    message = await scene.ended(message.id)
    assert states(message) == ["denied"]
    assert returned(scene)[0].is_error
    assert "too early" in returned(scene)[0].text
    assert not scene.toolbox.calls


async def test_the_person_may_change_the_arguments() -> None:
    scene = Scene(wants(("book", SLOT)), tools=[BOOK])
    message = await scene.said()
    call = calls_of(message)[0]
    await scene.desk.decide(
        scene.person, message.id, call.id, Choice.ONCE, arguments={"slot": "10:00"}
    )
    await scene.ended(message.id)
    assert scene.toolbox.calls[0].arguments == {"slot": "10:00"}
    assert "10:00" in returned(scene)[0].text


async def test_a_tool_allowed_for_the_conversation_is_not_asked_about_again() -> None:
    two = wants(("book", SLOT), ("book", {"slot": "10:00"}))
    scene = Scene(two, says("Both."), wants(("book", SLOT)), tools=[BOOK])
    message = await scene.said()
    call = calls_of(message)[0]
    await scene.desk.decide(scene.person, message.id, call.id, Choice.CONVERSATION)
    assert states(await scene.ended(message.id)) == ["done", "done"]
    assert states(await scene.said("Again")) == ["done"]


async def test_a_privileged_tool_is_always_asked_about() -> None:
    scene = Scene(wants(("wipe", {})), tools=[WIPE])
    scene.database.conversations["c1"].allowed.append("wipe")
    message = await scene.said()
    assert states(message) == ["needs_approval"]
    call = calls_of(message)[0]
    with pytest.raises(InvalidArgument):
        await scene.desk.decide(scene.person, message.id, call.id, Choice.CONVERSATION)


async def test_one_decision_of_two_lets_that_call_run() -> None:
    scene = Scene(wants(("book", SLOT), ("book", {"slot": "10:00"})), tools=[BOOK])
    message = await scene.said()
    first, second = calls_of(message)
    await scene.desk.decide(scene.person, message.id, second.id, Choice.ONCE)
    message = await scene.ended(message.id)
    assert (message.status, states(message)) == (
        MessageStatus.WAITING,
        ["needs_approval", "done"],
    )
    await scene.desk.decide(scene.person, message.id, first.id, Choice.DENY)
    assert (await scene.ended(message.id)).status is MessageStatus.COMPLETE


async def test_a_decision_counts_while_another_call_runs() -> None:
    scene = Scene(wants(("find", {}), ("book", SLOT)), tools=[FIND, BOOK])
    gate = asyncio.Event()
    scene.toolbox.outcomes["find"] = [gate]
    sent = await scene.desk.send(scene.person, "c1", "Go")
    async for one in scene.desk.listen(scene.person, sent.answer.id):
        event = one.event
        if isinstance(event, CallChanged) and event.call.state is CallState.RUNNING:
            break
    call = calls_of(scene.database.messages[sent.answer.id])[1]
    await scene.desk.decide(scene.person, sent.answer.id, call.id, Choice.ONCE)
    gate.set()
    message = await scene.ended(sent.answer.id)
    assert (message.status, states(message)) == (MessageStatus.COMPLETE, ["done", "done"])


async def test_an_approval_that_comes_too_late_is_a_denial() -> None:
    scene = Scene(wants(("book", SLOT)), tools=[BOOK])
    message = await scene.said()
    scene.clock.now += 901
    with pytest.raises(Conflict):
        await scene.desk.decide(scene.person, message.id, calls_of(message)[0].id, Choice.ONCE)
    message = await scene.ended(message.id)
    assert (message.status, states(message)) == (MessageStatus.COMPLETE, ["denied"])
    assert calls_of(message)[0].decided == "expired"
    assert not scene.toolbox.calls


async def test_whoever_listens_after_the_time_sees_the_turn_end() -> None:
    scene = Scene(wants(("book", SLOT)), tools=[BOOK])
    message = await scene.said()
    scene.clock.now += 901
    assert (await scene.ended(message.id)).status is MessageStatus.COMPLETE


async def test_a_new_message_may_follow_what_nobody_answered_in_time() -> None:
    scene = Scene(wants(("book", SLOT)), tools=[BOOK])
    message = await scene.said()
    with pytest.raises(Conflict):
        await scene.desk.send(scene.person, "c1", "Hello?")
    scene.clock.now += 901
    assert (await scene.said("Hello?")).status is MessageStatus.COMPLETE
    assert scene.database.messages[message.id].status is MessageStatus.STOPPED
    assert states(scene.database.messages[message.id]) == ["denied"]


async def test_an_elevation_is_waited_for_and_the_same_call_made_again() -> None:
    scene = Scene(wants(("find", {"n": 1})), tools=[FIND])
    scene.toolbox.outcomes["find"] = [Asks("https://gate.example/e/1", "Ask first.", True, "x")]
    message = await scene.said()
    call = calls_of(message)[0]
    assert (message.status, call.state) == (MessageStatus.WAITING, CallState.NEEDS_ELEVATION)
    assert call.url == "https://gate.example/e/1"
    await scene.desk.proceed(scene.person, message.id, call.id)
    assert states(await scene.ended(message.id)) == ["done"]
    first, second = scene.toolbox.calls
    assert first.idempotency_key == second.idempotency_key
    assert first.arguments == second.arguments


async def test_an_account_is_waited_for_and_an_address_that_is_no_page_is_not_shown() -> None:
    scene = Scene(wants(("find", {"n": 1}), ("find", {"n": 2})), tools=[FIND])
    scene.toolbox.outcomes["find"] = [
        Asks("https://gate.example/c/1", "Connect.", False, "x"),
        Asks("javascript:alert(1)", "Connect.", False, "x"),
    ]
    message = await scene.said()
    assert states(message) == ["needs_consent", "failed"]
    assert "javascript" not in repr(message)


async def test_a_question_is_answered_and_the_call_goes_on_with_its_state() -> None:
    scene = Scene(wants(("find", {})), tools=[FIND])
    scene.toolbox.outcomes["find"] = [Questions([FORM], "sealed", "x")]
    message = await scene.said()
    call = calls_of(message)[0]
    assert call.state is CallState.NEEDS_INPUT
    shown = (await anext(aiter(scene.desk.listen(scene.person, message.id)))).event
    assert isinstance(shown, Snapshot)
    assert "sealed" not in repr(shown)
    wrong = {"q1": {"action": "accept", "content": {"colour": 3}}}
    with pytest.raises(InvalidArgument):
        await scene.desk.answer(scene.person, message.id, call.id, wrong)
    answers = {"q1": {"action": "accept", "content": {"colour": "red"}}}
    told = await scene.desk.answer(scene.person, message.id, call.id, answers)
    assert "sealed" not in repr(told)
    assert states(await scene.ended(message.id)) == ["done"]
    assert (scene.toolbox.calls[1].answers, scene.toolbox.calls[1].state) == (answers, "sealed")


async def test_a_question_for_a_secret_is_declined_without_the_person() -> None:
    scene = Scene(wants(("find", {})), tools=[FIND])
    scene.toolbox.outcomes["find"] = [Questions([SECRET], "sealed", "x")]
    message = await scene.said()
    assert states(message) == ["done"]
    assert notices(message) == ["question_refused"]
    assert scene.toolbox.calls[1].answers == {"q2": {"action": "decline"}}


async def test_a_server_that_keeps_asking_for_secrets_is_given_up() -> None:
    scene = Scene(wants(("find", {})), tools=[FIND])
    scene.toolbox.outcomes["find"] = [Questions([SECRET], "sealed", "x")] * 9
    assert states(await scene.said()) == ["failed"]
    assert len(scene.toolbox.calls) == 4


async def test_a_stop_ends_the_models_answer() -> None:
    gate = asyncio.Event()
    scene = Scene([Text("One"), gate])
    sent = await scene.desk.send(scene.person, "c1", "Go")
    listening = scene.desk.listen(scene.person, sent.answer.id, since=0)
    while "One" not in repr(await anext(listening)):
        pass
    message = await scene.desk.stop(scene.person, sent.answer.id)
    assert (message.status, text_of(message)) == (MessageStatus.STOPPED, "One")
    assert notices(message) == ["stopped"]
    assert scene.model.closed == 1
    assert shown(scene.database.messages[message.id]) == message
    assert [one async for one in listening][-1].event.status is MessageStatus.STOPPED


async def test_a_stop_cancels_calls_and_says_that_they_may_have_acted() -> None:
    scene = Scene(wants(("book", SLOT), ("book", {"slot": "10:00"})), tools=[BOOK])
    scene.toolbox.outcomes["book"] = [asyncio.Event()]
    message = await scene.said()
    first = calls_of(message)[0]
    await scene.desk.decide(scene.person, message.id, first.id, Choice.ONCE)
    await until(lambda: scene.toolbox.acted)
    message = await scene.desk.stop(scene.person, message.id)
    assert states(message) == ["cancelled", "cancelled"]
    assert "may have acted" in calls_of(message)[0].error
    assert scene.toolbox.cancelled == ["book"]


async def test_a_stop_of_what_waits_or_has_ended() -> None:
    scene = Scene(wants(("book", SLOT)), tools=[BOOK])
    message = await scene.said()
    stopped = await scene.desk.stop(scene.person, message.id)
    assert (stopped.status, states(stopped)) == (MessageStatus.STOPPED, ["cancelled"])
    assert await scene.desk.stop(scene.person, message.id) == stopped


async def test_an_answer_cut_off_by_the_end_of_the_process_is_taken_up() -> None:
    scene = Scene([Text("Half"), asyncio.Event()], says("Whole."))
    sent = await scene.desk.send(scene.person, "c1", "Go")
    listening = scene.desk.listen(scene.person, sent.answer.id, since=0)
    while "Half" not in repr(await anext(listening)):
        pass
    await scene.desk.aclose()
    assert [one async for one in listening] == []
    assert scene.database.messages[sent.answer.id].status is MessageStatus.RUNNING
    with pytest.raises(Closing):
        await scene.desk.send(scene.person, "c1", "More", after="")
    scene.begin()
    message = await scene.ended(sent.answer.id)
    assert (message.status, text_of(message)) == (MessageStatus.COMPLETE, "Whole.")


async def test_two_listeners_take_up_one_turn() -> None:
    scene = Scene([asyncio.Event()], says("Once."), says("Twice."))
    sent = await scene.desk.send(scene.person, "c1", "Go")
    await until(lambda: scene.model.requests)
    await scene.desk.aclose()
    scene.begin()
    both = await asyncio.gather(scene.ended(sent.answer.id), scene.ended(sent.answer.id))
    assert [text_of(one) for one in both] == ["Once.", "Once."]
    assert len(scene.model.requests) == 2


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FailureKind.UNREACHABLE, NoticeCode.MODEL_UNAVAILABLE),
        (FailureKind.RATE_LIMITED, NoticeCode.MODEL_RATE_LIMITED),
        (FailureKind.UNAUTHORISED, NoticeCode.MODEL_MISCONFIGURED),
        (FailureKind.FILTERED, NoticeCode.MODEL_REFUSED),
        (FailureKind.TOO_LONG, NoticeCode.CONTEXT_FULL),
    ],
)
async def test_a_failure_of_the_model_keeps_what_was_done(
    kind: FailureKind, code: NoticeCode
) -> None:
    failure = ModelFailure(kind, "Try later.", "secret detail")
    scene = Scene(wants(("find", {})), *[[failure]] * 40, tools=[FIND])
    message = await scene.said()
    assert message.status is MessageStatus.FAILED
    assert states(message) == ["done"]
    assert notices(message) == [code.value]
    assert "secret detail" not in repr(message)


async def test_a_short_pause_for_a_rate_limit_is_made_once() -> None:
    limited = ModelFailure(FailureKind.RATE_LIMITED, "Busy.", "429", retry_after_seconds=3)
    scene = Scene([limited], says("Now."), [limited], [limited])
    assert text_of(await scene.said()) == "Now."
    assert scene.paused == [3]
    assert (await scene.said("More")).status is MessageStatus.FAILED
    assert scene.paused == [3, 3]


async def test_a_turn_ends_when_its_person_is_not_let_in_any_more() -> None:
    scene = Scene(wants(("find", {})), tools=[FIND])

    def banish(_: ToolCall) -> Any:
        scene.standing = Forbidden("You are not let in any more.")
        return ran()

    scene.toolbox.outcomes["find"] = [banish]
    sent = await scene.desk.send(scene.person, "c1", "Go")
    events = [one.event async for one in scene.desk.listen(scene.person, sent.answer.id)]
    message = scene.database.messages[sent.answer.id]
    assert message.status is MessageStatus.FAILED
    assert "You are not let in any more." in repr(message.parts[-1])
    assert events


async def test_a_broken_store_or_catalogue_ends_the_turn_with_a_sentence() -> None:
    scene = Scene()
    scene.toolbox.failure = GatewayError("The catalogue is away.")
    assert notices(await scene.said()) == ["failed"]


async def test_steps_are_bounded() -> None:
    answers = [wants(("find", {"n": n})) for n in range(20)]
    scene = Scene(*answers, tools=[FIND])
    message = await scene.said()
    assert notices(message) == ["too_many_steps"]
    assert len(scene.model.requests) == 10


async def test_turns_of_one_person_are_bounded_and_places_come_back() -> None:
    scene = Scene(*[[asyncio.Event()]] * 4, limits=ChatLimits(turns_per_person=2))
    answers = [
        (await scene.desk.send(scene.person, "c1", "Go", after="")).answer.id for _ in range(2)
    ]
    with pytest.raises(TooManyTurns):
        await scene.desk.send(scene.person, "c1", "Go", after="")
    await scene.desk.stop(scene.person, answers[0])
    await scene.desk.send(scene.person, "c1", "Go", after="")
    await scene.desk.aclose()


async def test_what_is_anothers_does_not_exist() -> None:
    scene = Scene([asyncio.Event()])
    sent = await scene.desk.send(scene.person, "c1", "Go")
    scene.standing = BOB
    with pytest.raises(NotFound):
        await scene.desk.stop(scene.person, sent.answer.id)
    with pytest.raises(NotFound):
        await anext(aiter(scene.desk.listen(scene.person, sent.answer.id)))
    await scene.desk.aclose()


async def test_another_answer_stands_beside_the_first() -> None:
    scene = Scene(says("One."), says("Two."))
    first = await scene.said()
    again = await scene.desk.retry(scene.person, first.id)
    second = await scene.ended(again.id)
    assert (text_of(first), text_of(second)) == ("One.", "Two.")
    assert second.parent_id == first.parent_id
    assert [type(entry).__name__ for entry in scene.model.requests[-1].entries] == ["Said"]


async def test_a_message_without_an_answer_gets_one() -> None:
    scene = Scene()
    first = await scene.said()
    again = await scene.desk.retry(scene.person, first.parent_id or "")
    assert (await scene.ended(again.id)).parent_id == first.parent_id


async def test_an_edit_begins_another_branch() -> None:
    scene = Scene(says("One."), says("Two."))
    await scene.said("First")
    sent = await scene.desk.send(scene.person, "c1", "Other", after="")
    await scene.ended(sent.answer.id)
    assert sent.message.parent_id is None
    assert len(scene.model.requests[-1].entries) == 1


async def test_progress_is_told_but_not_too_often() -> None:
    scene = Scene(wants(("find", {})), tools=[FIND])

    def report(call: ToolCall) -> Any:
        for n in range(100):
            call.on_progress(Progress(n, 100, "working"))
        return ran()

    scene.toolbox.outcomes["find"] = [report]
    sent = await scene.desk.send(scene.person, "c1", "Go")
    events = [one.event async for one in scene.desk.listen(scene.person, sent.answer.id, since=0)]
    told = [e for e in events if isinstance(e, CallChanged) and e.call.progress is not None]
    assert len(told) == 2


async def test_an_unknown_outcome_of_a_writing_tool_is_not_a_plain_failure() -> None:
    scene = Scene(wants(("book", SLOT)), tools=[BOOK])
    scene.database.conversations["c1"].allowed.append("book")
    scene.toolbox.outcomes["book"] = [
        Refused("E4002", "Too slow.", "x", is_denial=False, may_have_acted=True)
    ]
    assert states(await scene.said()) == ["unknown"]


async def test_a_reader_of_a_finished_answer_gets_it_whole() -> None:
    scene = Scene(says("Hello."))
    message = await scene.said()
    reader = Reader()
    async for numbered in scene.desk.listen(scene.person, message.id, since=3):
        reader.take(numbered)
    assert reader.message == shown(message)
    assert reader.is_over


async def test_a_final_message_has_no_open_calls_even_if_saving_fails() -> None:
    scene = Scene(wants(("find", {})), tools=[FIND])
    sent = await scene.desk.send(scene.person, "c1", "Go")
    scene.store.failure = GatewayError("The database is away.")
    async for _ in scene.desk.listen(scene.person, sent.answer.id):
        pass
    stored = scene.database.messages[sent.answer.id]
    assert stored == replace(stored, status=MessageStatus.RUNNING)
    scene.store.failure = None
    assert (await scene.ended(sent.answer.id)).status is MessageStatus.COMPLETE

"""One step of a model, and what can be done about its failures."""

from bascule.chat.limits import ChatLimits
from bascule.chat.models import FailureKind, Finished, ModelFailure, StopReason, Text, Wanted
from bascule.chat.parts import MessageStatus, NoticePart, TextPart, calls_of, text_of
from fakes.chatting import Scene, ran, says, tool, wants

TOO_LONG = ModelFailure(FailureKind.TOO_LONG, "Too long.", "400")


async def test_what_is_too_long_is_asked_again_with_less() -> None:
    scene = Scene(
        wants(("find", {})), says("Found."), [TOO_LONG], says("Now."), tools=[tool("find")]
    )
    scene.toolbox.outcomes["find"] = [ran("x" * 5_000)]
    await scene.said()
    assert text_of(await scene.said("More")) == "Now."
    sizes = [sum(len(repr(one)) for one in request.entries) for request in scene.model.requests]
    assert sizes[-1] < sizes[-2] - 4_000


async def test_a_failure_after_the_first_word_is_not_asked_again() -> None:
    limited = ModelFailure(FailureKind.RATE_LIMITED, "Busy.", "429", retry_after_seconds=1)
    scene = Scene([Text("Half"), limited])
    message = await scene.said()
    assert (message.status, text_of(message)) == (MessageStatus.FAILED, "Half")
    assert scene.paused == []


async def test_a_pause_that_is_too_long_is_not_made() -> None:
    limited = ModelFailure(FailureKind.RATE_LIMITED, "Busy.", "429", retry_after_seconds=11)
    scene = Scene([limited])
    assert (await scene.said()).status is MessageStatus.FAILED
    assert scene.paused == []


async def test_an_answer_without_an_end_is_a_failure_that_keeps_its_text() -> None:
    scene = Scene([Text("Half")])
    message = await scene.said()
    assert (message.status, text_of(message)) == (MessageStatus.FAILED, "Half")


async def test_an_answer_that_does_not_end_is_cut() -> None:
    scene = Scene([Text("x" * 8)] * 10, limits=ChatLimits(answer_characters=20))
    message = await scene.said()
    assert (message.status, text_of(message)) == (MessageStatus.COMPLETE, "x" * 20)
    assert isinstance(message.parts[-1], NoticePart)
    assert message.parts[-1].code == "truncated"
    assert scene.model.closed == 1


async def test_a_filtered_answer_makes_no_calls() -> None:
    scene = Scene([Wanted("1", "find", {}), Finished(StopReason.FILTERED)], tools=[tool("find")])
    message = await scene.said()
    assert message.status is MessageStatus.FAILED
    assert not calls_of(message)


async def test_silence_is_a_failure() -> None:
    scene = Scene([Finished(StopReason.END)])
    assert (await scene.said()).status is MessageStatus.FAILED


async def test_half_a_character_of_a_model_is_replaced() -> None:
    scene = Scene(says("a\ud800"))
    assert text_of(await scene.said()) == "a?"


async def test_text_after_a_call_stands_apart_from_that_before_it() -> None:
    call = Wanted("c", "find", {})
    answer = [
        Text("First."),
        call,
        call,
        Text(""),
        Text(" Then"),
        Text(" that."),
        call,
        Text("End"),
    ]
    scene = Scene([*answer, Finished(StopReason.TOOLS, 1, 1)], tools=[tool("find")])
    message = await scene.said()
    assert message.parts[0] == TextPart("First.\n\nThen that.\n\nEnd")


async def test_text_that_follows_a_call_alone_begins_without_a_break() -> None:
    answer = [Wanted("c", "find", {}), Text("Then."), Finished(StopReason.TOOLS, 1, 1)]
    scene = Scene(answer, tools=[tool("find")])
    assert (await scene.said()).parts[0] == TextPart("Then.")


async def test_every_answer_is_metered_and_kept_with_the_message() -> None:
    scene = Scene(wants(("find", {})), says("Found."), tools=[tool("find")])
    message = await scene.said()
    assert scene.metered == [("ada", "scripted-1", 10, 2), ("ada", "scripted-1", 10, 2)]
    assert (message.tokens_in, message.tokens_out) == (20, 4)

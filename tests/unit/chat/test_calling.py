"""Calls of a turn run at the same time, and what comes of each is kept at once."""

import asyncio

from bascule.chat.parts import Message, calls_of
from fakes.chatting import Scene, tool, until, wants


def states(message: Message) -> list[str]:
    return [call.state.value for call in calls_of(message)]


def _settled(scene: Scene, answer_id: str) -> int:
    return states(scene.database.messages[answer_id]).count("done")


async def begun(*names: str) -> tuple[Scene, str, asyncio.Event]:
    """A turn whose first call goes on until the event, and whose others have ended."""
    scene = Scene(wants(*((name, {}) for name in names)), tools=[tool(name) for name in names])
    gate = asyncio.Event()
    scene.toolbox.outcomes[names[0]] = [gate]
    sent = await scene.desk.send(scene.person, "c1", "Go")
    await until(lambda: len(scene.toolbox.acted) == len(names))
    await until(lambda: _settled(scene, sent.answer.id) == len(names) - 1)
    return scene, sent.answer.id, gate


async def test_a_result_is_saved_while_others_run() -> None:
    scene, answer_id, gate = await begun("slow", "fast")
    assert states(scene.database.messages[answer_id]) == ["running", "done"]
    gate.set()
    assert states(await scene.ended(answer_id)) == ["done", "done"]


async def test_the_end_of_the_process_cancels_what_runs_and_keeps_it_so() -> None:
    scene, answer_id, _ = await begun("slow", "fast")
    await scene.desk.aclose()
    assert scene.toolbox.cancelled == ["slow"]
    assert states(scene.database.messages[answer_id]) == ["running", "done"]


async def test_a_reading_call_is_made_again_with_the_same_key() -> None:
    scene, answer_id, _ = await begun("slow")
    await scene.kill()
    scene.begin()
    assert states(await scene.ended(answer_id)) == ["done"]
    first, second = scene.toolbox.calls
    assert first.idempotency_key == second.idempotency_key

"""Several processes with one store of conversations and one state: each turn is run by one."""

import asyncio

import pytest

from bascule.chat.desk import Numbered
from bascule.chat.events import Ended, Snapshot
from bascule.chat.limits import ChatLimits
from bascule.chat.parts import Choice, Message, MessageStatus, calls_of, text_of
from bascule.chat.places import TooManyTurns
from bascule.gateway.errors import Conflict
from fakes.chatting import Reader, Scene, says, tool, until, wants

TOOLS = [tool("find"), tool("book", "write")]
SLOT = {"slot": "09:00"}


def two(*answers: object, limits: ChatLimits | None = None) -> tuple[Scene, Scene]:
    """Two processes, whose models know the same script."""
    here = Scene(*answers, tools=TOOLS, limits=limits)  # type: ignore[arg-type]
    there = Scene(tools=TOOLS, limits=limits, beside=here)
    there.model = here.model
    there.begin()
    here.model.process = here.process
    return here, there


def states(message: Message) -> list[str]:
    return [call.state.value for call in calls_of(message)]


async def heard(scene: Scene, message_id: str) -> list[Numbered]:
    async with asyncio.timeout(5):
        return [one async for one in scene.desk.listen(scene.person, message_id)]


async def test_of_two_processes_that_are_told_yes_one_makes_the_call() -> None:
    here, there = two(wants(("book", SLOT)), says("Booked."))
    message = await here.said()
    call = calls_of(message)[0]
    told = await asyncio.gather(
        *(one.desk.decide(one.person, message.id, call.id, Choice.ONCE) for one in (here, there)),
        return_exceptions=True,
    )
    refused = [one for one in told if isinstance(one, BaseException)]
    assert [type(one) for one in refused] == [Conflict]
    message = await there.ended(message.id)
    assert (message.status, states(message)) == (MessageStatus.COMPLETE, ["done"])
    assert len(here.toolbox.acted) + len(there.toolbox.acted) == 1


async def test_of_two_listeners_apart_one_takes_an_interrupted_turn_up() -> None:
    here, there = two(wants(("book", SLOT)), says("Booked."))
    here.database.conversations["c1"].allowed.append("book")
    here.toolbox.outcomes["book"] = [asyncio.Event()]
    sent = await here.desk.send(here.person, "c1", "Go")
    await until(lambda: here.toolbox.acted)
    await here.kill()
    third = Scene(tools=TOOLS, beside=here)
    third.model = there.model
    third.begin()
    await asyncio.gather(heard(there, sent.answer.id), heard(third, sent.answer.id))
    message = here.database.messages[sent.answer.id]
    assert (message.status, states(message)) == (MessageStatus.COMPLETE, ["unknown"])
    assert (len(there.toolbox.acted), len(third.toolbox.acted)) == (0, 0)
    assert len(here.model.requests) == 2
    # The dead process was waited for, as long as it might have lived.
    assert sum(there.paused) + sum(third.paused) >= here.limits.lease_seconds


async def test_a_turn_of_another_process_is_told_in_snapshots_up_to_its_end() -> None:
    gate = asyncio.Event()
    here, there = two([*says("One ")[:1], gate, *says("two.")], limits=ChatLimits(save_seconds=0))
    sent = await here.desk.send(here.person, "c1", "Go")
    reader, kinds = Reader(), list[type]()
    async for one in there.desk.listen(there.person, sent.answer.id, since=3):
        reader.take(one)
        kinds.append(type(one.event))
        if reader.message is not None and text_of(reader.message) == "One ":
            gate.set()
    assert set(kinds[:-1]) == {Snapshot}
    assert kinds[-1] is Ended
    assert reader.message is not None
    assert text_of(reader.message) == "One two."
    assert (reader.message.status, reader.message.tokens_in) == (MessageStatus.COMPLETE, 10)
    assert len(here.model.requests) == 1


async def test_a_stop_reaches_a_turn_of_another_process() -> None:
    here, there = two(wants(("book", SLOT)), says("Booked."))
    here.database.conversations["c1"].allowed.append("book")
    gate = asyncio.Event()
    here.toolbox.outcomes["book"] = [gate]
    sent = await here.desk.send(here.person, "c1", "Go")
    await until(lambda: here.toolbox.acted)
    stopped = await there.desk.stop(there.person, sent.answer.id)
    assert (stopped.status, states(stopped)) == (MessageStatus.STOPPED, ["cancelled"])
    assert "may have acted" in calls_of(stopped)[0].error
    saved = here.database.messages[sent.answer.id]
    gate.set()
    told = await heard(here, sent.answer.id)
    await until(lambda: sent.answer.id not in here.desk._runs)
    assert here.database.messages[sent.answer.id] == saved
    assert len(here.model.requests) == 1
    assert [one for one in told if isinstance(one.event, Ended)] in ([], told[-1:])


async def test_who_lost_its_turn_saves_nothing_more_and_makes_no_more_calls() -> None:
    here, there = two(wants(("find", {}), ("book", SLOT)), says("Well."))
    gate = asyncio.Event()
    here.toolbox.outcomes["find"] = [gate]
    sent = await here.desk.send(here.person, "c1", "Go")
    await until(lambda: here.toolbox.acted)
    here.clock.now += here.limits.lease_seconds + 1  # it stood still for as long, as in a swap
    await heard(there, sent.answer.id)
    call = calls_of(here.database.messages[sent.answer.id])[1]
    saved = here.database.messages[sent.answer.id]
    gate.set()
    await until(lambda: sent.answer.id not in here.desk._runs)
    assert here.database.messages[sent.answer.id] == saved
    assert [one.name for one in here.toolbox.acted] == ["find"]
    await there.desk.decide(there.person, sent.answer.id, call.id, Choice.ONCE)
    message = await there.ended(sent.answer.id)
    assert (message.status, states(message)) == (MessageStatus.COMPLETE, ["done", "done"])
    assert [one.name for one in there.toolbox.acted] == ["find", "book"]


async def test_a_yes_to_who_lost_the_turn_without_knowing_it_is_not_lost() -> None:
    here, there = two(wants(("find", {}), ("book", SLOT)), says("Well."))
    here.toolbox.outcomes["find"] = [asyncio.Event()]
    sent = await here.desk.send(here.person, "c1", "Go")
    await until(lambda: here.toolbox.acted)
    here.clock.now += here.limits.lease_seconds + 1
    await heard(there, sent.answer.id)
    call = calls_of(here.database.messages[sent.answer.id])[1]
    await here.desk.decide(here.person, sent.answer.id, call.id, Choice.ONCE)
    message = await here.ended(sent.answer.id)
    assert (message.status, states(message)) == (MessageStatus.COMPLETE, ["done", "done"])
    acted = [one.name for scene in (here, there) for one in scene.toolbox.acted]
    assert sorted(acted) == ["book", "find", "find"]


async def test_an_answer_waits_for_calls_of_another_process_and_says_so_where_they_last() -> None:
    here, there = two(wants(("find", {}), ("book", SLOT)), says("Booked."))
    gate = asyncio.Event()
    here.toolbox.outcomes["find"] = [gate]
    sent = await here.desk.send(here.person, "c1", "Go")
    await until(lambda: here.toolbox.acted)
    call = calls_of(here.database.messages[sent.answer.id])[1]
    with pytest.raises(Conflict, match="Another process") as refused:
        await there.desk.decide(there.person, sent.answer.id, call.id, Choice.ONCE)
    assert refused.value.details == {"message_id": sent.answer.id, "status": "running"}
    deciding = asyncio.ensure_future(
        there.desk.decide(there.person, sent.answer.id, call.id, Choice.ONCE)
    )
    gate.set()
    await deciding
    message = await there.ended(sent.answer.id)
    assert (message.status, states(message)) == (MessageStatus.COMPLETE, ["done", "done"])
    assert [one.name for one in there.toolbox.acted] == ["book"]


async def test_turns_are_counted_in_all_processes() -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    here, there = two(*([gate] for gate in gates), limits=ChatLimits(turns_per_person=1))
    here.database.open("c2")
    await here.desk.send(here.person, "c1", "Go")
    with pytest.raises(TooManyTurns):
        await there.desk.send(there.person, "c2", "Go")
    await here.desk.aclose()
    await there.desk.send(there.person, "c2", "Go")
    await there.desk.aclose()


async def test_a_process_that_ends_well_leaves_its_turns_to_others_at_once() -> None:
    here, there = two([asyncio.Event()], says("Here I am."))
    sent = await here.desk.send(here.person, "c1", "Go")
    await until(lambda: here.model.requests)
    await here.desk.aclose()
    assert text_of(await there.ended(sent.answer.id)) == "Here I am."
    assert not there.paused

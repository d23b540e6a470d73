"""Whenever the process is killed, the turn goes on in the next one, and nothing is done twice."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bascule.chat.limits import ChatLimits
from bascule.chat.models import Answered, ModelRequest
from bascule.chat.parts import (
    CallState,
    Choice,
    Message,
    MessageStatus,
    NoticePart,
    Role,
    calls_of,
    text_of,
)
from bascule.chat.showing import shown
from fakes.chatting import ADA, Answer, Killed, Reader, Scene, says, tool, until, wants

TOOLS = [
    tool("find"),
    tool("book", "write"),
    tool("pay", "write", is_idempotent=True),
    tool("wipe", "privileged"),
]
MADE_ONCE = {"book", "wipe"}

calls = st.tuples(st.sampled_from([one.name for one in TOOLS]), st.integers(0, 2))
scripts = st.lists(st.lists(calls, min_size=1, max_size=3), max_size=3)
kills = st.lists(st.integers(0, 40), max_size=4)
choices = st.lists(st.sampled_from(list(Choice)), max_size=6)


def model_of(script: list[list[tuple[str, int]]]) -> Callable[[ModelRequest], Answer]:
    """Answers by what it sees of the turn, as a model does, and not by how often it is asked."""

    def answer(request: ModelRequest) -> Answer:
        steps = sum(isinstance(entry, Answered) for entry in request.entries)
        if steps < len(script):
            wanted = [(name, {"n": n}) for name, n in script[steps]]
            return wants(*wanted, text=f"Step {steps}.")
        return says("All ", "done.")

    return answer


class Play:
    """A person who keeps at it, over as many processes as it takes."""

    def __init__(self, scene: Scene, answers: list[Choice]) -> None:
        self.scene = scene
        self.choices = answers
        self.reader = Reader()
        self.answer_id = ""

    async def act(self) -> None:
        await self._send()
        while True:
            await self._listen()
            message = await self.scene.store.message(self.answer_id)
            if message.status is not MessageStatus.WAITING:
                return
            await self._decide(message)

    async def _send(self) -> None:
        scene, stored = self.scene, self.scene.database.messages.values()
        for message in list(stored):
            if message.role is Role.ASSISTANT:
                self.answer_id = message.id
        if self.answer_id:
            return
        if stored:
            said = next(iter(stored))
            self.answer_id = (await scene.desk.retry(scene.person, said.id)).id
        else:
            self.answer_id = (await scene.desk.send(scene.person, "c1", "Go")).answer.id

    async def _listen(self) -> None:
        scene, reader = self.scene, self.reader
        async for one in scene.desk.listen(scene.person, self.answer_id, since=reader.last):
            reader.take(one)

    async def _decide(self, message: Message) -> None:
        scene = self.scene
        call = next(call for call in calls_of(message) if call.state.waits_for_person)
        choice = self.choices.pop() if self.choices else Choice.ONCE
        if call.risk == "privileged" and choice is Choice.CONVERSATION:
            choice = Choice.ONCE
        await scene.desk.decide(scene.person, message.id, call.id, choice)


async def play(
    script: list[list[tuple[str, int]]], deaths: list[int], answers: list[Choice]
) -> Play:
    scene = Scene(tools=TOOLS, limits=ChatLimits(save_seconds=0))
    scene.model.by_request = model_of(script)
    one = Play(scene, answers)
    for awaits in [*deaths, None]:
        scene.begin(awaits)
        acting = asyncio.ensure_future(one.act())
        dying = asyncio.ensure_future(scene.process.stands_still.wait())
        async with asyncio.timeout(10):
            await asyncio.wait({acting, dying}, return_when=asyncio.FIRST_COMPLETED)
        if scene.process.stands_still.is_set():
            await scene.kill()
        dying.cancel()
        if awaits is None:
            await acting
        with suppress(Killed, asyncio.CancelledError):
            acting.cancel()
            await acting
    return one


def check(one: Play) -> None:
    scene = one.scene
    message = scene.database.messages[one.answer_id]
    assert message.status is MessageStatus.COMPLETE
    assert not any(call.state.is_open for call in calls_of(message))
    assert text_of(message).endswith("All done.")
    assert text_of(message).count("All done.") == 1
    made = Counter(
        (call.name, call.arguments["n"]) for call in scene.toolbox.acted if call.name in MADE_ONCE
    )
    assert not [call for call, times in made.items() if times > 1]
    keys = {call.key: call for call in calls_of(message)}
    for call in scene.toolbox.acted:
        assert keys[call.idempotency_key].arguments == call.arguments
    agreed = [call for call in calls_of(message) if call.state is CallState.DONE]
    assert {call.key for call in agreed} <= {call.idempotency_key for call in scene.toolbox.acted}
    assert one.reader.message == shown(message)


@given(scripts, kills, choices)
def test_a_killed_turn_goes_on_and_writes_nothing_twice(
    script: list[list[tuple[str, int]]], deaths: list[int], answers: list[Choice]
) -> None:
    check(asyncio.run(play(script, deaths, answers)))


def test_a_turn_may_be_killed_at_each_of_its_awaits() -> None:
    script = [[("find", 1), ("book", 1)], [("pay", 1), ("book", 1), ("wipe", 0)]]
    for awaits in range(140):
        check(asyncio.run(play(script, [awaits], [])))


async def test_an_unknown_outcome_is_told_to_the_model() -> None:
    scene = Scene(wants(("book", {})), tools=[tool("book", "write")])
    scene.database.conversations["c1"].allowed.append("book")
    scene.toolbox.outcomes["book"] = [asyncio.Event()]
    sent = await scene.desk.send(scene.person, "c1", "Go")
    await until(lambda: scene.toolbox.acted)
    await scene.kill()
    scene.begin()
    message = await scene.ended(sent.answer.id)
    assert [call.state for call in calls_of(message)] == [CallState.UNKNOWN]
    assert "not known" in repr(scene.model.requests[-1].entries[-1])


async def test_a_model_is_told_of_the_person_by_a_pseudonym_and_of_their_time() -> None:
    scene = Scene()
    await scene.said()
    request = scene.model.requests[0]
    assert "ada" not in request.user
    assert request.now == "2023-11-14T22:13:21+00:00"
    assert request.instructions.startswith("Be brief.")


async def test_who_has_used_the_tokens_of_a_day_is_told_so_until_the_next() -> None:
    find = tool("find")
    scene = Scene(wants(("find", {})), tools=[find], limits=ChatLimits(tokens_per_day=12))
    message = await scene.said()
    assert (message.status, len(scene.model.requests)) == (MessageStatus.FAILED, 1)
    notice = message.parts[-1]
    assert isinstance(notice, NoticePart)
    assert notice.code == "budget_spent"
    assert (await scene.said("And now?")).status is MessageStatus.FAILED
    scene.clock.now += 86_401
    assert (await scene.said("And today?")).status is MessageStatus.COMPLETE


async def test_a_retry_of_what_has_booked_does_not_book_again_without_a_yes() -> None:
    book = tool("book", "write")
    scene = Scene(
        wants(("book", {})), says("Booked."), wants(("book", {})), says("Booked."), tools=[book]
    )
    scene.database.conversations["c1"].allowed.append("book")
    first = await scene.said()
    (made,) = calls_of(first)
    assert made.state is CallState.DONE
    again = await scene.desk.retry(scene.person, first.id)
    message = await scene.ended(again.id)
    (call,) = calls_of(message)
    assert (message.status, call.state) == (MessageStatus.WAITING, CallState.NEEDS_APPROVAL)
    assert call.made_before_at == made.ended_at is not None
    assert len(scene.toolbox.acted) == 1
    await scene.desk.decide(scene.person, message.id, call.id, Choice.ONCE)
    assert (await scene.ended(message.id)).status is MessageStatus.COMPLETE
    assert len(scene.toolbox.acted) == 2


async def test_software_that_acts_for_the_person_stays_the_agent_that_rules_are_about() -> None:
    for agent, named in ((None, "bascule-chat"), ("robot", "robot")):
        scene = Scene(wants(("find", {})), tools=TOOLS)
        scene.standing = replace(ADA, agent=agent)
        await scene.said()
        assert {one.agent for one in scene.toolbox.principals} == {named}

"""The ports of the assistant, in memory: conversations, a model and tools that follow a script.

Each of their awaits goes through a `Process`, which can be killed: from then on nothing of it
reaches the stores or the tools, as if the machine had lost power.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from bascule.chat.desk import Numbered, Person
from bascule.chat.equipment import pseudonyms
from bascule.chat.events import (
    CallChanged,
    Ended,
    Noticed,
    Snapshot,
    TextDelta,
    Titled,
)
from bascule.chat.limits import ChatLimits
from bascule.chat.models import (
    Finished,
    ModelCard,
    ModelEvent,
    ModelFailure,
    ModelRequest,
    StopReason,
    Text,
    Wanted,
)
from bascule.chat.parts import JsonObject, Message, TextPart
from bascule.chat.service import ChatDesk
from bascule.chat.store import Conversation, Superseded
from bascule.chat.toolbox import CallOutcome, OfferedTool, Ran, ToolCall
from bascule.gateway.digests import keyed_digest
from bascule.gateway.errors import Conflict, GatewayError, NotFound
from bascule.gateway.principal import Principal
from bascule.state.memory import MemoryState

ADA = Principal("acme", "ada", frozenset(), key_id="k1")
BOB = Principal("acme", "bob", frozenset(), key_id="k2")
PSEUDONYM = pseudonyms(keyed_digest(b"k" * 32))


class Killed(BaseException):
    """The process is gone."""


class Process:
    """Lets a number of awaits pass, then stands still until it is killed."""

    def __init__(self, awaits: int | None = None) -> None:
        self._left = awaits
        self.stands_still = asyncio.Event()
        self._killed = asyncio.Event()

    async def step(self) -> None:
        """One await of the desk on something outside."""
        await asyncio.sleep(0)
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self.stands_still.set()
        if self.stands_still.is_set():
            await self._killed.wait()
            raise Killed

    def kill(self) -> None:
        """End it."""
        self.stands_still.set()
        self._killed.set()


@dataclass
class Database:
    """What outlives a process: the conversations of one owner."""

    conversations: dict[str, Conversation] = field(default_factory=dict[str, Conversation])
    messages: dict[str, Message] = field(default_factory=dict[str, Message])
    saved: list[Message] = field(default_factory=list[Message])

    def open(self, conversation_id: str = "c1", title: str = "") -> None:
        """Begin a conversation, which its owner gave a title or none."""
        begun = Conversation(conversation_id, title, 0.0, 0.0, is_titled=bool(title))
        self.conversations[conversation_id] = begun

    def living(self, conversation_id: str) -> Conversation:
        """A conversation that is not deleted."""
        found = self.conversations.get(conversation_id)
        if found is None or found.deleted_at is not None:
            raise NotFound("There is no such conversation.")
        return found

    def shown(self) -> dict[str, Message]:
        """The messages of conversations that are not deleted, by their ids."""
        gone = {key for key, one in self.conversations.items() if one.deleted_at is not None}
        return {key: one for key, one in self.messages.items() if one.conversation_id not in gone}


class MemoryStore:
    """A `Store` over `database`, as one process sees it."""

    def __init__(self, database: Database, process: Process) -> None:
        self._database = database
        self._process = process
        self.failure: GatewayError | None = None

    async def conversation(self, conversation_id: str) -> Conversation:
        await self._process.step()
        return deepcopy(self._database.living(conversation_id))

    async def branch(self, conversation_id: str, leaf_id: str) -> Sequence[Message]:
        await self._process.step()
        branch: list[Message] = []
        messages = self._database.shown()
        place: str | None = leaf_id
        while place in messages and messages[place].conversation_id == conversation_id:
            branch.insert(0, deepcopy(messages[place]))
            place = branch[0].parent_id
        if not branch:
            raise NotFound("There is no such message.")
        return branch

    async def everything(self, conversation_id: str) -> Sequence[Message]:
        await self._process.step()
        found = deepcopy(list(self._database.shown().values()))
        return [one for one in found if one.conversation_id == conversation_id]

    async def message(self, message_id: str) -> Message:
        await self._process.step()
        found = self._database.shown().get(message_id)
        if found is None:
            raise NotFound("There is no such message.")
        return deepcopy(found)

    async def add(self, *messages: Message) -> None:
        await self._process.step()
        for message in messages:
            self._database.living(message.conversation_id)
            if message.id in self._database.messages:
                raise Conflict("There is such a message.")
        for message in messages:
            self._database.messages[message.id] = deepcopy(message)
            self._database.conversations[message.conversation_id].head_id = message.id
        await self._process.step()

    async def save(self, message: Message) -> None:
        kept = deepcopy(message)
        await self._process.step()
        if self.failure is not None:
            raise self.failure
        if message.id not in self._database.messages:
            raise NotFound("There is no such message.")
        if self._database.messages[message.id].version != message.version:
            raise Superseded("It has gone on elsewhere.")
        kept.version += 1
        self._database.messages[message.id] = kept
        self._database.saved.append(deepcopy(kept))
        message.version = kept.version
        await self._process.step()

    async def tokens_since(self, at: float) -> int:
        await self._process.step()
        found = [one for one in self._database.messages.values() if one.at >= at]
        return sum(one.tokens_in + one.tokens_out for one in found)

    async def allow(self, conversation_id: str, tool: str) -> None:
        await self._process.step()
        allowed = self._database.living(conversation_id).allowed
        if tool not in allowed:
            allowed.append(tool)

    async def retitle(self, conversation_id: str, title: str) -> None:
        await self._process.step()
        found = self._database.conversations.get(conversation_id)
        if found is not None and not found.is_titled:
            found.title = title


class GatedState(MemoryState):
    """The values of `shared`, as one process sees them."""

    def __init__(self, shared: MemoryState, process: Process) -> None:
        super().__init__()
        self._shared = shared
        self._process = process

    async def get(self, key: str) -> bytes | None:
        await self._process.step()
        return await self._shared.get(key)

    async def put(self, key: str, value: bytes, ttl_seconds: float) -> None:
        await self._process.step()
        await self._shared.put(key, value, ttl_seconds)

    async def put_new(self, key: str, value: bytes, ttl_seconds: float) -> bool:
        await self._process.step()
        return await self._shared.put_new(key, value, ttl_seconds)

    async def delete(self, key: str) -> None:
        await self._process.step()
        await self._shared.delete(key)


Answer = Sequence[ModelEvent | ModelFailure | asyncio.Event]


def says(*texts: str) -> Answer:
    """An answer of text only."""
    return [*(Text(text) for text in texts), Finished(StopReason.END, 10, 2)]


def wants(*calls: tuple[str, JsonObject], text: str = "") -> Answer:
    """An answer with calls; a provider's ids begin anew in each step."""
    wanted = [Wanted(f"call_{n}", name, arguments) for n, (name, arguments) in enumerate(calls)]
    return [*([Text(text)] if text else []), *wanted, Finished(StopReason.TOOLS, 10, 2)]


class ScriptedModel:
    """A `Model` that gives its next answer each time; at the end of its script, `Done.`."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[ModelRequest] = []
        self.process = Process()
        self.by_request: Callable[[ModelRequest], Answer] | None = None
        self.closed = 0

    @property
    def card(self) -> ModelCard:
        return ModelCard("scripted-1", "scripted", "Scripted")

    async def answer(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.requests.append(request)
        if self.by_request is not None:
            answer = self.by_request(request)
        else:
            answer = self.answers.pop(0) if self.answers else says("Done.")
        try:
            for event in answer:
                await self.process.step()
                if isinstance(event, ModelFailure):
                    raise event
                if isinstance(event, asyncio.Event):
                    await event.wait()
                else:
                    yield event
        finally:
            self.closed += 1

    async def aclose(self) -> None:
        pass


def tool(
    name: str,
    risk: str = "read",
    *,
    required: Sequence[str] = (),
    is_idempotent: bool = False,
) -> OfferedTool:
    """A tool that is offered."""
    return OfferedTool(
        name=name,
        title=name.title(),
        description=f"Does {name}.",
        input_schema={"type": "object", "required": list(required)},
        output_schema=None,
        server="booking",
        risk=risk,
        is_idempotent=is_idempotent,
    )


def ran(text: str = "ok", **rest: object) -> Ran:
    """A tool's answer."""
    return Ran([{"type": "text", "text": text}], dict(rest) or None, False, "corr-1", "rule-1")


Outcome = CallOutcome | Callable[[ToolCall], CallOutcome] | asyncio.Event


@dataclass
class ScriptedToolbox:
    """A `Toolbox` of `tools`, which answer `ok` unless `outcomes` holds something for them."""

    tools: list[OfferedTool]
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict[str, list[Outcome]])
    process: Process = field(default_factory=Process)
    failure: GatewayError | None = None
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    principals: list[Principal] = field(default_factory=list[Principal])
    acted: list[ToolCall] = field(default_factory=list[ToolCall])
    cancelled: list[str] = field(default_factory=list[str])

    async def offered(self, principal: Principal) -> Sequence[OfferedTool]:
        await self.process.step()
        if self.failure is not None:
            raise self.failure
        self.principals.append(principal)
        return self.tools

    async def call(self, principal: Principal, call: ToolCall) -> CallOutcome:
        self.calls.append(call)
        self.principals.append(principal)
        try:
            await self.process.step()
            self.acted.append(call)
            outcomes = self.outcomes.get(call.name, [])
            outcome = outcomes.pop(0) if outcomes else ran()
            if isinstance(outcome, asyncio.Event):
                await outcome.wait()
                outcome = ran()
            await self.process.step()
        except asyncio.CancelledError:
            self.cancelled.append(call.name)
            raise
        return outcome if isinstance(outcome, CallOutcome) else outcome(call)


async def until(condition: Callable[[], object]) -> None:
    """Let the others work until `condition` holds; fails where it never does."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come to that")


class Clock:
    """A clock that the test moves; seconds since the epoch."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """A desk with one conversation `c1`, and all that it works with."""

    def __init__(
        self,
        *answers: Answer,
        tools: Sequence[OfferedTool] = (),
        limits: ChatLimits | None = None,
        beside: "Scene | None" = None,
    ) -> None:
        """`beside`: another process on the database and the state of that one."""
        self.clock = beside.clock if beside else Clock()
        self.database = beside.database if beside else Database()
        self.shared: MemoryState | None = beside.share() if beside else None
        if beside is None:
            self.database.open()
        self.model = ScriptedModel(*answers)
        self.toolbox = ScriptedToolbox(list(tools))
        self.limits = limits or ChatLimits()
        self.paused: list[float] = []
        self.standing: Principal | GatewayError = ADA
        self.metered: list[tuple[str, str, int, int]] = []
        self._ids = 1000 if beside else 0
        self.begin()

    def begin(self, awaits: int | None = None) -> None:
        """A new process, which stands still after a number of awaits.

        Its state is in its own memory, unless it is shared.
        """
        self.process = self.model.process = self.toolbox.process = Process(awaits)
        self.clock.now += 1
        self.store = MemoryStore(self.database, self.process)
        self.person = Person(self._judge, self.store)
        self.desk = ChatDesk(
            self.model,
            self.toolbox,
            self.limits,
            "Be brief.",
            state=GatedState(self.shared or MemoryState(clock=self.clock), self.process),
            clock=self.clock,
            ids=self._next_id,
            pause=self._pause,
            pseudonym=PSEUDONYM,
            meter=self._meter,
        )

    def share(self) -> MemoryState:
        """The state that is shared with others from now on; nothing may have been begun."""
        if self.shared is None:
            self.shared = MemoryState(clock=self.clock)
            self.begin()
        return self.shared

    async def kill(self) -> None:
        """End the process where it stands; nothing of it is done afterwards."""
        self.process.kill()
        await self.desk.aclose()

    async def ended(self, message_id: str) -> Message:
        """Listen to the end, and give the message as stored."""
        async with asyncio.timeout(5):
            _ = [event async for event in self.desk.listen(self.person, message_id)]
        return self.database.messages[message_id]

    async def said(self, text: str = "Book it.") -> Message:
        """Send a message, and give its answer when nothing follows for now."""
        sent = await self.desk.send(self.person, "c1", text)
        return await self.ended(sent.answer.id)

    def _judge(self) -> Principal:
        if isinstance(self.standing, GatewayError):
            raise self.standing
        return self.standing

    def _next_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"

    def _meter(self, principal: Principal, model: str, tokens_in: int, tokens_out: int) -> None:
        self.metered.append((principal.subject, model, tokens_in, tokens_out))

    async def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.clock.now += seconds
        await asyncio.sleep(0)


class Reader:
    """What a page does with a stream: a snapshot replaces all, everything else adds to it."""

    def __init__(self, message: Message | None = None) -> None:
        self.message = message
        self.title = ""
        self.last: int | None = None
        self.is_over = False

    def take(self, numbered: Numbered) -> None:
        """Follow one event."""
        assert self.last is None or numbered.number >= self.last
        self.last = numbered.number
        event = numbered.event
        if isinstance(event, Snapshot):
            self.message = deepcopy(event.message)
            return
        if isinstance(event, Titled):
            self.title = event.title
            return
        assert self.message is not None
        parts = self.message.parts
        match event:
            case TextDelta(part=place, text=text):
                before = parts[place].text if place < len(parts) else ""
                parts[place : place + 1] = [TextPart(before + text)]
            case CallChanged(part=place, call=call):
                parts[place : place + 1] = [call]
            case Noticed(part=place, notice=notice):
                parts[place : place + 1] = [notice]
            case Ended():
                self.message.status = event.status
                self.message.tokens_in = event.tokens_in
                self.message.tokens_out = event.tokens_out
                self.is_over = True

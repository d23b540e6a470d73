"""The desk: takes what people write and decide, and runs the turns that answer them."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

from bascule.chat import approvals, questions
from bascule.chat.amendments import Amendment
from bascule.chat.desk import Numbered, Person, Sent
from bascule.chat.drafts import Draft
from bascule.chat.endings import STOPPED, close, lapse
from bascule.chat.equipment import Equipment, Meter, unmetered
from bascule.chat.events import Ended, Event, Snapshot, Titled
from bascule.chat.finishing import to_the_end
from bascule.chat.limits import ChatLimits
from bascule.chat.models import Model
from bascule.chat.parts import (
    Choice,
    JsonObject,
    Message,
    MessageStatus,
    NoticeCode,
    Role,
    TextPart,
)
from bascule.chat.runs import Hold, Run, Runs
from bascule.chat.showing import shown
from bascule.chat.store import Conversation, Superseded
from bascule.chat.streams import Numbers
from bascule.chat.titles import title_of
from bascule.chat.toolbox import Toolbox
from bascule.gateway.errors import Conflict, InvalidArgument, NotFound
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.principal import Principal
from bascule.gateway.state import StateStore

_OPEN: Final = (MessageStatus.RUNNING, MessageStatus.WAITING)
_UNFINISHED: Final = (
    "The answer before this one is not finished: it is {status}. Let it end, decide about what it "
    "asks, or stop it."
)
_ELSEWHERE: Final = (
    "Another process of the gateway is at work on this answer. Try again when its calls have "
    "ended, or stop it."
)
_ATTEMPTS: Final = 5
_LATE: Final = "The time to answer has passed, so this call was denied."


class ChatDesk:
    """A `Desk` over its ports, for one process; others may have desks on the same store.

    `state` is what they share: a turn runs in one of them, and is followed in the others by looking
    at the store, since what is saved is what counts. `clock` gives seconds since the epoch, `ids`
    an identifier that nobody else has, `pause` waits for a number of seconds, `pseudonym` names a
    person to a provider, `meter` is told of each answer of the model.
    """

    def __init__(  # noqa: PLR0913 - the ports, and what a test decides
        self,
        model: Model,
        toolbox: Toolbox,
        limits: ChatLimits,
        instructions: str,
        *,
        state: StateStore,
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] | None = None,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        pseudonym: Callable[[Principal], str],
        meter: Meter = unmetered,
    ) -> None:
        self._new_id = ids or Identifiers().next
        self._equipment = Equipment(
            model, toolbox, limits, instructions, clock, self._new_id, pause, pseudonym, meter
        )
        self._limits = limits
        self._clock = clock
        self._numbers = Numbers(clock)
        self._runs = Runs(self._equipment, self._numbers, state)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def send(
        self, person: Person, conversation_id: str, text: str, *, after: str | None = None
    ) -> Sent:
        """See `Desk.send`. The first message gives the conversation its title."""
        text = self._checked(text)
        principal = person.standing()
        async with self._lock(conversation_id):
            conversation = await person.store.conversation(conversation_id)
            parent_id = await self._parent(person, conversation, after)
            message = self._written(conversation_id, parent_id, text)
            answer = self._blank(conversation_id, message.id)
            title = ""
            if conversation.head_id is None and not conversation.is_titled:
                title = title_of(text)

            async def keep() -> None:
                await person.store.add(message, answer)
                if title:
                    await person.store.retitle(conversation_id, title)

            run = await self._begin(person, principal, self._draft(person, answer), keep)
            sent = Sent(message, run.draft.shown())
            if title:
                run.stream.publish(Titled(title))
            return sent

    async def retry(self, person: Person, message_id: str) -> Message:
        """See `Desk.retry`. A message of the person that nobody answered gets an answer."""
        principal = person.standing()
        message = await person.store.message(message_id)
        async with self._lock(message.conversation_id):
            parent_id = message.id
            if message.role is Role.ASSISTANT:
                await self._must_be_over(person, message.id)
                parent_id = message.parent_id or ""
            answer = self._blank(message.conversation_id, parent_id)
            keep = partial(person.store.add, answer)
            run = await self._begin(person, principal, self._draft(person, answer), keep)
            return run.draft.shown()

    async def stop(self, person: Person, message_id: str) -> Message:
        """See `Desk.stop`. What has ended already is given as it is."""
        principal = person.standing()
        async with self._lock(message_id):
            run = self._runs.of(message_id, principal)
            if run is not None:
                await run.stop()
            for _ in range(_ATTEMPTS):
                draft = self._draft(person, await person.store.message(message_id))
                if draft.message.status not in _OPEN:
                    return draft.shown()
                # Whoever runs it saves nothing more after this, and stops with its next renewal.
                await self._runs.seize(principal, message_id)
                now = self._clock()
                close(draft, MessageStatus.STOPPED, NoticeCode.STOPPED, STOPPED, now)
                with suppress(Superseded):  # it has saved something meanwhile
                    await draft.save()
                    return draft.shown()
            raise Conflict(_ELSEWHERE, details={"message_id": message_id})

    async def decide(
        self,
        person: Person,
        message_id: str,
        call_id: str,
        choice: Choice,
        *,
        arguments: JsonObject | None = None,
        reason: str = "",
    ) -> Message:
        """See `Desk.decide`. `CONVERSATION` also agrees to other open calls of the same tool."""
        change = partial(
            approvals.decide,
            choice=choice,
            arguments=arguments,
            reason=reason,
            limits=self._limits,
        )
        amendment = Amendment(call_id, change, allows_tool=choice is Choice.CONVERSATION)
        return await self._amend(person, message_id, amendment)

    async def answer(
        self, person: Person, message_id: str, call_id: str, answers: JsonObject
    ) -> Message:
        """See `Desk.answer`."""
        amendment = Amendment(call_id, partial(questions.answer, answers=answers))
        return await self._amend(person, message_id, amendment)

    async def proceed(self, person: Person, message_id: str, call_id: str) -> Message:
        """See `Desk.proceed`."""
        return await self._amend(person, message_id, Amendment(call_id, approvals.proceed))

    async def listen(
        self, person: Person, message_id: str, *, since: int | None = None
    ) -> AsyncIterator[Numbered]:
        """See `Desk.listen`. What it raises of its own, it raises before the first event.

        Without an `Ended`, the process is ending, or has lost the turn: whoever listens again goes
        on. A turn of another process is told in snapshots, whenever it was saved.
        """
        told: int | None = None
        while True:
            run, message, is_elsewhere = await self._heard(person, message_id)
            if run is not None:
                async for numbered in run.stream.follow(since if told is None else None):
                    yield numbered
                return
            if message.version != told:
                told = message.version
                yield self._numbered(Snapshot(shown(message)))
            if not is_elsewhere:
                break
            await self._equipment.pause(self._limits.follow_seconds)
        yield self._numbered(Ended(message.status, message.tokens_in, message.tokens_out))

    def _numbered(self, event: Event) -> Numbered:
        number = self._numbers.base() + 1
        self._numbers.use(number)
        return Numbered(number, event)

    async def _heard(self, person: Person, message_id: str) -> tuple[Run | None, Message, bool]:
        """The run of a message, taken up where there ought to be one, and the message.

        True where another process has the run.
        """
        principal = person.standing()
        async with self._lock(message_id):
            draft, run = await self._current(person, principal, message_id)
            if run is not None or not draft.is_to_be_run(self._clock()):
                return run, draft.message, False
            hold = await self._runs.hold(principal, message_id)
            if hold is None:
                return None, draft.message, True
            async with self._releasing(hold):
                # Again, now that nobody else changes it.
                draft = self._draft(person, await person.store.message(message_id))
                if draft.is_to_be_run(self._clock()):
                    run = self._runs.begin(person, principal, draft, hold)
                else:
                    await hold.release()
            return run, draft.message, False

    async def aclose(self) -> None:
        """See `Desk.aclose`."""
        await self._runs.aclose()

    def _lock(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())

    def _draft(self, person: Person, message: Message) -> Draft:
        return Draft(person.store, message, self._clock, self._limits.save_seconds)

    def _checked(self, text: str) -> str:
        text = text.strip()
        if not text:
            raise InvalidArgument("The message is empty. Write something.")
        if len(text) > self._limits.text_characters:
            raise InvalidArgument(
                f"The message has {len(text)} characters. "
                f"Shorten it to {self._limits.text_characters}."
            )
        return text

    def _written(self, conversation_id: str, parent_id: str | None, text: str) -> Message:
        return Message(
            id=self._new_id(),
            conversation_id=conversation_id,
            role=Role.USER,
            parts=[TextPart(text)],
            status=MessageStatus.COMPLETE,
            at=self._clock(),
            parent_id=parent_id,
        )

    def _blank(self, conversation_id: str, parent_id: str) -> Message:
        return Message(
            id=self._new_id(),
            conversation_id=conversation_id,
            role=Role.ASSISTANT,
            parts=[],
            status=MessageStatus.RUNNING,
            at=self._clock(),
            parent_id=parent_id,
            model=self._equipment.model.card.id,
        )

    async def _parent(
        self, person: Person, conversation: Conversation, after: str | None
    ) -> str | None:
        """The message that a new one follows; its answer is over."""
        parent_id = conversation.head_id if after is None else after or None
        if parent_id is None:
            return None
        parent = await person.store.message(parent_id)
        if parent.conversation_id != conversation.id:
            raise NotFound("This conversation has no such message.")
        if parent.role is Role.ASSISTANT:
            await self._must_be_over(person, parent_id)
        return parent_id

    async def _must_be_over(self, person: Person, message_id: str) -> None:
        """Raise `Conflict` unless the turn has ended, or waits for what nobody answered in time."""
        async with self._lock(message_id):
            message = await person.store.message(message_id)
            if message.status not in _OPEN:
                return
            draft = self._draft(person, message)
            if message_id in self._runs or not lapse(draft, self._clock()):
                raise Conflict(
                    _UNFINISHED.format(status=message.status.value),
                    details={"message_id": message_id, "status": message.status.value},
                )
            await draft.save()

    async def _begin(
        self,
        person: Person,
        principal: Principal,
        draft: Draft,
        keep: Callable[[], Coroutine[Any, Any, None]],
    ) -> Run:
        """Keep a new answer and begin its run; neither, where there is no place for one."""
        message_id = draft.message.id
        hold = await self._runs.hold(principal, message_id)
        if hold is None:
            raise Conflict(_ELSEWHERE, details={"message_id": message_id})
        async with self._releasing(hold):
            await to_the_end(keep())
        return self._runs.begin(person, principal, draft, hold, base=0)

    @asynccontextmanager
    async def _releasing(self, hold: Hold) -> AsyncGenerator[None]:
        """A block after which `hold` is used; where it fails, `hold` is given back."""
        try:
            yield
        except BaseException:
            await to_the_end(hold.release())
            raise

    async def _amend(self, person: Person, message_id: str, amendment: Amendment) -> Message:
        """Change a call of a turn, and let the turn go on.

        Where another process runs it, its run is waited for: it ends when no call is under way.
        """
        principal, limits = person.standing(), self._limits
        for _ in range(int(limits.handover_seconds / limits.follow_seconds) + 1):
            async with self._lock(message_id):
                if amendment.allows_tool:
                    draft, _ = await self._current(person, principal, message_id)
                    tool = amendment.check(draft, self._clock())
                    await person.store.allow(draft.message.conversation_id, tool)
                run = self._runs.of(message_id, principal)
                if run is not None:
                    run, has_lapsed = await self._amend_running(run, amendment)
                else:
                    run, has_lapsed = await self._amend_alone(
                        person, principal, message_id, amendment
                    )
            if has_lapsed:
                raise Conflict(_LATE, details={"state": "denied"})
            if run is not None:
                return run.draft.shown()
            await self._equipment.pause(limits.follow_seconds)
        raise Conflict(_ELSEWHERE, details={"message_id": message_id, "status": "running"})

    async def _amend_running(self, run: Run, amendment: Amendment) -> tuple[Run | None, bool]:
        """Change a call of a turn that runs here; True where it was too late.

        None where it is another's by now.
        """
        has_lapsed = not amendment.apply(run.draft, self._clock())
        run.turn.wake()
        try:
            await run.draft.save()
        except Superseded:
            await run.lose()
            return None, False
        return run, has_lapsed

    async def _amend_alone(
        self, person: Person, principal: Principal, message_id: str, amendment: Amendment
    ) -> tuple[Run | None, bool]:
        """Change a call of a turn that does not run here, and run it; True where it was too late.

        None where it runs in another process.
        """
        await person.store.message(message_id)  # nobody holds what is not theirs
        hold = await self._runs.hold(principal, message_id)
        if hold is None:
            return None, False
        async with self._releasing(hold):
            draft = self._draft(person, await person.store.message(message_id))
            has_lapsed = not amendment.apply(draft, self._clock())
            draft.message.status = MessageStatus.RUNNING
            await draft.save()
        return self._runs.begin(person, principal, draft, hold), has_lapsed

    async def _current(
        self, person: Person, principal: Principal, message_id: str
    ) -> tuple[Draft, Run | None]:
        """The message as it stands. Where a run has it, it may change with the next `await`."""
        run = self._runs.of(message_id, principal)
        if run is not None:
            return run.draft, run
        return self._draft(person, await person.store.message(message_id)), None

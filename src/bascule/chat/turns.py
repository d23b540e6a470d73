"""A run of a turn: from what is stored of an answer to where it ends, or waits for somebody.

All that it knows is in the parts of the message, so that another run goes on where this one was
cut off: in another process, after an approval, days later.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from bascule.chat.approvals import READ, expire, is_expired
from bascule.chat.calling import Calling
from bascule.chat.desk import Person
from bascule.chat.drafts import Draft
from bascule.chat.endings import STOPPED, close, is_superseded, notice_of
from bascule.chat.equipment import Equipment
from bascule.chat.finishing import to_the_end
from bascule.chat.history import history
from bascule.chat.models import ModelRequest, ModelTool, StopReason, Wanted
from bascule.chat.naming import ModelNames, model_name
from bascule.chat.outcomes import taken_up
from bascule.chat.parts import (
    CallPart,
    CallState,
    Message,
    MessageStatus,
    NoticeCode,
    TextPart,
    calls_of,
)
from bascule.chat.results import HOUSE_RULES
from bascule.chat.steps import Asking, Reply
from bascule.chat.store import Superseded
from bascule.chat.toolbox import OfferedTool
from bascule.chat.wishes import Known, Wish, judge
from bascule.gateway.errors import GatewayError
from bascule.gateway.principal import Principal

AGENT: Final = "bascule-chat"
"""The software that acts for the person, in records."""

_TRUNCATED: Final = "The answer was cut off: it reached the longest that is allowed."
_FILTERED: Final = "The model's provider does not answer this. Put it in other words."
_SPENT: Final = (
    "You have used as many tokens as there are for one person in 24 hours. Go on tomorrow, or ask "
    "the operator for more."
)
_DAY_SECONDS: Final = 86_400.0
_SILENT: Final = "The model gave no answer. Try again."

_log = structlog.get_logger(__name__)


class Turn:
    """One run. `person` is judged anew before each step and each call."""

    def __init__(self, equipment: Equipment, person: Person, draft: Draft) -> None:
        self._equipment = equipment
        self._person = person
        self.draft = draft
        self._asking = Asking(equipment, draft)
        self._calling = Calling(equipment, draft, self._standing)
        self._branch: Sequence[Message] | None = None
        self.is_stopping = False

    def wake(self) -> None:
        """A call was decided about."""
        self._calling.wake()

    async def run(self) -> None:
        """Go on until the turn has ended, or waits. Cancelled, it is left to be taken up again.

        Where it was asked to stop, being cancelled is its end instead.
        """
        try:
            await self._work()
        except asyncio.CancelledError:
            if not self.is_stopping:
                raise
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            await self._end(MessageStatus.STOPPED, NoticeCode.STOPPED, STOPPED)
        except Exception as failure:  # noqa: BLE001 - the edge: a turn ends with a sentence
            if is_superseded(failure):
                # It is another's now: nothing is told of an end, so that readers look again.
                _log.warning("chat.turn_superseded", message_id=self.draft.message.id)
                return
            code, text = notice_of(failure)
            await self._end(MessageStatus.FAILED, code, text)

    def _standing(self) -> Principal:
        # Software that is known to act for the person stays the agent: rules may be about it.
        standing = self._person.standing()
        return standing if standing.agent else replace(standing, agent=AGENT)

    async def _work(self) -> None:
        await self._take_up()
        while True:
            self._expire()
            if self.draft.calls(CallState.QUEUED):
                await self._calling.make()
            if not any(call.state.waits_for_person for _, call in self.draft.calls()):
                if await self._step():
                    return
            elif await self._waits():
                return

    async def _take_up(self) -> None:
        """Put right what an interruption left behind."""
        draft = self.draft
        if not draft.message.parts:
            return
        idempotent: frozenset[str] = frozenset()
        if draft.calls(CallState.RUNNING):
            offered = await self._equipment.toolbox.offered(self._standing())
            idempotent = frozenset(tool.name for tool in offered if tool.is_idempotent)
        parts = taken_up(draft.message, idempotent, self._equipment.clock())
        if parts != draft.message.parts:
            draft.rewrite(parts)
            await draft.save()

    def _expire(self) -> None:
        now = self._equipment.clock()
        for index, call in self.draft.calls():
            if is_expired(call, now):
                self.draft.put(index, expire(call, now))

    async def _waits(self) -> bool:
        """Leave the turn to the person; False where they have answered meanwhile."""
        self.draft.message.status = MessageStatus.WAITING
        await self.draft.save()
        if self.draft.calls(CallState.QUEUED):
            self.draft.message.status = MessageStatus.RUNNING
            return False
        if not any(call.state.waits_for_person for _, call in self.draft.calls()):
            self.draft.message.status = MessageStatus.RUNNING
            return False
        self.draft.end(MessageStatus.WAITING)
        return True

    async def _step(self) -> bool:
        """Ask the model once; True where that was the end."""
        limits, draft = self._equipment.limits, self.draft
        steps = sum(1 for part in draft.message.parts if isinstance(part, TextPart))
        if steps >= limits.steps_per_turn:
            text = f"The assistant stopped after {steps} steps. Write to it to go on."
            await self._end(MessageStatus.FAILED, NoticeCode.TOO_MANY_STEPS, text)
            return True
        principal = self._standing()
        if await self._has_spent():
            await self._end(MessageStatus.FAILED, NoticeCode.BUDGET_SPENT, _SPENT)
            return True
        offered = await self._equipment.toolbox.offered(principal)
        offered = offered[: limits.tools_offered]
        reply = await self._asking.ask(principal, await self._request(principal, offered))
        if not reply.wanted or reply.reason is StopReason.FILTERED:
            await self._conclude(reply)
            return True
        conversation = await self._person.store.conversation(draft.message.conversation_id)
        wishes = self._wishes(reply.wanted, offered)
        known = Known(conversation.allowed, *await self._made(wishes))
        draft.end_step(judge(draft.message, wishes, known, limits, self._equipment.clock()))
        await draft.save()
        return False

    async def _has_spent(self) -> bool:
        """Whether the person has used the tokens of a day."""
        most = self._equipment.limits.tokens_per_day
        if not most:
            return False
        # What this turn has used since it was last saved is its own step's, and saved with it.
        spent = await self._person.store.tokens_since(self._equipment.clock() - _DAY_SECONDS)
        return spent >= most

    async def _made(self, wishes: Sequence[Wish]) -> tuple[list[CallPart], list[CallPart]]:
        """The calls before this answer, and those of other branches; none where nothing writes."""
        earlier, elsewhere = list[CallPart](), list[CallPart]()
        if all(one.tool is None or one.tool.risk == READ for one in wishes):
            return earlier, elsewhere
        message = self.draft.message
        branch = {one.id for one in self._branch or ()}
        for one in await self._person.store.everything(message.conversation_id):
            if one.id != message.id:
                (earlier if one.id in branch else elsewhere).extend(calls_of(one))
        return earlier, elsewhere

    async def _request(self, principal: Principal, offered: Sequence[OfferedTool]) -> ModelRequest:
        equipment, message = self._equipment, self.draft.message
        if self._branch is None:
            store, parent_id = self._person.store, message.parent_id
            self._branch = (
                [] if parent_id is None else await store.branch(message.conversation_id, parent_id)
            )
        return ModelRequest(
            instructions=f"{equipment.instructions}\n\n{HOUSE_RULES}".strip(),
            entries=history([*self._branch, message], equipment.limits.result_characters),
            tools=[_described(tool) for tool in offered],
            max_tokens=equipment.limits.answer_tokens,
            temperature=equipment.limits.temperature,
            user=equipment.pseudonym(principal),
            now=_local_time(equipment.clock(), self._person.zone),
        )

    def _wishes(self, wanted: Sequence[Wanted], offered: Sequence[OfferedTool]) -> list[Wish]:
        """With ids of our own: providers give the same ones again in another step."""
        tools = {tool.name: tool for tool in offered}
        names = ModelNames(tools)
        return [
            Wish(self._equipment.new_id(), one, tools.get(names.tool(one.name) or ""))
            for one in wanted
        ]

    async def _conclude(self, reply: Reply) -> None:
        """The model wants no more calls."""
        draft = self.draft
        if reply.reason is StopReason.FILTERED:
            await self._end(MessageStatus.FAILED, NoticeCode.MODEL_REFUSED, _FILTERED)
        elif not draft.message.parts:
            await self._end(MessageStatus.FAILED, NoticeCode.FAILED, _SILENT)
        elif reply.reason is StopReason.LENGTH:
            await self._end(MessageStatus.COMPLETE, NoticeCode.TRUNCATED, _TRUNCATED)
        else:
            await self._end(MessageStatus.COMPLETE)

    async def _end(
        self, status: MessageStatus, code: NoticeCode | None = None, text: str = ""
    ) -> None:
        """End the turn: no call stays open. What was done stays."""
        draft = self.draft
        if draft.message.status in (MessageStatus.RUNNING, MessageStatus.WAITING):
            close(draft, status, code, text, self._equipment.clock())
        try:
            await to_the_end(draft.save())
        except Superseded:
            _log.warning("chat.turn_superseded", message_id=draft.message.id)
            return
        except GatewayError as failure:  # it is still `running` there, and is taken up later
            _log.warning("chat.not_saved", message_id=draft.message.id, reason=failure.private)
        draft.end(draft.message.status)


def _described(tool: OfferedTool) -> ModelTool:
    return ModelTool(
        name=model_name(tool.name),
        description=tool.description,
        input_schema=tool.input_schema,
        title=tool.title,
        output_schema=tool.output_schema,
        risk=tool.risk,
    )


def _local_time(now: float, zone: str) -> str:
    """ISO 8601 with the offset of `zone`, or of UTC where there is no such zone."""
    try:
        place = ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        place = UTC
    return datetime.fromtimestamp(now, place).isoformat(timespec="seconds")

"""Make the calls of a turn that are queued, at the same time, and keep what comes of each."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from bascule.chat.drafts import Draft
from bascule.chat.equipment import Equipment
from bascule.chat.finishing import to_the_end
from bascule.chat.outcomes import after
from bascule.chat.parts import CallPart, CallState, NoticeCode
from bascule.chat.toolbox import Progress, ToolCall
from bascule.gateway.principal import Principal

_MOST_REFUSALS: Final = 3
_IN_VAIN: Final = "The tool's server kept asking for what it may not ask for."


class Calling:
    """The calls of one run. Each is saved as `running` before it is made."""

    def __init__(
        self, equipment: Equipment, draft: Draft, standing: Callable[[], Principal]
    ) -> None:
        self._equipment = equipment
        self._draft = draft
        self._standing = standing
        self._under_way = 0
        self._news = asyncio.Event()
        self._refusals: Counter[str] = Counter()

    def wake(self) -> None:
        """A call was queued, or one has ended."""
        self._news.set()

    async def make(self) -> None:
        """Make all that are queued, and those that come to be meanwhile.

        Raises:
            ExceptionGroup: of `GatewayError`s: the person is not let in any more, or what came of
                a call could not be kept. The others are cancelled.
        """
        async with asyncio.TaskGroup() as group:
            while True:
                self._news.clear()
                queued = self._draft.calls(CallState.QUEUED)
                if queued:
                    await self._begin(group, queued)
                elif self._under_way:
                    await self._news.wait()
                else:
                    return

    async def _begin(self, group: asyncio.TaskGroup, queued: list[tuple[int, CallPart]]) -> None:
        principal = self._standing()
        now = self._equipment.clock()
        for index, call in queued:
            running = replace(call, state=CallState.RUNNING, started_at=now, ended_at=None)
            self._draft.put(index, running)
        await self._draft.save()
        for index, _ in queued:
            self._under_way += 1
            group.create_task(self._make(index, principal))

    async def _make(self, index: int, principal: Principal) -> None:
        equipment = self._equipment
        call = self._draft.at(index)
        outcome = await equipment.toolbox.call(
            principal,
            ToolCall(
                name=call.tool,
                arguments=call.arguments,
                idempotency_key=call.key,
                deadline_seconds=equipment.limits.call_seconds,
                on_progress=_Telling(self._draft, index, equipment).tell,
                answers=call.answers,
                state=call.secret_state,
            ),
        )
        now = equipment.clock()
        changed, objections = after(self._draft.at(index), outcome, equipment.limits, now)
        for why in objections:
            text = f"A question of {call.server or 'a server'} was declined. {why}"
            self._draft.notice(NoticeCode.QUESTION_REFUSED, text)
        if changed.state is CallState.QUEUED:
            self._refusals[call.id] += 1
            if self._refusals[call.id] > _MOST_REFUSALS:
                changed = replace(
                    changed, state=CallState.FAILED, error=_IN_VAIN, ended_at=now, secret_state=""
                )
        self._draft.put(index, changed)
        # The call was made: what came of it is not lost because somebody stops the turn now.
        await to_the_end(self._draft.save())
        self._under_way -= 1
        self.wake()


class _Telling:
    """Tells readers how far a call is, not more often than text is saved."""

    def __init__(self, draft: Draft, index: int, equipment: Equipment) -> None:
        self._draft = draft
        self._index = index
        self._equipment = equipment
        self._told_at: float | None = None

    def tell(self, progress: Progress) -> None:
        now = self._equipment.clock()
        is_soon = (
            self._told_at is not None and now - self._told_at < self._equipment.limits.save_seconds
        )
        call = self._draft.at(self._index)
        if is_soon or call.state is not CallState.RUNNING:
            return
        self._told_at = now
        self._draft.put(
            self._index,
            replace(
                call,
                progress=progress.value,
                progress_total=progress.total,
                progress_message=progress.message[: self._equipment.limits.reason_characters],
            ),
        )

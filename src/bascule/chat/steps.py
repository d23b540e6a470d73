"""One step of a model: ask, stream its text into the draft, collect the calls it wants."""

from dataclasses import replace
from typing import Final, NamedTuple

from bascule.chat.drafts import Draft
from bascule.chat.equipment import Equipment
from bascule.chat.fitting import fit, size_of
from bascule.chat.models import (
    FailureKind,
    Finished,
    ModelEvent,
    ModelFailure,
    ModelRequest,
    StopReason,
    Text,
    Wanted,
)
from bascule.gateway.principal import Principal

_FULL: Final = "This conversation has become too long for the model. Start a new one."
_BROKE_OFF: Final = "The model's answer broke off. Try again."
_SHRINKING: Final = 0.6
_MOST_WANTED: Final = 256


class Reply(NamedTuple):
    """What a model answered, but for its text, which is in the draft."""

    wanted: list[Wanted]
    reason: StopReason


class Asking:
    """Asks for the steps of one run, with what can be done about failures."""

    def __init__(self, equipment: Equipment, draft: Draft) -> None:
        self._equipment = equipment
        self._draft = draft
        self._most_characters = equipment.limits.context_characters
        self._has_paused = False

    async def ask(self, principal: Principal, request: ModelRequest) -> Reply:
        """Ask for `principal`, with as much of the entries as the model takes.

        Where it was too long, with less; where the provider asks for a short pause, once more
        after it. Nothing is asked twice once text has come.

        Raises:
            ModelFailure: it did not answer, or not to the end.
            GatewayError: what it wrote could not be kept.
        """
        while True:
            entries = fit(request.entries, self._most_characters)
            if entries is None:
                raise ModelFailure(FailureKind.TOO_LONG, _FULL, "nothing is left to leave out")
            attempt = _Attempt(self._equipment, self._draft, principal)
            try:
                await attempt.stream(replace(request, entries=entries))
            except ModelFailure as failure:
                if attempt.has_begun or not await self._can_try_again(failure):
                    raise
                if failure.kind is FailureKind.TOO_LONG:
                    self._most_characters = int(sum(map(size_of, entries)) * _SHRINKING)
            else:
                return attempt.reply()

    async def _can_try_again(self, failure: ModelFailure) -> bool:
        if failure.kind is FailureKind.TOO_LONG:
            return True
        seconds = failure.retry_after_seconds
        if failure.kind is not FailureKind.RATE_LIMITED or seconds is None or self._has_paused:
            return False
        if seconds > self._equipment.limits.rate_limit_seconds:
            return False
        self._has_paused = True
        await self._equipment.pause(max(seconds, 0.0))
        return True


class _Attempt:
    def __init__(self, equipment: Equipment, draft: Draft, principal: Principal) -> None:
        self._equipment = equipment
        self._draft = draft
        self._principal = principal
        self._room = equipment.limits.answer_characters
        self._wanted: list[Wanted] = []
        self._has_text = False
        self._is_apart = False
        self._reason: StopReason | None = None
        self.has_begun = False

    async def stream(self, request: ModelRequest) -> None:
        """Take in the answer, to its end or to the longest."""
        events = self._equipment.model.answer(request)
        try:
            async for event in events:
                await self._take(event)
                if self._reason is not None:
                    break
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    async def _take(self, event: ModelEvent) -> None:
        match event:
            case Text():
                await self._write(event.text)
            case Wanted():
                self.has_begun = True
                self._is_apart = self._has_text
                if len(self._wanted) < _MOST_WANTED:
                    self._wanted.append(event)
            case Finished():
                self._count(event)
                self._reason = event.reason

    async def _write(self, text: str) -> None:
        if not text:
            return
        if self._is_apart:  # calls stood between; the text of a step is one part
            text = f"\n\n{text.lstrip()}"
        self.has_begun = self._has_text = True
        self._is_apart = False
        self._draft.write(text[: self._room])
        self._room -= len(text)
        if self._room <= 0:
            self._reason = StopReason.LENGTH
        await self._draft.save_if_due()

    def _count(self, finished: Finished) -> None:
        message = self._draft.message
        message.tokens_in += finished.tokens_in
        message.tokens_out += finished.tokens_out
        self._equipment.meter(
            self._principal, message.model, finished.tokens_in, finished.tokens_out
        )

    def reply(self) -> Reply:
        if self._reason is None:
            raise ModelFailure(FailureKind.UNREACHABLE, _BROKE_OFF, "the answer has no end")
        return Reply(self._wanted, self._reason)

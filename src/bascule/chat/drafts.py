"""An answer while it is made: each change is told to readers at once, and saved when due."""

import asyncio
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from bascule.chat.approvals import is_expired
from bascule.chat.events import CallChanged, Ended, Noticed, Snapshot, TextDelta
from bascule.chat.finishing import to_the_end
from bascule.chat.parts import (
    CallPart,
    CallState,
    Message,
    MessageStatus,
    NoticeCode,
    NoticePart,
    Part,
    TextPart,
)
from bascule.chat.showing import shown, shown_call
from bascule.chat.store import Store
from bascule.chat.streams import Stream
from bascule.chat.wellformed import whole_text
from bascule.gateway.errors import NotFound


class Draft:
    """Owns `message`. Parts are replaced and never changed, so that a copy of the list is one.

    `save_seconds` between two savings of growing text, by `clock`.
    """

    def __init__(
        self, store: Store, message: Message, clock: Callable[[], float], save_seconds: float
    ) -> None:
        self.message = message
        self.stream: Stream | None = None
        self._store = store
        self._clock = clock
        self._save_seconds = save_seconds
        self._saved_at = clock()
        self._saving = asyncio.Lock()
        self._text_at: int | None = None

    def shown(self) -> Message:
        """The message as it stands, for others."""
        return shown(self.message)

    def calls(self, *states: CallState) -> list[tuple[int, CallPart]]:
        """Its calls with their part numbers; of `states` only, where some are given."""
        return [
            (index, part)
            for index, part in enumerate(self.message.parts)
            if isinstance(part, CallPart) and (not states or part.state in states)
        ]

    def call(self, call_id: str) -> tuple[int, CallPart]:
        """The call of this id, and its part number.

        Raises:
            NotFound: there is none.
        """
        for index, part in self.calls():
            if part.id == call_id:
                return index, part
        raise NotFound("This message has no such call.")

    def at(self, index: int) -> CallPart:
        """The call at part number `index`."""
        part = self.message.parts[index]
        assert isinstance(part, CallPart)  # noqa: S101 - parts never move
        return part

    def is_to_be_run(self, now: float) -> bool:
        """Whether there is something to do without the person, or an answer comes too late."""
        if self.message.status is MessageStatus.WAITING:
            waits = [call for _, call in self.calls() if call.state.waits_for_person]
            return (
                not waits
                or bool(self.calls(CallState.QUEUED, CallState.RUNNING))
                or any(is_expired(call, now) for call in waits)
            )
        return self.message.status is MessageStatus.RUNNING

    def put(self, index: int, call: CallPart) -> None:
        """Change the call at part number `index`."""
        self.message.parts[index] = call
        if self.stream is not None:
            self.stream.publish(CallChanged(index, shown_call(call)))

    def write(self, text: str) -> None:
        """Add to the text of the step under way, which begins with it."""
        text = whole_text(text)
        if self._text_at is None:
            self._text_at = len(self.message.parts)
            self.message.parts.append(TextPart(""))
        before = self.message.parts[self._text_at]
        assert isinstance(before, TextPart)  # noqa: S101 - it was put there above
        self.message.parts[self._text_at] = TextPart(before.text + text)
        if self.stream is not None:
            self.stream.publish(TextDelta(self._text_at, text))

    def end_step(self, calls: Sequence[CallPart]) -> None:
        """The step is over; these are the calls it asked for. To be saved at once, as a whole."""
        if calls and self._text_at is None:
            self.write("")
        for call in calls:
            self.message.parts.append(call)
            self.put(len(self.message.parts) - 1, call)
        self._text_at = None

    def notice(self, code: NoticeCode, text: str) -> None:
        """Add a notice."""
        part = NoticePart(code.value, text)
        self.message.parts.append(part)
        if self.stream is not None:
            self.stream.publish(Noticed(len(self.message.parts) - 1, part))

    def rewrite(self, parts: Sequence[Part]) -> None:
        """Put other parts in the place of all."""
        self._text_at = None
        self.message.parts = list(parts)
        if self.stream is not None:
            self.stream.publish(Snapshot(self.shown()))

    async def save(self) -> None:
        """Keep the message as it stands when its turn to be saved has come.

        Raises:
            Superseded: somebody else has saved it since.
            GatewayError: it could not be kept.
        """
        # To its end, so that it is never unknown which version is stored.
        await to_the_end(self._save())

    async def _save(self) -> None:
        async with self._saving:
            self._saved_at = self._clock()
            copy = replace(self.message, parts=list(self.message.parts))
            await self._store.save(copy)
            self.message.version = copy.version

    async def save_if_due(self) -> None:
        """Keep growing text, unless it was kept a moment ago."""
        if self._clock() - self._saved_at >= self._save_seconds:
            await self.save()

    def end(self, status: MessageStatus) -> None:
        """Tell readers that nothing follows for now. Saved before, or it cannot be."""
        self.message.status = status
        if self.stream is not None:
            self.stream.publish(Ended(status, self.message.tokens_in, self.message.tokens_out))

"""What may go to a caller on a shared channel before the result of its call."""

from typing import Final

from bascule.gateway.backchannel import CallerGone, Notification, Question
from bascule.gateway.call import Call
from bascule.protocol.levels import at_least
from bascule.protocol.notices import encode_notice
from bascule.protocol.versions import Era
from bascule.transports.open_questions import OpenQuestions
from bascule.transports.outbox import Outbox
from bascule.transports.room import Room

_MOST_UNSENT_BYTES: Final = 256 * 1024
_PROGRESS: Final = "notifications/progress"
_LOG: Final = "notifications/message"


class Interim:
    """The backchannel of one call; `end` it when the call has its result."""

    def __init__(
        self, call: Call, outbox: Outbox, questions: OpenQuestions | None, room: Room
    ) -> None:
        """Without `questions` the caller cannot be asked."""
        self._call = call
        self._outbox = outbox
        self._questions = questions
        self._room = room
        self._over = False

    @property
    def interactive(self) -> bool:
        """Only a legacy caller can be asked while its call waits."""
        return self._questions is not None

    def notify(self, note: Notification) -> bool:
        """Send what this call has asked for, and nothing else."""
        if self._over or self._outbox.unsent > _MOST_UNSENT_BYTES or not self._wants(note):
            return False
        self._outbox.put(encode_notice(note.method, note.params))
        return True

    async def drained(self) -> None:
        """Wait until the channel's client has read most of what was sent."""
        await self._outbox.drained()

    async def ask(self, question: Question, deadline: float) -> bytes:
        """Put a question; meanwhile the call does not count as one that keeps the channel busy."""
        if self._questions is None or self._over:
            raise CallerGone("this caller cannot be asked")
        self._room.leave()
        try:
            return await self._questions.ask(question, deadline)
        finally:
            self._room.enter_again()

    def end(self) -> None:
        """The result is out: nothing may follow it."""
        self._over = True

    def _wants(self, note: Notification) -> bool:
        if note.method == _PROGRESS:
            return self._call.more.progress_token is not None
        if note.method == _LOG:
            level = self._call.more.log_level
            return level is not None and at_least(note.params, level)
        # A stateless request's stream has nothing but these two; changes have their subscription.
        return self._call.era is Era.LEGACY

"""Questions and subscriptions as the journal sees them: written down before anybody acts on them.

What a caller is told while it waits is no result and has no record of its own; what it is *asked*
may lead to an answer that leaves for an upstream, so the question is durable before it is put.
"""

from collections.abc import Awaitable, Callable

from bascule.gateway.backchannel import Backchannel, Notification, Question
from bascule.gateway.feed import Feed, ListenFilter


class RecordedBackchannel:
    """A backchannel whose questions are recorded first, and counted in `questions`."""

    def __init__(self, back: Backchannel, record: Callable[[Question], Awaitable[None]]) -> None:
        """`record` returns once the question is durable; where it raises, nothing is asked."""
        self._back = back
        self._record = record
        self.questions = 0
        self.notify = back.notify
        self.drained = back.drained

    @property
    def interactive(self) -> bool:
        """As `Backchannel.interactive`."""
        return self._back.interactive

    async def ask(self, question: Question, deadline: float) -> bytes:
        """As `Backchannel.ask`.

        Raises:
            RecordingFailed: the question could not be recorded, and was not put.
        """
        await self._record(question)
        self.questions += 1
        return await self._back.ask(question, deadline)


class RecordedFeed:
    """A feed whose end is recorded, once, with how much it told."""

    def __init__(self, feed: Feed, record_end: Callable[[int], None]) -> None:
        """`record_end` gets the number of notifications that were given out."""
        self._feed = feed
        self._record_end: Callable[[int], None] | None = record_end
        self._told = 0

    @property
    def granted(self) -> ListenFilter:
        """As `Feed.granted`."""
        return self._feed.granted

    async def next(self) -> Notification | None:
        """As `Feed.next`."""
        note = await self._feed.next()
        if note is not None:
            self._told += 1
        return note

    async def close(self) -> None:
        """As `Feed.close`."""
        record_end, self._record_end = self._record_end, None
        if record_end is not None:
            record_end(self._told)
        await self._feed.close()

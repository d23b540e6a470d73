"""Who wants to hear what of one upstream, counted, so that one stream serves them all."""

import asyncio
from collections.abc import Callable, Collection, Iterable

from bascule.gateway.feed import ListenFilter
from bascule.gateway.filters import LISTS, NOTHING, Topic, filter_of, topics


class Share:
    """One share: topics that somebody wants, and whether the upstream will tell of them."""

    def __init__(self, wanted: Iterable[Topic], on_release: Callable[["Share"], None]) -> None:
        self.wanted = tuple(wanted)
        self._on_release = on_release
        self._granted = NOTHING
        self._answered = asyncio.Event()
        self._gave_up = False
        self._is_released = False

    async def granted(self) -> ListenFilter:
        """Wait until the upstream has answered, and give what it agreed to tell."""
        try:
            await self._answered.wait()
        except asyncio.CancelledError:
            self._gave_up = not self._answered.is_set()
            raise
        return self._granted

    def release(self) -> None:
        """Want it no more; safe to repeat."""
        if not self._is_released:
            self._is_released = True
            self._on_release(self)

    def answer(self, agreed: Collection[Topic]) -> bool:
        """Tell who waits what the upstream `agreed` to; True where they did not wait for it."""
        self._granted = filter_of(topic for topic in self.wanted if topic in agreed)
        self._answered.set()
        return self._gave_up


class Shares:
    """All shares in one upstream; topics in the order in which they were first wanted.

    At most `most_topics` are listened for at once; what goes beyond is not granted.
    """

    def __init__(self, on_change: Callable[[], None], most_topics: int) -> None:
        self._on_change = on_change
        self._most_topics = most_topics
        self._counts: dict[Topic, int] = {}
        self._waiting: dict[Share, None] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def __contains__(self, topic: Topic) -> bool:
        return topic in self._counts

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Everything that somebody wants."""
        return tuple(self._counts)

    def take(self, wanted: ListenFilter) -> Share:
        """A share in `wanted`, which waits for an answer; lists always find room."""
        taken: list[Topic] = []
        for topic in topics(wanted):
            if topic in self._counts or len(self._counts) < self._most_topics or topic[0] in LISTS:
                self._counts[topic] = self._counts.get(topic, 0) + 1
                taken.append(topic)
        share = Share(taken, self._release)
        self._waiting[share] = None
        self._on_change()
        return share

    def answer(self, asked: Collection[Topic], agreed: Collection[Topic]) -> list[Topic]:
        """Answer the shares that `asked` covers.

        Gives the topics that were promised before the upstream had agreed to them.
        """
        promised: dict[Topic, None] = {}
        for share in [one for one in self._waiting if all(topic in asked for topic in one.wanted)]:
            del self._waiting[share]
            if share.answer(agreed):
                promised.update(dict.fromkeys(topic for topic in share.wanted if topic in agreed))
        return list(promised)

    def _release(self, share: Share) -> None:
        self._waiting.pop(share, None)
        for topic in share.wanted:
            self._counts[topic] -= 1
            if not self._counts[topic]:
                del self._counts[topic]
        self._on_change()

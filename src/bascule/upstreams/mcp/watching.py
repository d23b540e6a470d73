"""Listens at one upstream for all who want to hear of its changes, on one stream.

Source: specification 2026-07-28, basic/patterns/subscriptions.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from secrets import SystemRandom
from typing import Final

import structlog

from bascule.gateway.feed import ChangeKind, ListenFilter
from bascule.gateway.filters import Topic, filter_of, topics
from bascule.upstreams.mcp.coalescing import Coalescer
from bascule.upstreams.mcp.failures import UpstreamRpcError
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.notes import read_change
from bascule.upstreams.mcp.shares import Share, Shares
from bascule.upstreams.mcp.watch_stream import Listenable, Stream

_log = structlog.get_logger(__name__)
_random: Final = SystemRandom()

# A stream is not opened anew for each topic that nobody wants any more.
_SLACK: Final = 2
_MOST_UNASKED: Final = 100

# What a server may stumble over, the likeliest first: without it, it may tell the rest.
_DISPENSABLE: Final = (ChangeKind.TASK, ChangeKind.RESOURCE)


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """How patient a watch is, all in seconds.

    After a loss it listens again in `first_pause`, which doubles up to `longest_pause` while
    streams end before they are `stable`; a server that refuses to be listened to is left alone
    for `refused_pause`. Streams are opened at most once in `pace`.
    """

    first_pause: float = 0.5
    longest_pause: float = 30.0
    refused_pause: float = 300.0
    stable: float = 10.0
    pace: float = 0.05
    opening: float = 10.0
    most_topics: int = 5000


class Watch:
    """What is told of one upstream goes to `tell`: the topic, and the params of a task's note.

    `run` must be running. A stream with a wider filter is opened before the last one is closed;
    when much of it is no longer wanted, a narrower one follows. After a loss no server replays
    what was missed, so everything is told to have changed.
    """

    def __init__(
        self, name: str, tell: Callable[[Topic, bytes], None], config: WatchConfig | None = None
    ) -> None:
        self._name = name
        self._config = config or WatchConfig()
        self._coalescer = Coalescer(tell)
        self._shares = Shares(self._on_shares, self._config.most_topics)
        self._channel: Listenable | None = None
        self._stream: Stream | None = None
        self._opening: Stream | None = None
        self._excluded: set[ChangeKind] = set()
        self._is_refused = False
        self._missed = False
        self._early_ends = 0
        self._not_before = 0.0
        self._stirred = asyncio.Event()
        self._disturbed = asyncio.Event()

    @property
    def is_wanted(self) -> bool:
        """Whether anybody wants to hear anything."""
        return len(self._shares) > 0

    def want(self, wanted: ListenFilter) -> Share:
        """Listen for `wanted` as well; what is not released is listened for without end."""
        return self._shares.take(wanted)

    def use(self, channel: Listenable | None) -> None:
        """Listen at `channel` from now on; None stops listening until there is one again."""
        if channel is self._channel:
            return
        self._missed = self._missed or self._stream is not None
        self._drop_stream()
        if self._opening is not None:
            self._opening.drop()
        self._channel = channel
        self._begin_anew()
        self._early_ends, self._not_before = 0, 0.0
        self._disturbed.set()
        self._stirred.set()

    async def run(self) -> None:
        """Keep the stream open that is wanted; ends only when cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._step(group)
        finally:
            self._coalescer.close()

    async def _step(self, group: asyncio.TaskGroup) -> None:
        self._stirred.clear()
        channel, asked = self._channel, self._to_ask()
        if channel is None or not asked:
            self._drop_stream()
        elif self._stream is None or not _fits(self._stream, asked):
            if await self._rests(self._not_before - time.monotonic()):
                await self._renew(group, channel)
            return
        await self._stirred.wait()

    async def _renew(self, group: asyncio.TaskGroup, channel: Listenable) -> None:
        self._is_refused = False
        stream = Stream(channel, self._to_ask())
        if not stream.asked:
            return
        self._not_before = time.monotonic() + self._config.pace
        stream.task = group.create_task(self._hold(stream))
        self._opening = stream
        await stream.settled.wait()
        self._opening = None
        if self._channel is not channel:
            stream.drop()
        elif isinstance(stream.failure, UpstreamRpcError):
            self._take_refusal(stream)
        elif stream.is_over and stream.opened_at is not None:
            self._leave_alone()  # it ended as it began: the server agrees, but has no stream
        elif stream.is_over:
            self._note_loss(stream)
        else:
            self._take_over(stream)

    async def _hold(self, stream: Stream) -> None:
        wanted = filter_of(topic for topic in self._shares.topics if topic in stream.asked)
        reason = await stream.hold(wanted, self._take, self._config.opening)
        _log.info("upstream.watch_ended", upstream=self._name, reason=reason)
        if stream is self._stream:
            self._stream = None
            self._note_loss(stream)
            self._stirred.set()
            self._disturbed.set()

    def _take_over(self, stream: Stream) -> None:
        last, self._stream = self._stream, stream
        if last is not None:
            last.drop()
        agreed = set(topics(stream.granted))
        missed = self._answer(stream.asked, agreed)
        if self._missed:
            self._missed = False
            missed = [topic for topic in self._shares.topics if topic in agreed]
        for topic in missed:
            if topic[0] is not ChangeKind.TASK:  # its state is not known here; its owner can ask
                self._coalescer.take(topic, b"{}")

    def _answer(self, asked: frozenset[Topic], agreed: set[Topic]) -> list[Topic]:
        left_out = {topic for topic in self._shares.topics if topic[0] in self._excluded}
        return self._shares.answer(asked | left_out, agreed)

    def _take_refusal(self, stream: Stream) -> None:
        """Ask for less; a server that grants not even lists is left alone for a while."""
        kinds = {kind for kind, _ in stream.asked}
        for kind in _DISPENSABLE:
            if kind in kinds and len(kinds) > 1:
                self._excluded.add(kind)
                return
        self._leave_alone()

    def _leave_alone(self) -> None:
        self._is_refused = True
        self._answer_refused()
        self._not_before = time.monotonic() + self._config.refused_pause
        _log.info("upstream.not_watchable", upstream=self._name)

    def _answer_refused(self) -> None:
        held = self._stream
        agreed: set[Topic] = set() if held is None else set(topics(held.granted))
        self._shares.answer(frozenset(self._shares.topics), agreed)

    def _note_loss(self, stream: Stream) -> None:
        self._missed = self._missed or self._stream is None
        self._begin_anew()
        now = time.monotonic()
        if stream.opened_at is not None and now - stream.opened_at >= self._config.stable:
            self._early_ends = 0
        pause = min(self._config.first_pause * 2**self._early_ends, self._config.longest_pause)
        self._early_ends = min(self._early_ends + 1, 16)
        # Not all at once, where many watches lost the same server.
        self._not_before = now + pause * _random.uniform(0.5, 1.0)

    def _begin_anew(self) -> None:
        self._excluded.clear()
        self._is_refused = False

    def _drop_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.drop()

    def _to_ask(self) -> frozenset[Topic]:
        return frozenset(topic for topic in self._shares.topics if topic[0] not in self._excluded)

    def _on_shares(self) -> None:
        if self._is_refused:
            self._answer_refused()
        elif self._stream is not None:
            self._answer(self._stream.asked, set(topics(self._stream.granted)))
        self._stirred.set()

    def _take(self, note: Incoming) -> None:
        change = read_change(note)
        # What nobody wants is dropped here: an upstream cannot fill memory with it.
        if change is not None and change[0] in self._shares:
            self._coalescer.take(*change)

    async def _rests(self, seconds: float) -> bool:
        """Wait; False where something happened meanwhile that makes it another matter."""
        self._disturbed.clear()
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._disturbed.wait()
        except TimeoutError:
            return True
        return False


def _fits(stream: Stream, asked: frozenset[Topic]) -> bool:
    """Whether `stream` brings all that is asked, and not too much else."""
    return asked <= stream.asked and len(stream.asked) <= _SLACK * len(asked) + _MOST_UNASKED

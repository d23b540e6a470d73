"""Feeds on their way to HTTP clients: until either side ends them, or the server drains.

Source: specification 2026-07-28, basic/patterns/subscriptions.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial

from bascule.gateway.feed import Feed
from bascule.protocol.messages import MessageId
from bascule.protocol.notices import acknowledgement, encode_notice, tagged
from bascule.transports.backchannels import EventStream


class Listening:
    """The streams that last. All of them end at once when the server drains."""

    def __init__(self) -> None:
        self._open: set[asyncio.Timeout] = set()
        self._draining = False

    def __len__(self) -> int:
        return len(self._open)

    def drain(self) -> None:
        """End all streams, and those that are yet to be opened."""
        self._draining = True
        for limit in self._open:
            _expire(limit)

    @asynccontextmanager
    async def endable(self) -> AsyncGenerator[Callable[[], None]]:
        """A block that the given function ends, and the drain; both leave it without an error."""
        limit = asyncio.timeout(0 if self._draining else None)
        try:
            async with limit:
                self._open.add(limit)
                yield partial(_expire, limit)
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            self._open.discard(limit)

    async def serve(self, feed: Feed, stream: EventStream, subscription: MessageId) -> None:
        """Acknowledge a subscription, then send what it brings, tagged, until it ends.

        A client that does not read is cut off. The feed is closed in any case.
        """
        try:
            stream.send(acknowledgement(feed.granted, subscription))
            async with self.endable():
                while (note := await feed.next()) is not None and not stream.is_full:
                    stream.send(encode_notice(note.method, tagged(note.params, subscription)))
            if stream.is_full:
                stream.cut()
        finally:
            await feed.close()


async def send_feed(feed: Feed | None, stream: EventStream) -> None:
    """Send what `feed` brings on a session's own stream, until it ends; without one, wait."""
    if feed is None:
        await asyncio.Event().wait()
        return
    while (note := await feed.next()) is not None:
        if stream.is_full:
            stream.cut()
            return
        stream.send(encode_notice(note.method, note.params))


def _expire(limit: asyncio.Timeout) -> None:
    limit.reschedule(asyncio.get_running_loop().time())

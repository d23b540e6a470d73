"""The stream on which a legacy server says what belongs to no request of ours.

Source: specification 2025-11-25, basic/transports "Listening for Messages from the Server".
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from bascule.gateway.errors import GatewayError
from bascule.upstreams.http1 import ResponseStream
from bascule.upstreams.mcp.endpoint import Endpoint, Headers
from bascule.upstreams.mcp.events import EventReader
from bascule.upstreams.mcp.messages import Incoming

OnMessage: TypeAlias = Callable[[Incoming], Awaitable[None]]
"""Takes in a message; more is read once it returns."""

_DEFAULT_RETRY_MS: Final = 1000
_SHORTEST_RETRY_SECONDS: Final = 0.1
"""Whatever the server asks for: with 0 it would keep this process busy for nothing."""
_LONGEST_RETRY_SECONDS: Final = 30.0
_MOST_FAILURES: Final = 5
_MOST_EMPTY_STREAMS: Final = 5
_OPENING_SECONDS: Final = 15.0


class GetStream:
    """Keeps one such stream open; `run` ends when the server has none, or no longer."""

    def __init__(self, endpoint: Endpoint, headers: Headers, on_message: OnMessage) -> None:
        """`headers` name the session."""
        self._endpoint = endpoint
        self._headers = headers
        self._on_message = on_message
        self._last_id: str | None = None
        self._retry_seconds = _DEFAULT_RETRY_MS / 1000
        self._settled = asyncio.Event()
        self.is_open = False

    async def settled(self, seconds: float) -> bool:
        """Wait, no longer than `seconds`, until it is clear whether there is such a stream."""
        try:
            async with asyncio.timeout(seconds):
                await self._settled.wait()
        except TimeoutError:
            return False
        return self.is_open

    async def run(self) -> None:
        """Read, and open anew what the server closes, until it refuses or is gone for long."""
        failures = empty = 0
        try:
            while failures < _MOST_FAILURES and empty < _MOST_EMPTY_STREAMS:
                try:
                    came = await self._read_one()
                except (GatewayError, TimeoutError):
                    failures += 1
                else:
                    if came is None:
                        return
                    failures, empty = 0, 0 if came else empty + 1
                pause = self._retry_seconds * 2**failures if failures else self._retry_seconds
                pause = max(pause, _SHORTEST_RETRY_SECONDS)
                await asyncio.sleep(min(pause, _LONGEST_RETRY_SECONDS))
        finally:
            self.is_open = False
            self._settled.set()

    async def _read_one(self) -> int | None:
        """Read one stream to its end; gives how many messages came, None where it is refused."""
        headers = self._headers
        if self._last_id is not None:
            headers = (*headers, ("last-event-id", self._last_id))
        stream = self._endpoint.open(b"", headers)
        async with asyncio.timeout(_OPENING_SECONDS):
            response = await stream.__aenter__()
        try:
            kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
            if response.status >= 500:
                return 0
            if response.status != 200 or kind != "text/event-stream":
                return None
            self.is_open = True
            self._settled.set()
            return await self._read(response)
        finally:
            await stream.__aexit__(None, None, None)

    async def _read(self, response: ResponseStream) -> int:
        reader = EventReader(self._endpoint.reader.limit)
        count = 0
        try:
            while True:
                messages = await self._endpoint.reader.next_messages(response, reader)
                if messages is None:
                    return count
                count += len(messages)
                for message in messages:
                    await self._on_message(message)
        finally:
            self._last_id = reader.last_id or self._last_id
            if reader.retry_ms is not None:
                self._retry_seconds = reader.retry_ms / 1000

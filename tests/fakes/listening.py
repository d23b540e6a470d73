"""An upstream that can be listened to, and told to agree, refuse, die or flood."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import msgspec

from bascule.gateway.feed import ListenFilter
from bascule.upstreams.mcp.hooks import OnNote
from bascule.upstreams.mcp.messages import Incoming


class FakeStream:
    """One subscription; `end` is the server's, `closed` the gateway's doing."""

    def __init__(self, wanted: ListenFilter, granted: ListenFilter, on_note: OnNote) -> None:
        self.wanted = wanted
        self.granted = granted
        self.closed = False
        self._on_note = on_note
        self._over = asyncio.Event()

    def tell(self, method: str, params: bytes | None = None) -> None:
        given = msgspec.UNSET if params is None else msgspec.Raw(params)
        self._on_note(Incoming(method=method, params=given))

    def end(self) -> None:
        self._over.set()

    async def ended(self) -> str:
        await self._over.wait()
        return "the test ended it"


class FakeListenable:
    """Grants what is wanted, unless `judge` raises or grants something else.

    It answers while `go` is set; a `stillborn` stream ends as it begins.
    """

    def __init__(self) -> None:
        self.asked: list[ListenFilter] = []
        self.streams: list[FakeStream] = []
        self.judge: Callable[[ListenFilter], ListenFilter] = lambda wanted: wanted
        self.stillborn = False
        self.go = asyncio.Event()
        self.go.set()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[FakeStream]:
        assert deadline > 0
        self.asked.append(wanted)
        await self._notify()
        await self.go.wait()
        stream = FakeStream(wanted, self.judge(wanted), on_note)
        self.streams.append(stream)
        if self.stillborn:
            stream.end()
        await self._notify()
        try:
            yield stream
        finally:
            stream.closed = True
            await self._notify()

    @property
    def open(self) -> list[FakeStream]:
        return [stream for stream in self.streams if not stream.closed]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(condition)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

"""Requests that a legacy server makes while it works on one of ours, answered as they come."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self, TypeAlias

import structlog

from bascule.gateway.backchannel import CallerRefused, NoAnswer
from bascule.protocol.codes import INTERNAL_ERROR
from bascule.upstreams.mcp.clock import Clock
from bascule.upstreams.mcp.hooks import OnRequest
from bascule.upstreams.mcp.messages import Incoming, encode_answer, encode_refusal, encode_reply

Reply: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Sends a JSON-RPC response to the server."""

_log = structlog.get_logger(__name__)

_MOST_OPEN: Final = 64
_TOGETHER_SECONDS: Final = 0.05


class Questions:
    """Those of one exchange. Each is answered in a task of its own, so none waits for another.

    While one is open, `clock` stands still. Leaving the block drops what is still open: the
    server has answered, or nobody waits for its answer any more.
    """

    def __init__(self, on_request: OnRequest, reply: Reply, clock: Clock) -> None:
        self._on_request = on_request
        self._reply = reply
        self._clock = clock
        self._group = asyncio.TaskGroup()
        self._open: set[asyncio.Task[None]] = set()
        self._asked_at = -math.inf
        self._unanswered = 0

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._open:
            task.cancel()
        try:
            await self._group.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as failures:
            # A group would hide the name of the one failure from those who handle it.
            raise failures.exceptions[0] from None

    @property
    def is_open(self) -> bool:
        """Whether the server waits for an answer."""
        return self._unanswered > 0

    @property
    def asked_just_now(self) -> bool:
        """Whether the last question came within the time in which a call's questions gather."""
        return time.monotonic() - self._asked_at < _TOGETHER_SECONDS

    def take(self, request: Incoming) -> None:
        """Have `request` answered. Never waits."""
        if len(self._open) >= _MOST_OPEN:
            _log.warning("upstream.asks_too_much", method=request.method)
            return
        self._asked_at = time.monotonic()
        task = self._group.create_task(self._answer(request))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _answer(self, request: Incoming) -> None:
        if request.method == "ping":
            await self._reply(encode_reply(request))
            return
        self._clock.pause()
        self._unanswered += 1
        try:
            answer = encode_answer(request, await self._on_request(request))
        except CallerRefused as refusal:
            answer = encode_refusal(request, refusal.code, refusal.message, refusal.data)
        except NoAnswer as reason:
            text = f"nobody answered: {reason or type(reason).__name__}"
            answer = encode_refusal(request, INTERNAL_ERROR, text)
        finally:
            # Before the answer has left: the server may ask on as soon as it has it.
            self._unanswered -= 1
            self._clock.resume()
        await self._reply(answer)

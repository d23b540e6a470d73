"""Requests and responses over one channel that both sides write to, many at a time."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec

from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.asking import Questions
from bascule.upstreams.mcp.clock import Clock
from bascule.upstreams.mcp.failures import failed, rpc_error, timed_out
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.messages import (
    Incoming,
    Outgoing,
    RpcError,
    encode,
    encode_cancelled,
    encode_reply,
)
from bascule.upstreams.mcp.routing import Party, Routing
from bascule.upstreams.mcp.subscribing import Subscription, listen_request


class Way(Protocol):
    """How messages get to the server: the pipe of a child, or the POSTs of a connection."""

    async def send(self, message: bytes) -> None:
        """Send `message`.

        Raises:
            GatewayError: the server cannot take it.
        """
        ...

    def post(self, message: bytes) -> None:
        """Send `message` without waiting; dropped where nobody takes it."""
        ...


class Dialogue:
    """One life of such a channel. A private one carries the requests of a single caller."""

    def __init__(self, name: str, ids: Identifiers, way: Way, *, is_private: bool) -> None:
        self._name = name
        self._ids = ids
        self._way = way
        self._pending: dict[str, asyncio.Future[Incoming]] = {}
        self._ended: str | None = None
        self.routing = Routing(is_private=is_private)

    async def exchange(
        self, request: Outgoing, era: Era, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response.

        Raises:
            UpstreamRpcError: the server answered with an error.
            GatewayError: it ended, or did not answer in time.
        """
        request_id = self._ids.next()
        waiter: asyncio.Future[Incoming] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = waiter
        message = encode(request_id, request, era)
        try:
            if hooks is None or hooks.on_request is None or era is Era.MODERN:
                answer = await self._wait(
                    message, waiter, Party(request.progress_token, hooks), deadline
                )
            else:
                answer = await self._wait_and_answer(message, waiter, request, hooks, deadline)
        except TimeoutError:
            self._cancel(request_id, "the deadline passed")
            raise timed_out(self._name, "waiting for its answer") from None
        except asyncio.CancelledError:
            self._cancel(request_id, "the caller does not wait any longer")
            raise
        finally:
            self._pending.pop(request_id, None)
        if isinstance(answer.error, RpcError):
            raise rpc_error(answer.error.code, answer.error.message, answer.error.data)
        return answer.result_bytes

    async def _wait(
        self, message: bytes, waiter: "asyncio.Future[Incoming]", party: Party, deadline: float
    ) -> Incoming:
        with self.routing.join(party):
            async with asyncio.timeout(deadline - time.monotonic()):
                await self._send(message)
                return await waiter

    async def _wait_and_answer(
        self,
        message: bytes,
        waiter: "asyncio.Future[Incoming]",
        request: Outgoing,
        hooks: Hooks,
        deadline: float,
    ) -> Incoming:
        assert hooks.on_request is not None  # noqa: S101 - asked by the caller
        async with (
            Clock(deadline) as clock,
            Questions(hooks.on_request, self._send, clock) as questions,
        ):
            with self.routing.join(Party(request.progress_token, hooks, questions)):
                await self._send(message)
                return await waiter

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[Subscription]:
        """Hear of changes at a modern server. Raises as `Subscription.opened`."""
        request_id = self._ids.next()
        subscription = Subscription(self._name, on_note)
        self._pending[request_id] = subscription.response
        try:
            with self.routing.subscribe(subscription.take, request_id):
                await self._send(encode(request_id, listen_request(wanted), Era.MODERN))
                await subscription.opened(deadline)
                yield subscription
        finally:
            self._pending.pop(request_id, None)
            if not subscription.response.done():
                self._cancel(request_id, "nobody listens any longer")

    def take(self, message: Incoming, era: Era | None) -> None:
        """Take in a message of the server."""
        if message.is_response:
            waiter = self._pending.get(message.id) if isinstance(message.id, str) else None
            if waiter is not None and not waiter.done():
                waiter.set_result(message)
        elif message.is_request:
            # A modern server asks nothing, so nothing waits for an answer.
            if era is Era.LEGACY and not self.routing.take_request(message):
                self._way.post(encode_reply(message))
        else:
            self.routing.take_note(message)

    def end(self, reason: str) -> None:
        """The channel is gone: every request under way fails."""
        self._ended = reason
        for waiter in self._pending.values():
            if not waiter.done():
                waiter.set_exception(failed(self._name, reason))
                waiter.exception()  # marked as seen: perhaps nobody waits any more

    async def _send(self, message: bytes) -> None:
        if self._ended is not None:
            raise failed(self._name, self._ended)
        await self._way.send(message)

    def _cancel(self, request_id: str, reason: str) -> None:
        if self._ended is None:
            self._way.post(encode_cancelled(request_id, reason))

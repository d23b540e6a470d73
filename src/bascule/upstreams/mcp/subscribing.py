"""How changes at a server are heard of: a listen stream in the modern era, a session before it.

Source: specification 2026-07-28, basic/patterns/subscriptions; 2025-11-25, server/resources
"Subscriptions", and `listChanged` of each capability.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeAlias

import msgspec

from bascule.gateway.capabilities import TASKS_EXTENSION
from bascule.gateway.errors import GatewayError
from bascule.gateway.feed import ListenFilter
from bascule.upstreams.mcp.failures import failed, rpc_error, timed_out
from bascule.upstreams.mcp.hooks import OnNote
from bascule.upstreams.mcp.messages import Incoming, Outgoing, RpcError, member
from bascule.upstreams.mcp.routing import Routing

_ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
_FAREWELL_SECONDS: Final = 1.0
# Servers tell of tasks only to who declares the extension, in this request like in any other.
_KNOWS_TASKS: Final = b'{"extensions":{"%b":{}}}' % TASKS_EXTENSION.encode()

Ask: TypeAlias = Callable[[Outgoing, float], Awaitable[msgspec.Raw | bytes]]
"""Sends a request before a deadline, and gives its result."""


class _Acknowledged(msgspec.Struct):
    notifications: ListenFilter = ListenFilter()


_decode_acknowledged = msgspec.json.Decoder(_Acknowledged).decode


def listen_request(wanted: ListenFilter) -> Outgoing:
    """The request that opens a stream of the modern era."""
    members = member("notifications", wanted)
    if not wanted.task_ids:
        return Outgoing("subscriptions/listen", members)
    return Outgoing("subscriptions/listen", members, capabilities=_KNOWS_TASKS)


class Subscription:
    """One stream of the modern era. `response` is whatever ends it: an answer, or a failure."""

    def __init__(self, name: str, on_note: OnNote) -> None:
        loop = asyncio.get_running_loop()
        self._name = name
        self._on_note = on_note
        self._acknowledged: asyncio.Future[ListenFilter] = loop.create_future()
        self.response: asyncio.Future[Incoming] = loop.create_future()
        self.granted = ListenFilter()

    def take(self, note: Incoming) -> None:
        """Take in a notification of this stream; what comes before the first is not meant."""
        if self._acknowledged.done():
            self._on_note(note)
        elif note.method == _ACKNOWLEDGED:
            params = note.params if isinstance(note.params, msgspec.Raw) else b"{}"
            with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self.granted = _decode_acknowledged(params).notifications
            self._acknowledged.set_result(self.granted)

    def end(self, failure: Exception) -> None:
        """The stream broke."""
        if not self.response.done():
            self.response.set_exception(failure)
            self.response.exception()  # marked as seen: perhaps nobody asks

    async def opened(self, deadline: float) -> None:
        """Wait until the server has acknowledged.

        Raises:
            UpstreamRpcError: it refused.
            GatewayError: it did not answer in time, or not usably.
        """
        left = deadline - time.monotonic()
        waiting = {self._acknowledged, self.response}
        await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if self._acknowledged.done():
            return
        if not self.response.done():
            raise timed_out(self._name, "waiting for its acknowledgement")
        error = self.response.result().error
        if isinstance(error, RpcError):
            raise rpc_error(error.code, error.message, error.data)
        raise failed(self._name, "it ended a subscription before acknowledging it")

    async def ended(self) -> str:
        """Wait for the end; says why it came."""
        try:
            await asyncio.shield(self.response)
        except GatewayError as failure:
            return failure.private
        return "the server ended it"


class LegacySubscription:
    """What a legacy session hears; it ends with the stream that carries it."""

    def __init__(self, granted: ListenFilter, lost: asyncio.Future[str]) -> None:
        self.granted = granted
        self._lost = lost

    async def ended(self) -> str:
        """Wait for the end; says why it came."""
        return await asyncio.shield(self._lost)


class LegacySubscriptions:
    """The subscriptions of one legacy session, counted: listeners come and go in any order."""

    def __init__(self, ask: Ask, routing: Routing, capabilities: bytes) -> None:
        """`capabilities` is what the server advertised, as JSON."""
        self._ask = ask
        self._routing = routing
        self._capabilities = capabilities
        self._counts: Counter[str] = Counter()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def lose(self, reason: str) -> None:
        """Nothing more is heard."""
        if not self.lost.done():
            self.lost.set_result(reason)

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[LegacySubscription]:
        """Hear of what the server tells, of all that is `wanted`.

        Raises:
            GatewayError: the server cannot be spoken to. A URI it refuses is just not granted.
        """
        held: list[str] = []
        with self._routing.subscribe(on_note):
            try:
                await self._subscribe(wanted, deadline, held)
                yield LegacySubscription(self._granted(wanted, tuple(held)), self.lost)
            finally:
                await self._unsubscribe(held)

    async def _subscribe(self, wanted: ListenFilter, deadline: float, held: list[str]) -> None:
        if not _has(self._capabilities, "resources", "subscribe"):
            return
        for uri in wanted.resource_subscriptions:
            if not self._counts[uri]:
                try:
                    await self._ask(_about("resources/subscribe", uri), deadline)
                except GatewayError as failure:
                    if "rpc_code" not in failure.details:
                        raise
                    continue
            self._counts[uri] += 1
            held.append(uri)

    async def _unsubscribe(self, held: list[str]) -> None:
        deadline = time.monotonic() + _FAREWELL_SECONDS
        for uri in held:
            self._counts[uri] -= 1
            if not self._counts[uri]:
                del self._counts[uri]
                if not self.lost.done():
                    with suppress(GatewayError):
                        await self._ask(_about("resources/unsubscribe", uri), deadline)

    def _granted(self, wanted: ListenFilter, uris: tuple[str, ...]) -> ListenFilter:
        def both(kind: str, *, asked: bool) -> bool:
            return asked and _has(self._capabilities, kind, "listChanged")

        return ListenFilter(
            tools_list_changed=both("tools", asked=wanted.tools_list_changed),
            prompts_list_changed=both("prompts", asked=wanted.prompts_list_changed),
            resources_list_changed=both("resources", asked=wanted.resources_list_changed),
            resource_subscriptions=uris,
        )


def _about(method: str, uri: str) -> Outgoing:
    return Outgoing(method, member("uri", uri))


def _has(capabilities: bytes, kind: str, feature: str) -> bool:
    members: dict[str, Any] = msgspec.json.decode(capabilities, type=dict[str, Any])
    offered = members.get(kind)
    return isinstance(offered, dict) and offered.get(feature) is True  # pyright: ignore[reportUnknownMemberType]

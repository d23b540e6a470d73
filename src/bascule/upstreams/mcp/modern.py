"""Streamable HTTP of the modern era: every request stands alone.

Source: specification 2026-07-28, basic/transports/streamable-http.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import msgspec

from bascule.gateway.errors import GatewayError
from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.protocol import codes
from bascule.protocol.headers import encode_value
from bascule.protocol.versions import MODERN_VERSION, Era
from bascule.upstreams.http1 import ResponseStream, prepare_headers
from bascule.upstreams.mcp.answers import Answer, Listener
from bascule.upstreams.mcp.chores import Chores
from bascule.upstreams.mcp.described import Described, describe
from bascule.upstreams.mcp.endpoint import Endpoint, Headers
from bascule.upstreams.mcp.failures import EraMismatch, failed, rpc_error, timed_out
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.messages import Outgoing, RpcError, encode
from bascule.upstreams.mcp.subscribing import Subscription, listen_request
from bascule.upstreams.mcp.versions import MODERN_ERRORS, NoCommonVersion, era_of

_DISCOVER: Final = Outgoing("server/discover")


class ModernHttp:
    """Speaks the modern era with one endpoint. Closing a stream is how a request is cancelled."""

    def __init__(self, endpoint: Endpoint, ids: Identifiers, chores: Chores) -> None:
        """`chores` own the streams that are listened to."""
        self._endpoint = endpoint
        self._ids = ids
        self._chores = chores
        self._prepared: dict[str, bytes] = {}
        self._described: Described | None = None
        self.era: Era | None = Era.MODERN

    async def probe(self, deadline: float) -> Era:
        """Ask the server who it is; the way it answers, or fails to, tells its era.

        Raises:
            GatewayError: it could not be reached, refuses this gateway, or has no common version.
        """
        request_id = self._ids.next()
        answer = await self._post(request_id, _DISCOVER, deadline)
        failure = self._endpoint.failure_of(answer)
        message = answer.message
        self._described = None
        if failure is not None and not _is_modern_error(answer, request_id):
            raise failure
        if message is None:
            return Era.LEGACY
        if answer.status != 200 and _is_modern_error(answer, request_id):
            error = message.error
            if isinstance(error, RpcError) and error.code == codes.METHOD_NOT_FOUND:
                return Era.MODERN
        try:
            era = era_of(message)
        except NoCommonVersion as refusal:
            raise failed(self._endpoint.name, f"{refusal}, which is not spoken here") from None
        self._described = describe(message, era)
        return era

    async def describe(self, deadline: float) -> Described:
        """What the server said about itself when it was probed."""
        return self._described or Described(Era.MODERN, MODERN_VERSION)

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response.

        Raises:
            UpstreamRpcError: the server answered with an error.
            EraMismatch: the server does not speak this era; nothing was executed.
            GatewayError: as `Endpoint.post`, and for statuses that mean failure.
        """
        request_id = self._ids.next()
        listener = None if hooks is None else Listener(hooks.on_note, None, hooks.drained)
        answer = await self._post(request_id, request, deadline, listener)
        message = answer.message
        if message is not None and isinstance(message.error, RpcError):
            error = message.error
            if error.code == codes.UNSUPPORTED_VERSION:
                raise EraMismatch(f"it refused version {MODERN_VERSION}")
            if answer.answers(request_id) or error.code in MODERN_ERRORS:
                raise rpc_error(error.code, error.message, error.data)
        elif answer.status == 200 and answer.answers(request_id) and message is not None:
            return message.result_bytes
        failure = self._endpoint.failure_of(answer)
        if failure is not None:
            raise failure
        if answer.status >= 400:
            raise EraMismatch(f"it answered with status {answer.status} and no modern error")
        raise failed(self._endpoint.name, f"status {answer.status} came without a response")

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[Subscription]:
        """Hear of changes while the block lasts. Raises as `Subscription.opened`."""
        request_id = self._ids.next()
        request = listen_request(wanted)
        body = encode(request_id, request, Era.MODERN)
        subscription = Subscription(self._endpoint.name, on_note)
        async with AsyncExitStack() as stack:
            stream = self._endpoint.open(body, _standard_headers(request.method))
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    response = await stack.enter_async_context(stream)
            except TimeoutError:
                raise timed_out(self._endpoint.name, "opening a subscription") from None
            task = self._chores.start(self._follow(response, request_id, subscription))
            if task is not None:
                stack.callback(task.cancel)
            await subscription.opened(deadline)
            yield subscription

    async def close(self) -> None:
        """Nothing is kept between requests."""

    async def _follow(
        self, response: ResponseStream, request_id: str, subscription: Subscription
    ) -> None:
        """Read a stream to its end, whatever that is."""
        listener = Listener(subscription.take)
        try:
            answer = await self._endpoint.reader.read(response, request_id, listener)
        except GatewayError as failure:
            subscription.end(failure)
            return
        if answer.message is not None:
            subscription.response.set_result(answer.message)
        else:
            reason = f"its stream of changes ended (status {answer.status})"
            failure = self._endpoint.failure_of(answer)
            subscription.end(failure or failed(self._endpoint.name, reason))

    async def _post(
        self, request_id: str, request: Outgoing, deadline: float, listener: Listener | None = None
    ) -> Answer:
        method = request.method
        prepared = self._prepared.get(method)
        if prepared is None:
            prepared = self._prepared[method] = prepare_headers(_standard_headers(method))
        headers = request.headers + request.mirrored
        if request.name is not None:
            headers += (("mcp-name", encode_value(request.name)),)
        body = encode(request_id, request, Era.MODERN)
        prepared += request.prepared
        return await self._endpoint.post(body, headers, request_id, deadline, listener, prepared)


def _standard_headers(method: str) -> Headers:
    return (("mcp-protocol-version", MODERN_VERSION), ("mcp-method", method))


def _is_modern_error(answer: Answer, request_id: str) -> bool:
    """Whether the body is an error that only a modern server sends with this status."""
    message = answer.message
    if message is None or not isinstance(message.error, RpcError):
        return False
    if message.error.code in MODERN_ERRORS:
        return True
    # A modern server says 404 for a method it lacks, and echoes the id; a legacy one says 404
    # for a path or a session it does not know.
    unknown_method = message.error.code == codes.METHOD_NOT_FOUND
    return answer.status == 404 and unknown_method and answer.answers(request_id)

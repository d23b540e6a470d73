"""Streamable HTTP of the legacy era: a handshake, then requests within a session.

Source: specification 2025-11-25, basic/transports and basic/lifecycle.
"""

import asyncio
import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import msgspec

from bascule.gateway.errors import GatewayError, UpstreamTimeout
from bascule.gateway.identifiers import Identifiers
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.answers import Answer, Listener
from bascule.upstreams.mcp.asking import Questions
from bascule.upstreams.mcp.clock import Clock
from bascule.upstreams.mcp.described import Described, describe
from bascule.upstreams.mcp.endpoint import Endpoint, Headers
from bascule.upstreams.mcp.failures import (
    EraMismatch,
    NotStreamable,
    failed,
    rpc_error,
    timed_out,
)
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.messages import (
    INITIALIZED,
    Incoming,
    Outgoing,
    RpcError,
    encode,
    encode_cancelled,
    encode_initialize,
    encode_reply,
)
from bascule.upstreams.mcp.routing import Party, Routing
from bascule.upstreams.mcp.versions import NoCommonVersion, legacy_version

_FAREWELL_SECONDS: Final = 0.5
_REPLY_SECONDS: Final = 10.0
_MOST_RESUMPTIONS: Final = 100
# 2025-11-25 basic/transports "Backwards Compatibility": the answers of a server that has no such
# endpoint, but may have the one of the first revision.
_NOT_STREAMABLE: Final = frozenset({400, 404, 405})


class SessionLost(Exception):
    """The server does not know the session any more; the request was not executed."""


@dataclass(frozen=True, slots=True)
class Session:
    """A finished handshake. `id` is None where the server keeps no session.

    `routing` knows what is under way in it.
    """

    version: str
    id: str | None
    described: Described = field(default=Described(Era.LEGACY, ""), compare=False)
    routing: Routing = field(default_factory=lambda: Routing(is_private=True), compare=False)

    @property
    def headers(self) -> Headers:
        """What every message within the session carries."""
        version = (("mcp-protocol-version", self.version),)
        return version if self.id is None else (*version, ("mcp-session-id", self.id))


class LegacyHttp:
    """Speaks the legacy era with one endpoint, in sessions the caller keeps."""

    def __init__(self, endpoint: Endpoint, ids: Identifiers) -> None:
        self._endpoint = endpoint
        self._ids = ids

    async def initialize(self, deadline: float, capabilities: bytes = b"{}") -> Session:
        """Shake hands; `capabilities` are what the server may ask for, as JSON.

        Raises:
            NotStreamable: the server may be one of the first revision.
            EraMismatch: the server does not take part in the handshake.
            GatewayError: as `Endpoint.post`, and where there is no common version.
        """
        request_id = self._ids.next()
        body = encode_initialize(request_id, capabilities)
        answer = await self._endpoint.post(body, (), request_id, deadline)
        failure = self._endpoint.failure_of(answer)
        if failure is not None:
            raise failure
        message = answer.message
        if message is None or answer.status != 200 or isinstance(message.error, RpcError):
            kind = NotStreamable if answer.status in _NOT_STREAMABLE else EraMismatch
            raise kind(f"it answered initialize with status {answer.status} and no result")
        try:
            version = legacy_version(message)
            described = describe(message, Era.LEGACY, version)
            session = Session(version, answer.session_id, described)
        except NoCommonVersion as refusal:
            raise failed(self._endpoint.name, f"{refusal}, which is not spoken here") from None
        except ValueError as refusal:
            raise failed(self._endpoint.name, str(refusal)) from None
        await self._endpoint.notify(INITIALIZED, session.headers, deadline)
        return session

    async def exchange(
        self, session: Session, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` within `session` and give the `result` of its response.

        A disconnect does not cancel here, so the server is told when nobody waits any more.

        Raises:
            SessionLost: initialize again, then the request may be sent again.
            EraMismatch: the server answered as none of this era does; nothing was executed.
            UpstreamRpcError: the server answered with an error.
            GatewayError: as `Endpoint.post`, and for statuses that mean failure.
        """
        request_id = self._ids.next()
        try:
            if hooks is None or hooks.on_request is None:
                answer = await self._ask(session, request_id, request, deadline, hooks)
            else:
                answer = await self._ask_and_answer(session, request_id, request, deadline, hooks)
        except TimeoutError:
            await self._say_farewell(session, request_id, "the deadline passed")
            raise timed_out(self._endpoint.name, "waiting for its answer") from None
        except UpstreamTimeout:
            await self._say_farewell(session, request_id, "the deadline passed")
            raise
        except asyncio.CancelledError:
            await self._say_farewell(session, request_id, "the caller does not wait any longer")
            raise
        return self._result_of(answer, request_id, session)

    async def reply(self, session: Session, message: bytes) -> None:
        """Send a message that has no response within `session`."""
        deadline = time.monotonic() + _REPLY_SECONDS
        await self._endpoint.notify(message, session.headers, deadline)

    async def refuse(self, session: Session, request: Incoming) -> None:
        """Answer a request that nobody here answers."""
        await self.reply(session, encode_reply(request))

    async def end(self, session: Session) -> None:
        """Tell the server that the session is over; that it may not listen is no failure."""
        if session.id is not None:
            with suppress(GatewayError):
                deadline = time.monotonic() + _FAREWELL_SECONDS
                await self._endpoint.delete(session.headers, deadline)

    async def _ask(
        self,
        session: Session,
        request_id: str,
        request: Outgoing,
        deadline: float,
        hooks: Hooks | None,
    ) -> Answer:
        async def refuse(incoming: Incoming) -> None:
            await self.refuse(session, incoming)

        listener = Listener(None, refuse)
        if hooks is not None:
            listener = Listener(hooks.on_note, refuse, hooks.drained)
        body = encode(request_id, request, Era.LEGACY)
        headers = session.headers + request.headers
        with session.routing.join(Party(request.progress_token, hooks)):
            answer = await self._endpoint.post(
                body, headers, request_id, deadline, listener, request.prepared
            )
            return await self._to_the_end(session, answer, request_id, deadline, listener)

    async def _ask_and_answer(
        self,
        session: Session,
        request_id: str,
        request: Outgoing,
        deadline: float,
        hooks: Hooks,
    ) -> Answer:
        assert hooks.on_request is not None  # noqa: S101 - asked by the caller

        async def reply(message: bytes) -> None:
            await self.reply(session, message)

        async with (
            Clock(deadline) as clock,
            Questions(hooks.on_request, reply, clock) as questions,
        ):

            async def take(incoming: Incoming) -> None:
                questions.take(incoming)

            listener = Listener(hooks.on_note, take, hooks.drained)
            body = encode(request_id, request, Era.LEGACY)
            headers = session.headers + request.headers
            with session.routing.join(Party(request.progress_token, hooks, questions)):
                answer = await self._endpoint.converse(body, headers, request_id, listener)
                return await self._to_the_end(session, answer, request_id, math.inf, listener)

    async def _to_the_end(
        self,
        session: Session,
        answer: Answer,
        request_id: str,
        deadline: float,
        listener: Listener,
    ) -> Answer:
        """Take up the stream as often as it is interrupted, until the response has come."""
        for _ in range(_MOST_RESUMPTIONS):
            if answer.resumption is None:
                return answer
            pause = answer.resumption.retry_ms / 1000
            if time.monotonic() + pause >= deadline:
                raise timed_out(self._endpoint.name, "its event stream was interrupted")
            await asyncio.sleep(pause)
            headers = (*session.headers, ("last-event-id", answer.resumption.last_event_id))
            answer = await self._endpoint.resume(headers, request_id, deadline, listener)
        raise failed(self._endpoint.name, "its event stream ended too often without the response")

    async def _say_farewell(self, session: Session, request_id: str, reason: str) -> None:
        with suppress(GatewayError):
            body = encode_cancelled(request_id, reason)
            farewell = time.monotonic() + _FAREWELL_SECONDS
            await self._endpoint.notify(body, session.headers, farewell)

    def _result_of(self, answer: Answer, request_id: str, session: Session) -> msgspec.Raw | bytes:
        message = answer.message
        if message is not None and answer.answers(request_id):
            if isinstance(message.error, RpcError):
                raise rpc_error(message.error.code, message.error.message, message.error.data)
            if answer.status == 200:
                return message.result_bytes
        failure = self._endpoint.failure_of(answer)
        if failure is not None:
            raise failure
        if session.id is not None and answer.status in {400, 404}:
            # The specification says 404; widespread servers say 400 for a session they lost.
            raise SessionLost
        if answer.status >= 400:
            raise EraMismatch(f"it answered with status {answer.status} and no response")
        raise failed(self._endpoint.name, f"status {answer.status} came without a response")

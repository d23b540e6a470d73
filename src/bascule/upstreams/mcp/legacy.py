"""Streamable HTTP of the legacy era: a handshake, then requests within a session.

Source: specification 2025-11-25, basic/transports and basic/lifecycle.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from bascule.gateway.errors import GatewayError, UpstreamTimeout
from bascule.gateway.identifiers import Identifiers
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.answers import Answer, OnRequest
from bascule.upstreams.mcp.endpoint import Endpoint, Headers
from bascule.upstreams.mcp.failures import EraMismatch, failed, rpc_error, timed_out
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
from bascule.upstreams.mcp.versions import NoCommonVersion, legacy_version

_FAREWELL_SECONDS: Final = 0.5
_MOST_RESUMPTIONS: Final = 100


class SessionLost(Exception):
    """The server does not know the session any more; the request was not executed."""


@dataclass(frozen=True, slots=True)
class Session:
    """A finished handshake. `id` is None where the server keeps no session."""

    version: str
    id: str | None

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

    async def initialize(self, deadline: float) -> Session:
        """Shake hands.

        Raises:
            EraMismatch: the server does not take part in the handshake.
            GatewayError: as `Endpoint.post`, and where there is no common version.
        """
        request_id = self._ids.next()
        answer = await self._endpoint.post(
            encode_initialize(request_id), (), request_id, deadline, _ignore
        )
        failure = self._endpoint.failure_of(answer)
        if failure is not None:
            raise failure
        message = answer.message
        if message is None or answer.status != 200 or isinstance(message.error, RpcError):
            raise EraMismatch(f"it answered initialize with status {answer.status} and no result")
        try:
            session = Session(legacy_version(message), answer.session_id)
        except NoCommonVersion as refusal:
            raise failed(self._endpoint.name, f"{refusal}, which is not spoken here") from None
        except ValueError as refusal:
            raise failed(self._endpoint.name, str(refusal)) from None
        await self._endpoint.notify(INITIALIZED, session.headers, deadline)
        return session

    async def exchange(
        self, session: Session, request: Outgoing, deadline: float
    ) -> msgspec.Raw | bytes:
        """Send `request` within `session` and give the `result` of its response.

        A disconnect does not cancel here, so the server is told when nobody waits any more.

        Raises:
            SessionLost: initialize again, then the request may be sent again.
            UpstreamRpcError: the server answered with an error.
            EraMismatch: the server does not speak this era; nothing was executed.
            GatewayError: as `Endpoint.post`, and for statuses that mean failure.
        """
        request_id = self._ids.next()
        try:
            answer = await self._ask(session, request_id, request, deadline)
        except (asyncio.CancelledError, UpstreamTimeout):
            with suppress(GatewayError):
                body = encode_cancelled(request_id, "the caller does not wait any longer")
                farewell = time.monotonic() + _FAREWELL_SECONDS
                await self._endpoint.notify(body, session.headers, farewell)
            raise
        return self._result_of(answer, request_id, session)

    async def end(self, session: Session) -> None:
        """Tell the server that the session is over; that it may not listen is no failure."""
        if session.id is not None:
            with suppress(GatewayError):
                deadline = time.monotonic() + _FAREWELL_SECONDS
                await self._endpoint.delete(session.headers, deadline)

    async def _ask(
        self, session: Session, request_id: str, request: Outgoing, deadline: float
    ) -> Answer:
        async def reply(incoming: Incoming) -> None:
            await self._endpoint.notify(encode_reply(incoming), session.headers, deadline)

        body = encode(request_id, request, Era.LEGACY)
        headers = session.headers + request.headers
        answer = await self._endpoint.post(body, headers, request_id, deadline, reply)
        for _ in range(_MOST_RESUMPTIONS):
            if answer.resumption is None:
                return answer
            answer = await self._resume(session, answer, request_id, deadline, reply)
        raise failed(self._endpoint.name, "its event stream ended too often without the response")

    async def _resume(
        self,
        session: Session,
        answer: Answer,
        request_id: str,
        deadline: float,
        on_request: OnRequest,
    ) -> Answer:
        assert answer.resumption is not None  # noqa: S101 - asked by the caller
        pause = answer.resumption.retry_ms / 1000
        if time.monotonic() + pause >= deadline:
            raise timed_out(self._endpoint.name, "its event stream was interrupted")
        await asyncio.sleep(pause)
        headers = (*session.headers, ("last-event-id", answer.resumption.last_event_id))
        return await self._endpoint.resume(headers, request_id, deadline, on_request)

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


async def _ignore(_: Incoming) -> None:
    """Requests during the handshake cannot be answered: there is no session yet."""

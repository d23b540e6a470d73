"""Streamable HTTP of the handshake era: sessions, batches, answers to questions.

Sources: specification 2025-11-25 basic/transports and basic/lifecycle; 2025-03-26 basic.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

import msgspec
from msgspec import UNSET

from bascule.gateway.call import Call, Method, Result
from bascule.gateway.dispatch import unknown_session
from bascule.gateway.errors import ErrorCode
from bascule.gateway.kernel import Answer, Gateway, Renderer
from bascule.gateway.session import Session
from bascule.gateway.state import StateUnavailable
from bascule.gateway.verdict import Refuse
from bascule.protocol.messages import Message
from bascule.protocol.notices import CANCELLED
from bascule.protocol.versions import ASSUMED_LEGACY_VERSION, Era
from bascule.transports.backchannels import LazyStream
from bascule.transports.batches import MOST_MESSAGES, answer_all, looks_like_batch, split
from bascule.transports.listening import Listening
from bascule.transports.outlet import Outlet
from bascule.transports.reading import header_version, read_call
from bascule.transports.reply import Head, Reply, reply_to
from bascule.transports.session_streams import SessionStreams, new_stream
from bascule.transports.sessions import Sessions
from bascule.transports.sse import SSE_HEADERS, KeepAlive

SESSION_ID: Final = b"mcp-session-id"
LAST_EVENT_ID: Final = b"last-event-id"

_NEEDS_SESSION: Final = frozenset(
    {
        Method.SUBSCRIBE,
        Method.UNSUBSCRIBE,
        Method.SET_LEVEL,
        Method.RESPONSE,
        Method.STREAM,
        Method.END,
    }
)
# Over at once, with nothing to tell before.
_NEVER_STREAMED: Final = frozenset(
    {Method.INITIALIZE, Method.PING, Method.SET_LEVEL, Method.NOTIFICATION, Method.RESPONSE}
)

NewCall = Callable[[Head], Call]
"""Makes the call for a request with this head."""


class LegacyHttp:
    """Answers what belongs to the handshake era; without `sessions`, each request by itself."""

    def __init__(
        self,
        gateway: Gateway,
        render: Renderer,
        new_call: NewCall,
        keep_alive: KeepAlive,
        sessions: Sessions | None,
    ) -> None:
        self._gateway = gateway
        self._render = render
        self._new_call = new_call
        self._sessions = sessions
        self._keep_alive = keep_alive
        self._listening = Listening()

    def drain(self) -> None:
        """End the streams that wait for changes, and the calls that wait for answers."""
        self._listening.drain()
        if self._sessions is not None:
            self._sessions.questions.close_all()

    async def post(
        self, call: Call, message: Message | None, head: Head, body: bytes, outlet: Outlet
    ) -> Reply | None:
        """Answer a POST that was read into `call`; its disconnect does not cancel it."""
        session = await self._join(call, head)
        if message is None and looks_like_batch(body) and _takes_batches(call, head, session):
            return await self._batch(call, head, body)
        if (
            session is None
            or self._sessions is None
            or call.fault is not None
            or call.method in _NEVER_STREAMED
            or not head.accepts_events
        ):
            return await self._whole(call, message, session, body)
        return await self._streamed(call, session, self._sessions, outlet)

    async def stream(
        self, head: Head, watch: AbstractContextManager[object], outlet: Outlet
    ) -> Reply | None:
        """Answer a GET: None where everything was said through `outlet`, or nobody is left."""
        call = self._call_of(Method.STREAM, head)
        session = await self._join(call, head)
        with watch:
            answer = await self._gateway.handle(call, self._render)
            if session is None or self._sessions is None or not isinstance(answer.outcome, Result):
                return reply_to(call, answer)
            streams = SessionStreams(self._sessions, self._keep_alive, self._listening)
            last, feed = head.headers.get(LAST_EVENT_ID), answer.outcome.feed
            try:
                refusal = await streams.serve(call, session, last, feed, outlet)
            except StateUnavailable as failure:
                refusal = _refusal(failure)
            return None if refusal is None or outlet.begun else self._refused(call, refusal)
        return None

    async def end(self, head: Head) -> Reply:
        """Answer a DELETE: end the session, its calls and its streams."""
        call = self._call_of(Method.END, head)
        session = await self._join(call, head)
        answer = await self._gateway.handle(call, self._render)
        if session is None or self._sessions is None or not isinstance(answer.outcome, Result):
            return reply_to(call, answer)
        try:
            if await self._sessions.end(session):
                return Reply(204, b"", [])
        except StateUnavailable as failure:
            return self._refused(call, _refusal(failure))
        return self._refused(call, unknown_session("the session has ended"))

    # Sessions.

    async def _join(self, call: Call, head: Head) -> Session | None:
        """Make `call` one of the session its head names; what is wrong with that is a fault."""
        token = head.headers.get(SESSION_ID)
        if call.method is Method.INITIALIZE:
            return None
        if token is None or self._sessions is None:
            if call.method in _NEEDS_SESSION and call.fault is None:
                call.fault = _NO_SESSION
            return None
        try:
            return await _enter(self._sessions, call, token.decode("latin-1"), head)
        except StateUnavailable as failure:
            call.fault = _refusal(failure)
            return None

    async def _whole(
        self, call: Call, message: Message | None, session: Session | None, body: bytes
    ) -> Reply:
        """Answer at once; then do what the message asks of the transport."""
        answer = await self._gateway.handle(call, self._render)
        reply = reply_to(call, answer)
        sessions, principal = self._sessions, call.principal
        if sessions is None or principal is None or not isinstance(answer.outcome, Result):
            return reply
        if call.method is Method.INITIALIZE:
            session_id = (SESSION_ID, sessions.begin(call, principal).encode())
            return Reply(reply.status, reply.body, [*reply.headers, session_id])
        if session is None or message is None:
            return reply
        try:
            await _act(sessions, session, call, message, body)
        except StateUnavailable as failure:
            return self._refused(call, _refusal(failure))
        return reply

    async def _streamed(
        self, call: Call, session: Session, sessions: Sessions, outlet: Outlet
    ) -> Reply | None:
        """Answer a call that may tell and ask its caller something before its result."""
        stream = new_stream(sessions, session, call, outlet, self._keep_alive)
        stream.opens_by_itself = True
        ask = partial(sessions.questions.ask, session.session_id)
        back = LazyStream(call, stream, ask if session.capabilities.can_be_asked else None)
        call.back = back
        try:
            with sessions.running(session, call.message_id):
                answer = await self._gateway.handle(call, self._render)
                return back.conclude(reply_to(call, answer))
            if not outlet.begun:
                # Cancelled by its client: no response follows, but the HTTP request must end.
                outlet.begin(200, SSE_HEADERS)
                outlet.end()
            return None
        finally:
            back.give_up()

    # Batches.

    async def _batch(self, call: Call, head: Head, body: bytes) -> Reply:
        members = split(body)
        if members is not None:
            return await answer_all(members, partial(self._member, head))
        call.fault = Refuse(
            ErrorCode.INVALID_REQUEST,
            f"A batch has 1 to {MOST_MESSAGES} messages.",
            "an empty or too large batch",
        )
        return reply_to(call, await self._gateway.handle(call, self._render))

    async def _member(self, head: Head, body: bytes) -> Reply | None:
        """Answer one message of a batch; it can be cancelled, but not ask anything."""
        call = self._new_call(head)
        call.request_bytes = len(body)
        message = read_call(call, body, head.headers, head.all_headers)
        if call.method is Method.INITIALIZE or call.era is Era.MODERN:
            call.method, call.era = Method.MALFORMED, Era.LEGACY
            call.fault = _NOT_IN_A_BATCH
        session = await self._join(call, head)
        if session is None or self._sessions is None or call.message_id is None:
            return await self._whole(call, message, session, body)
        with self._sessions.running(session, call.message_id):
            return await self._whole(call, message, session, body)
        return None

    def _call_of(self, method: Method, head: Head) -> Call:
        call = self._new_call(head)
        call.method = method
        call.era = Era.LEGACY
        call.version = header_version(head.headers) or ASSUMED_LEGACY_VERSION
        return call

    def _refused(self, call: Call, refusal: Refuse) -> Reply:
        return reply_to(call, Answer(self._render(call, refusal), refusal))


async def _act(
    sessions: Sessions, session: Session, call: Call, message: Message, body: bytes
) -> None:
    """Do what a message without an answer asks for."""
    if call.method is Method.RESPONSE:
        await sessions.questions.take(session.session_id, message, body)
    elif call.method is Method.NOTIFICATION and message.method == CANCELLED:
        params = message.params
        if params is not UNSET and params.request_id is not UNSET:
            await sessions.cancel(session, params.request_id)


def _refusal(failure: StateUnavailable) -> Refuse:
    return Refuse(failure.error, failure.public, failure.private)


def _takes_batches(call: Call, head: Head, session: Session | None) -> bool:
    """Whether the array in the body, well-formed as JSON, may be a batch."""
    if call.fault is None or call.fault.error is not ErrorCode.INVALID_REQUEST:
        return False
    version = header_version(head.headers) or ASSUMED_LEGACY_VERSION
    return (session.version if session is not None else version) == ASSUMED_LEGACY_VERSION


async def _enter(sessions: Sessions, call: Call, token: str, head: Head) -> Session | None:
    session = sessions.find(token, call.endpoint)
    standing = await sessions.standings.find(session) if session is not None else None
    if session is None or standing is None:
        call.fault = unknown_session("no such session at this endpoint, or it has ended")
        return None
    version = header_version(head.headers)
    if version and version != session.version and call.fault is None:
        call.fault = Refuse(
            ErrorCode.INVALID_REQUEST,
            f"MCP-Protocol-Version must be {session.version}, as this session agreed on.",
            "another version than the session's",
        )
    call.version = session.version
    call.capabilities = session.capabilities
    call.agent = session.agent or call.agent
    call.more = msgspec.structs.replace(call.more, session=session, log_level=standing.level)
    return session


_NO_SESSION: Final = Refuse(
    ErrorCode.SESSION_REQUIRED,
    "This needs a session: send initialize first, then its Mcp-Session-Id with every request.",
    "no session id came with it",
)
_NOT_IN_A_BATCH: Final = Refuse(
    ErrorCode.INVALID_REQUEST,
    "initialize, and requests of other revisions, cannot be part of a batch.",
    "not for a batch",
)

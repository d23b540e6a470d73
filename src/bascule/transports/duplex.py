"""One conversation in JSON-RPC over a channel that all its messages share, in both eras.

The channel is a WebSocket, a pair of pipes, or a stream with POSTs beside it; framing is theirs.
Sources: specification 2026-07-28, basic/transports/stdio, basic/patterns/cancellation and
basic/patterns/subscriptions; 2025-11-25 basic/lifecycle.
"""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from msgspec import UNSET

from bascule.gateway.call import Call, Method, Result
from bascule.gateway.errors import ErrorCode
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.kernel import Answer, Gateway
from bascule.gateway.session import Session
from bascule.gateway.verdict import Refuse
from bascule.protocol.levels import USUAL_LEVEL
from bascule.protocol.messages import MalformedMessage, Message, MessageId, decode
from bascule.protocol.notices import CANCELLED
from bascule.protocol.results import Identity
from bascule.protocol.versions import LATEST_LEGACY_VERSION, Era
from bascule.transports import feeding, objections
from bascule.transports.channel import Caller, DuplexConfig, agreed, join
from bascule.transports.interim import Interim
from bascule.transports.likeness import headers_like, looks_modern
from bascule.transports.open_questions import OpenQuestions
from bascule.transports.outbox import Outbox
from bascule.transports.reading import read_call
from bascule.transports.rendering import renderer
from bascule.transports.room import Room

_log = structlog.get_logger(__name__)

_NOT_ADMITTED: Final = frozenset(
    {ErrorCode.AUTH_REQUIRED, ErrorCode.INVALID_TOKEN, ErrorCode.TOKEN_EXPIRED}
)


@dataclass(slots=True)
class _Running:
    """A request under way; `listens` once it is over but for the changes that follow."""

    call: Call
    task: asyncio.Task[None] | None = None
    listens: bool = False


class Duplex:
    """Takes messages in with `take`; what is to be sent comes out of `outbox`.

    Made and closed by who owns the channel: `close` cancels what is still under way.
    `outbox` closes when the conversation is over.
    """

    def __init__(
        self, gateway: Gateway, identity: Identity, caller: Caller, config: DuplexConfig
    ) -> None:
        self._gateway = gateway
        self._identity = identity
        self._render = renderer(identity)
        self._caller = caller
        self._config = config
        self._ids = Identifiers()
        self.outbox = Outbox()
        self._questions = OpenQuestions(self.outbox.put)
        self._room = Room(config.most_calls)
        self._running: dict[MessageId, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: Session | None = None
        self._level = USUAL_LEVEL
        self._stream: asyncio.Task[None] | None = None
        self._draining = False
        self._closed = False
        self.refused: ErrorCode | None = None
        """Set once the caller is not admitted any longer; the outbox is then closed, too."""

    # What the channel does.

    async def take(self, raw: bytes, caller: Caller | None = None) -> None:
        """Take in one message; waits while there is no room for another request.

        `caller` where the message did not come over the channel itself. One message at a time, but
        for those that need no room: who has several at hand may take in an answer while a request
        waits.
        """
        call = self._call(raw, caller or self._caller)
        if len(raw) > self._config.max_message_bytes:
            call.fault = objections.too_large(self._config.max_message_bytes)
            await self._answer_at_once(call)
            return
        try:
            message = decode(raw)
        except MalformedMessage:
            read_call(call, raw, {}, ())
            await self._answer_at_once(call)
            return
        if message.method is UNSET or message.id is UNSET:
            await self._take_unanswered(call, message)
        else:
            await self._take_request(call, raw, message)

    def drain(self) -> None:
        """Begin nothing more, end the subscriptions, and be over with the last call."""
        self._draining = True
        if self._stream is not None:
            self._stream.cancel()
        for running in self._running.values():
            if running.listens and running.task is not None:
                running.task.cancel()
        self._end_if_idle()

    async def close(self) -> None:
        """End the conversation: cancel its calls, and wait until they are recorded as such."""
        self._closed = True
        self.outbox.close()
        self._questions.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        session, self._session = self._session, None
        if session is not None:
            await self._handle(self._internal(Method.END, session))

    # Messages without an answer.

    async def _take_unanswered(self, call: Call, message: Message) -> None:
        # Identified like all others, so that a withdrawn key cannot even answer a question.
        call.method = Method.NOTIFICATION
        if isinstance((await self._handle(call)).outcome, Refuse):
            return
        if message.method is UNSET:
            if not self._questions.take(message):
                _log.info("channel.answer_not_awaited", correlation_id=call.correlation_id)
        elif message.method == CANCELLED and message.params is not UNSET:
            request_id = message.params.request_id
            if request_id is not UNSET:
                self._cancel(request_id)
        elif message.method == "notifications/initialized" and self._session is not None:
            self._open_stream(self._session)

    def _cancel(self, request_id: MessageId) -> None:
        running = self._running.get(request_id)
        if running is None:
            return
        if running.task is None:
            del self._running[request_id]
        else:
            running.task.cancel()

    # Requests.

    async def _take_request(self, call: Call, raw: bytes, message: Message) -> None:
        self._read(call, raw, message)
        if call.method in {Method.MALFORMED, Method.INITIALIZE, Method.PING}:
            await self._answer_at_once(call)
            return
        running = self._running[call.message_id] = _Running(call)
        try:
            await self.outbox.drained()
            await self._room.enter()
        except asyncio.CancelledError:
            self._let_go(running)
            raise
        if self._closed or self._running.get(call.message_id) is not running:
            self._room.leave()  # closed, or cancelled, while it waited
            return
        running.task = self._spawn(self._run(running))
        running.task.add_done_callback(lambda _: self._finish(running))

    def _read(self, call: Call, raw: bytes, message: Message) -> None:
        session = self._session
        headers = headers_like(message, session.version if session else LATEST_LEGACY_VERSION)
        if not looks_modern(headers):
            join(call, session)
        read_call(call, raw, headers, tuple(headers.items()))
        # Only HTTP repeats arguments in headers; here there is nothing to compare them with.
        call.headers = None
        join(call, session if call.era is Era.LEGACY else None)
        if call.fault is not None and call.fault.error is ErrorCode.HEADER_MISMATCH:
            call.fault = objections.NOT_PLAIN
        call.fault = call.fault or self._objection(call)
        if call.fault is not None:
            call.method = Method.MALFORMED

    def _objection(self, call: Call) -> Refuse | None:
        """What is wrong with a request at this point of the conversation."""
        if self._draining:
            return objections.STOPPING
        if call.message_id in self._running:
            return objections.ID_IN_USE
        if call.method is Method.LISTEN and self._feeds() >= self._config.most_feeds:
            return objections.TOO_MANY_FEEDS
        if call.era is Era.MODERN or call.method is Method.PING:
            return None
        if call.method is Method.INITIALIZE:
            return objections.INITIALIZED if self._session is not None else None
        return objections.NOT_INITIALIZED if self._session is None else None

    def _feeds(self) -> int:
        return sum(one.call.method is Method.LISTEN for one in self._running.values())

    async def _answer_at_once(self, call: Call) -> None:
        await self.outbox.drained()
        answer = await self._gateway.handle(call, self._render)
        if call.method is Method.INITIALIZE and isinstance(answer.outcome, Result):
            self._session = agreed(call)
        self._answer(answer)

    async def _run(self, running: _Running) -> None:
        call = running.call
        answer = await self._execute(call)
        result = answer.outcome
        if isinstance(result, Result) and call.method is Method.SET_LEVEL:
            self._level = call.more.level
        if not isinstance(result, Result) or result.feed is None:
            self._let_go(running)  # first: who has the answer may use its id again
            self._answer(answer)
            return
        running.listens = True
        self._room.leave()
        feeding.begin(result.feed, self.outbox, call.message_id)
        try:
            await feeding.tell(result.feed, self.outbox, call.message_id)
        except asyncio.CancelledError:
            if not self._draining:
                raise
        self._let_go(running)
        feeding.end(self.outbox, call.message_id, self._identity)

    async def _execute(self, call: Call) -> Answer:
        legacy = call.era is Era.LEGACY
        if legacy:
            # A server that is told the level with each request must hear of it, too.
            call.more = msgspec.structs.replace(call.more, log_level=self._level)
        back = Interim(call, self.outbox, self._questions if legacy else None, self._room)
        call.back = back
        try:
            return await self._gateway.handle(call, self._render)
        finally:
            back.end()

    def _finish(self, running: _Running) -> None:
        self._let_go(running)
        if not running.listens:
            self._room.leave()

    def _let_go(self, running: _Running) -> None:
        if self._running.get(running.call.message_id) is running:
            del self._running[running.call.message_id]

    # Changes a legacy client is told without asking, and those it subscribed to.

    def _open_stream(self, session: Session) -> None:
        if self._stream is None and not self._draining and not self._closed:
            self._stream = self._spawn(self._tell_changes(session))

    async def _tell_changes(self, session: Session) -> None:
        outcome = (await self._handle(self._internal(Method.STREAM, session))).outcome
        if isinstance(outcome, Result) and outcome.feed is not None:
            await feeding.tell(outcome.feed, self.outbox)

    # Calls, and the tasks they run in.

    def _call(self, raw: bytes, caller: Caller) -> Call:
        now = time.monotonic()
        return Call(
            method=Method.MALFORMED,
            correlation_id=self._ids.next(),
            endpoint=caller.endpoint,
            credential=caller.credential,
            certificate=caller.certificate,
            host=caller.host,
            resource=caller.resource,
            peer=caller.peer,
            request_bytes=len(raw),
            arrived=now,
            deadline=now + self._config.request_timeout_seconds,
        )

    def _internal(self, method: Method, session: Session) -> Call:
        call = self._call(b"", self._caller)
        call.method, call.era = method, Era.LEGACY
        join(call, session)
        return call

    async def _handle(self, call: Call) -> Answer:
        """Handle what has no answer on the wire."""
        answer = await self._gateway.handle(call, self._render)
        self._close_if_refused(answer)
        return answer

    def _answer(self, answer: Answer) -> None:
        self.outbox.put(answer.body)
        self._close_if_refused(answer)

    def _close_if_refused(self, answer: Answer) -> None:
        outcome = answer.outcome
        if isinstance(outcome, Refuse) and outcome.error in _NOT_ADMITTED:
            self.refused = outcome.error
            self.outbox.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # Not a TaskGroup: a call that fails must not end the others. `close` ends them all.
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("channel.call_crashed", exc_info=task.exception())
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self._draining and not self._tasks:
            self.outbox.close()

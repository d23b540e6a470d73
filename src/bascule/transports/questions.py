"""Questions put to legacy clients over HTTP, and the answers they POST, to whichever worker."""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
import structlog
from msgspec import UNSET

from bascule.gateway.backchannel import CallerGone, CallerRefused, CallerSilent, Question
from bascule.gateway.state import StateStore
from bascule.protocol import codes
from bascule.protocol.messages import MalformedMessage, Message, decode
from bascule.protocol.notices import CANCELLED, encode_notice, encode_request

_MOST_OPEN: Final = 64
"""Of one session."""
_LONGEST_MESSAGE: Final = 500

_logger = structlog.get_logger(__name__)


class _Open(NamedTuple):
    session_id: str
    waiter: "asyncio.Future[bytes]"


class _Forwarded(msgspec.Struct, array_like=True):
    session_id: str
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Forwarded).decode


class Questions:
    """The open questions of this worker. Their ids name it, so that any worker finds the way."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._worker = secrets.token_hex(8)
        self._open: dict[str, _Open] = {}
        self._draining = False
        self.strangers = 0
        """Answers that nobody waited for."""

    async def ask(
        self, session_id: str, question: Question, put: Callable[[bytes], None], deadline: float
    ) -> bytes:
        """Send `question` by `put` and wait for its answer, as `Backchannel.ask` does."""
        if self._draining:
            raise CallerGone("the gateway is shutting down")
        if sum(one.session_id == session_id for one in self._open.values()) >= _MOST_OPEN:
            raise CallerGone("this session has too many open questions")
        question_id = f"q-{self._worker}-{secrets.token_hex(16)}"
        waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._open[question_id] = _Open(session_id, waiter)
        try:
            put(encode_request(question_id, question.method, question.params))
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await waiter
        except TimeoutError:
            put(_withdrawal(question_id, "no answer came in time"))
            raise CallerSilent(f"no answer to {question.method} came in time") from None
        except asyncio.CancelledError:
            put(_withdrawal(question_id, "the answer is not needed any longer"))
            raise
        finally:
            del self._open[question_id]

    async def take(self, session_id: str, answer: Message, body: bytes) -> None:
        """Give an answer to who waits for it, here or on another worker; a stranger's is dropped.

        `body` is the message as it came.
        """
        worker = answer.id.split("-")[1:2] if isinstance(answer.id, str) else []
        if worker == [self._worker] or self._store.local or not worker:
            self._resolve(session_id, answer)
        else:
            await self._store.publish(_channel(worker[0]), _encode(_Forwarded(session_id, body)))

    async def run(self) -> None:
        """Take in the answers that other workers got, until cancelled."""
        async with self._store.subscribe(_channel(self._worker)) as messages:
            async for message in messages:
                try:
                    forwarded = _decode(message)
                    self._resolve(forwarded.session_id, decode(forwarded.body))
                except (msgspec.DecodeError, MalformedMessage):
                    _logger.warning("questions.unreadable_answer")

    def close(self, session_id: str) -> None:
        """The session has ended: nobody is left to answer."""
        for one in self._open.values():
            if one.session_id == session_id and not one.waiter.done():
                one.waiter.set_exception(CallerGone("the session has ended"))

    def close_all(self) -> None:
        """The server drains: no question is worth waiting for, now or later."""
        self._draining = True
        for one in self._open.values():
            if not one.waiter.done():
                one.waiter.set_exception(CallerGone("the gateway is shutting down"))

    def _resolve(self, session_id: str, answer: Message) -> None:
        found = self._open.get(answer.id) if isinstance(answer.id, str) else None
        if found is None or found.session_id != session_id or found.waiter.done():
            self.strangers += 1
            return
        if answer.result is not UNSET:
            found.waiter.set_result(bytes(answer.result))
        elif answer.error is not UNSET:
            data = b"" if answer.error.data is UNSET else bytes(answer.error.data)
            message = answer.error.message[:_LONGEST_MESSAGE]
            found.waiter.set_exception(CallerRefused(answer.error.code, message, data))
        else:
            found.waiter.set_exception(CallerRefused(codes.INVALID_REQUEST, "an empty answer"))


def _withdrawal(question_id: str, reason: str) -> bytes:
    return encode_notice(CANCELLED, {"requestId": question_id, "reason": reason})


def _channel(worker: str) -> str:
    return f"worker:{worker}"

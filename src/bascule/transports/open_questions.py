"""Questions put to the client of a shared channel, and the answers it sends back."""

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Final

from msgspec import UNSET

from bascule.gateway.backchannel import CallerGone, CallerRefused, CallerSilent, Question
from bascule.protocol.messages import Message, MessageId
from bascule.protocol.notices import encode_notice, encode_request

_MOST_OPEN: Final = 64
_LONGEST_MESSAGE: Final = 500


class OpenQuestions:
    """The questions of one channel that wait for their answers.

    Their ids are this channel's own: an answer can only come in over the channel it belongs to.
    """

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put
        self._numbers = itertools.count(1)
        self._open: dict[str, asyncio.Future[bytes]] = {}
        self._closed = False

    async def ask(self, question: Question, deadline: float) -> bytes:
        """Put `question` and wait for its answer, as `Backchannel.ask` does."""
        if self._closed or len(self._open) >= _MOST_OPEN:
            raise CallerGone("no more questions can be put on this channel")
        question_id = f"q-{next(self._numbers)}"
        waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._open[question_id] = waiter
        self._put(encode_request(question_id, question.method, question.params))
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await waiter
        except TimeoutError:
            self._withdraw(question_id, "no answer came in time")
            raise CallerSilent(f"no answer to {question.method} came in time") from None
        except asyncio.CancelledError:
            self._withdraw(question_id, "the answer is not needed any longer")
            raise
        finally:
            del self._open[question_id]

    def take(self, answer: Message) -> bool:
        """Give an answer to who waits for it; False where nobody does, or not any longer."""
        waiter = self._open.get(answer.id) if isinstance(answer.id, str) else None
        if waiter is None or waiter.done():
            return False
        if answer.result is not UNSET:
            waiter.set_result(bytes(answer.result))
        elif answer.error is not UNSET:
            data = b"" if answer.error.data is UNSET else bytes(answer.error.data)
            message = answer.error.message[:_LONGEST_MESSAGE]
            waiter.set_exception(CallerRefused(answer.error.code, message, data))
        else:
            waiter.set_exception(CallerRefused(-32600, "the answer has neither result nor error"))
        return True

    def close(self) -> None:
        """Nobody is left to answer."""
        self._closed = True
        for waiter in self._open.values():
            if not waiter.done():
                waiter.set_exception(CallerGone("the channel was closed"))

    def _withdraw(self, question_id: MessageId, reason: str) -> None:
        if not self._closed:
            params = {"requestId": question_id, "reason": reason}
            self._put(encode_notice("notifications/cancelled", params))

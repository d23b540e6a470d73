"""Questions of an upstream, put to a caller who can be asked while its call waits."""

import asyncio
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import msgspec

from bascule.gateway.backchannel import Backchannel, CallerRefused, CallerSilent, NoAnswer, Question
from bascule.gateway.call import Call
from bascule.gateway.capabilities import Capabilities
from bascule.gateway.errors import AskedInVain
from bascule.protocol import codes
from bascule.upstreams.mcp.messages import Incoming, decode_members
from bascule.upstreams.mcp.questions import InputRequest, missing_capability, read_request

_LONGEST_MESSAGE: Final = 2000


@dataclass(frozen=True, slots=True)
class InteractionLimits:
    """How much one call may ask of its caller.

    `interaction_seconds` bounds the time that questions are open, all together: for as long the
    call's own deadline stands still. `most_rounds` bounds how often a modern upstream may be
    sent a retry on a legacy caller's behalf; a round without a question waits `pause_seconds`.
    """

    interaction_seconds: float = 300.0
    most_rounds: int = 10
    most_questions: int = 100
    pause_seconds: float = 0.2


class Patience:
    """The time that one call's questions have been open, and how much of it is left."""

    def __init__(self, limits: InteractionLimits) -> None:
        self._limits = limits
        self._waited = 0.0
        self._since = 0.0
        self._open = 0
        self._asked = 0

    @property
    def waited_seconds(self) -> float:
        """How long a question was open, several at once counted once."""
        running = time.monotonic() - self._since if self._open else 0.0
        return self._waited + running

    @contextmanager
    def question(self) -> Generator[float]:
        """Hold a question open; gives when it must be answered, in `time.monotonic`.

        Raises:
            CallerSilent: all the time there was is used up.
            CallerRefused: the call has asked too often.
        """
        left = self._limits.interaction_seconds - self.waited_seconds
        if left <= 0:
            raise CallerSilent
        self._asked += 1
        if self._asked > self._limits.most_questions:
            raise CallerRefused(codes.INVALID_REQUEST, "This call has asked too many questions.")
        if not self._open:
            self._since = time.monotonic()
        self._open += 1
        try:
            yield time.monotonic() + left
        finally:
            self._open -= 1
            if not self._open:
                self._waited += time.monotonic() - self._since


class Interaction:
    """The questions of one call to a caller with a live way back."""

    def __init__(self, call: Call, back: Backchannel, limits: InteractionLimits) -> None:
        self._capabilities = call.capabilities
        session = call.more.session
        self._version = call.version if session is None else session.version
        self._back = back
        self.patience = Patience(limits)

    async def answer(self, incoming: Incoming) -> bytes:
        """Put the question of a legacy upstream; gives the `result` of the caller's answer.

        Raises:
            NoAnswer: the caller gave none, or is not to be asked this.
        """
        return await self._ask(admitted(incoming, self._capabilities))

    async def answer_all(self, requests: Mapping[str, InputRequest]) -> dict[str, msgspec.Raw]:
        """Put all `requests` at once; gives the `inputResponses` for them.

        Raises:
            MissingCapability: one of them is not declared; nothing was asked.
            AskedInVain: one was not answered; the others are taken back.
        """
        for request in requests.values():
            if not request.may_be_put(self._capabilities):
                raise missing_capability(request)
        try:
            async with asyncio.TaskGroup() as group:
                asking = {
                    key: group.create_task(self._ask(request)) for key, request in requests.items()
                }
        except ExceptionGroup as failures:
            raise _in_vain(failures) from None
        return {key: _checked(task.result()) for key, task in asking.items()}

    async def _ask(self, request: InputRequest) -> bytes:
        question: Question = request.for_legacy(self._version)
        with self.patience.question() as deadline:
            return await self._back.ask(question, deadline)


def admitted(incoming: Incoming, capabilities: Capabilities) -> InputRequest:
    """The question that a legacy upstream asks by a request, if its caller can be asked it.

    Raises:
        CallerRefused: what to answer the upstream instead.
    """
    method = incoming.method if isinstance(incoming.method, str) else ""
    params = incoming.params if isinstance(incoming.params, msgspec.Raw) else None
    try:
        request = read_request(method, params)
    except ValueError:
        raise CallerRefused(
            codes.METHOD_NOT_FOUND, "This client answers no such request."
        ) from None
    if not request.may_be_put(capabilities):
        text = "This client did not declare the capability that this request needs."
        raise CallerRefused(codes.METHOD_NOT_FOUND, text)
    return request


def _checked(answer: bytes) -> msgspec.Raw:
    if decode_members(answer) is None:
        raise AskedInVain(
            "The service behind this tool asked for input, and the client's answer is no object.",
        )
    return msgspec.Raw(answer)


def _in_vain(failures: ExceptionGroup[Exception]) -> Exception:
    """The first failure, told to the caller; what is no answer but a bug stays one."""
    first = failures.exceptions[0]
    if isinstance(first, CallerRefused):
        text = first.message[:_LONGEST_MESSAGE]
        details: dict[str, object] = {"client_code": first.code, "client_message": text}
        return AskedInVain(
            f"The service behind this tool asked for input, and the client refused: {text}",
            private=f"the client answered with the error {first.code}: {text}",
            details=details,
        )
    if isinstance(first, NoAnswer):
        return AskedInVain(
            "The service behind this tool asked for input, and got no answer in time. "
            "Call again, and answer what is asked.",
            private=f"no answer: {type(first).__name__}",
        )
    return first

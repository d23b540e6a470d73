"""One exchange with a legacy upstream that goes on while its caller is away to find answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import msgspec

from bascule.gateway.backchannel import CallerRefused
from bascule.gateway.capabilities import Capabilities
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.protocol import codes
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.interactions import admitted
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.questions import InputRequest

Work: TypeAlias = Callable[[Hooks], Awaitable[msgspec.Raw | bytes]]
"""The exchange with the upstream; gives the `result` of its response."""

MOST_QUESTION_BYTES: Final = 256 * 1024
MOST_KEPT_BYTES: Final = 1024 * 1024
"""The most a result may have that comes while its caller is away."""


@dataclass(frozen=True, slots=True)
class ParkingLimits:
    """`seconds` is how long a call waits for each retry of its caller.

    Questions that come within `gather_seconds` of the first, up to `most_gathered`, are put
    together.
    """

    seconds: float = 300.0
    most_per_owner: int = 16
    most: int = 256
    gather_seconds: float = 0.05
    most_gathered: int = 8
    most_questions: int = 100


class Caller(NamedTuple):
    """Whom a call is for at the moment: `owner` for ever, the rest with each retry."""

    owner: str
    capabilities: Capabilities
    on_note: OnNote


class ParkedTooMany(GatewayError):
    """Too many calls wait for answers already."""

    error = ErrorCode.UNAVAILABLE


class GatewayClosing(GatewayError):
    """The gateway let go of a parked call before it was done."""

    error = ErrorCode.UNAVAILABLE


class _Failed(NamedTuple):
    failure: BaseException


class ParkedCall:
    """One exchange, and the questions in it that are open."""

    def __init__(self, caller: Caller, limits: ParkingLimits, admit: Callable[[], None]) -> None:
        self.caller = caller
        self._limits = limits
        self._admit = admit
        self._asked = 0
        self._open: dict[str, tuple[InputRequest, asyncio.Future[bytes]]] = {}
        self._gathering: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._come = asyncio.Event()
        self._outcome: msgspec.Raw | bytes | _Failed | None = None
        self.is_attended = True

    async def run(self, work: Work) -> None:
        """Carry the exchange to its end, which `next` then gives."""
        hooks = Hooks(self._note, self._ask)
        try:
            outcome: msgspec.Raw | bytes | _Failed = await work(hooks)
        except asyncio.CancelledError:
            self._settle(_Failed(closing()))
            raise
        except Exception as failure:  # noqa: BLE001 - who attends to the call gets it
            outcome = _Failed(failure)
        self._settle(outcome)

    async def next(self) -> dict[str, InputRequest] | msgspec.Raw | bytes:
        """Wait for questions or the result; raises what the exchange raised."""
        await self._come.wait()
        if isinstance(self._outcome, _Failed):
            raise self._outcome.failure
        if self._outcome is not None:
            return self._outcome
        return {key: request for key, (request, _) in self._open.items()}

    def answer(self, answers: Mapping[str, bytes]) -> None:
        """Pass on the answers to open questions; what remains open is asked again."""
        for key in [key for key in answers if key in self._open]:
            _, waiter = self._open.pop(key)
            if not waiter.done():
                waiter.set_result(answers[key])
        if self._outcome is None:
            self._come.clear()
            if self._open:
                self._gather()

    def fail(self, failure: GatewayError) -> None:
        """End the call for who attends to it."""
        self._settle(_Failed(failure))

    def _note(self, incoming: Incoming) -> None:
        self.caller.on_note(incoming)

    async def _ask(self, incoming: Incoming) -> bytes:
        request = admitted(incoming, self.caller.capabilities)
        self._asked += 1
        if self._asked > self._limits.most_questions:
            raise CallerRefused(codes.INVALID_REQUEST, "This call has asked too many questions.")
        if len(request.params or b"") > MOST_QUESTION_BYTES:
            raise CallerRefused(codes.INVALID_PARAMS, "The question is too large.")
        try:
            self._admit()
        except ParkedTooMany as refusal:
            self.fail(refusal)
            raise CallerRefused(codes.INTERNAL_ERROR, "The client cannot be asked now.") from None
        waiter: asyncio.Future[bytes] = self._loop.create_future()
        key = f"q{self._asked}"
        self._open[key] = (request, waiter)
        self._gather()
        try:
            return await waiter
        except asyncio.CancelledError:
            # Either the upstream took its question back, or `run` is over.
            self._open.pop(key, None)
            raise

    def _gather(self) -> None:
        if len(self._open) >= self._limits.most_gathered:
            self._publish()
        elif self._gathering is None and not self._come.is_set():
            self._gathering = self._loop.call_later(self._limits.gather_seconds, self._publish)

    def _publish(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        if self._open:
            self._come.set()

    def _settle(self, outcome: msgspec.Raw | bytes | _Failed) -> None:
        if self._outcome is None:
            self._outcome = outcome if self.is_attended else _kept(outcome)
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        for _, waiter in self._open.values():
            waiter.cancel()
        self._open.clear()
        self._come.set()


def _kept(outcome: msgspec.Raw | bytes | _Failed) -> msgspec.Raw | bytes | _Failed:
    if isinstance(outcome, _Failed) or len(bytes(outcome)) <= MOST_KEPT_BYTES:
        return outcome
    return _Failed(
        ParkedTooMany(
            "The service behind this tool answered while nobody waited, with more than is kept. "
            "It may have acted on the request; check before repeating it.",
            private=f"a result of over {MOST_KEPT_BYTES} bytes came while its call was parked",
        )
    )


def closing() -> GatewayClosing:
    """What is told to who waits for a call that the gateway let go of."""
    return GatewayClosing(
        "The gateway let go of this call before it was done. "
        "The service may have acted on it; check before repeating it.",
        private="the exchange of a parked call was cancelled",
    )

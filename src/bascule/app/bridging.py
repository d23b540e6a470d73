"""Parked calls among several processes: a retry finds its way to the one that holds its call.

A load balancer sends a retry to any process. The handle it carries names the one where the call
waits; the two talk through the state they share. Nothing here survives the process that holds the
call: its callers are told to start again.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec
import structlog

from bascule.app.background import Background
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.errors import (
    ErrorCode,
    GatewayError,
    InvalidValue,
    StaleHandle,
    UpstreamFailed,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.gateway.state import MOST_VALUE_BYTES, StateStore
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.parked import Parked, Step, Ticket, Waiting
from bascule.upstreams.mcp.parked_call import Caller, ParkedTooMany, ParkingLimits
from bascule.upstreams.mcp.questions import InputRequest
from bascule.upstreams.mcp.wrapping import stale

_log = structlog.get_logger(__name__)

_MOST_RESULT_BYTES: Final = MOST_VALUE_BYTES - 64 * 1024
_FAILURES: Final = {
    kind.error: kind
    for kind in (
        InvalidValue,
        ParkedTooMany,
        StaleHandle,
        UpstreamFailed,
        UpstreamRateLimited,
        UpstreamTimeout,
        UpstreamUnreachable,
    )
}


@dataclass(frozen=True, slots=True)
class BridgeTimes:
    """A process at work on another's retry says so every `beat_seconds`.

    One that says nothing for `silence_seconds` is taken for dead.
    """

    beat_seconds: float = 1.0
    silence_seconds: float = 5.0


class _Resume(msgspec.Struct, tag=True, frozen=True):
    retry: str
    reply_to: str
    number: str
    owner: str
    capabilities: bytes
    answers: dict[str, bytes]


class _Withdrawn(msgspec.Struct, tag=True, frozen=True):
    """The caller of `retry` went away."""

    retry: str


class _Alive(msgspec.Struct, tag=True, frozen=True):
    """`retry` arrived and is worked on."""

    retry: str


class _Waits(msgspec.Struct, tag=True, frozen=True):
    retry: str
    ticket: Ticket
    requests: dict[str, InputRequest]


class _Done(msgspec.Struct, tag=True, frozen=True):
    retry: str
    result: bytes


class _Failed(msgspec.Struct, tag=True, frozen=True):
    """`details` are JSON: only that holds whatever an upstream's error held."""

    retry: str
    error: str
    public: str
    private: str
    details: bytes


_Reply: TypeAlias = _Alive | _Waits | _Done | _Failed
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Resume | _Withdrawn | _Reply).decode


@asynccontextmanager
async def open_parked(
    store: StateStore, *, limits: ParkingLimits | None = None, times: BridgeTimes | None = None
) -> AsyncGenerator[Parked]:
    """The parked calls of this process, joined with those of others where `store` is shared.

    They end with the block.
    """
    async with Background() as background:
        parked = Parked(secrets.token_hex(8), background.start, limits=limits)
        try:
            if store.local:
                yield parked
                return
            bridge = ParkedElsewhere(store, parked, background, times or BridgeTimes())
            async with store.subscribe(_channel(parked.worker)) as messages:
                parked.elsewhere = bridge
                background.start(bridge.run(messages))
                yield parked
        finally:
            await parked.close()


class ParkedElsewhere:
    """Brings retries to the process that holds their call, and serves those of others here."""

    def __init__(
        self, store: StateStore, parked: Parked, background: Background, times: BridgeTimes
    ) -> None:
        self._store = store
        self._parked = parked
        self._background = background
        self._times = times
        self._waiting: dict[str, asyncio.Queue[_Reply]] = {}
        self._serving: dict[str, asyncio.Task[None]] = {}

    async def resume(self, ticket: Ticket, caller: Caller, answers: Mapping[str, bytes]) -> Step:
        """As `Parked.resume`, in the process that `ticket` names."""
        retry = secrets.token_hex(16)
        replies = self._waiting[retry] = asyncio.Queue()
        message = _Resume(
            retry,
            self._parked.worker,
            ticket.number,
            caller.owner,
            caller.capabilities.raw,
            dict(answers),
        )
        try:
            await self._send(ticket.worker, message)
            return _step(await self._final(replies))
        except (asyncio.CancelledError, TimeoutError):
            with suppress(GatewayError):
                await self._send(ticket.worker, _Withdrawn(retry))
            raise
        finally:
            del self._waiting[retry]

    async def run(self, messages: AsyncIterator[bytes]) -> None:
        """Take in what other processes say, until cancelled."""
        async for message in messages:
            try:
                said = _decode(message)
            except msgspec.DecodeError:
                _log.warning("bridge.unreadable_message")
                continue
            if isinstance(said, _Resume):
                task = self._background.start(self._serve(said))
                self._serving[said.retry] = task
                task.add_done_callback(lambda _, retry=said.retry: self._serving.pop(retry))
            elif isinstance(said, _Withdrawn):
                if (served := self._serving.get(said.retry)) is not None:
                    served.cancel()
            elif (replies := self._waiting.get(said.retry)) is not None:
                replies.put_nowait(said)

    async def _final(self, replies: "asyncio.Queue[_Reply]") -> _Reply:
        arrived = False
        while True:
            try:
                async with asyncio.timeout(self._times.silence_seconds):
                    reply = await replies.get()
            except TimeoutError:
                if not arrived:
                    raise stale("the process that held its call does not answer") from None
                raise _lost() from None
            if not isinstance(reply, _Alive):
                return reply
            arrived = True

    async def _serve(self, wanted: _Resume) -> None:
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat(wanted, done))
            try:
                reply = await self._reply(wanted)
            finally:
                done.set()
        await self._send(wanted.reply_to, reply)

    async def _beat(self, wanted: _Resume, done: asyncio.Event) -> None:
        # Not ended by cancelling: a client of the store may take that for a failure of its own.
        while not done.is_set():
            with suppress(GatewayError):
                await self._send(wanted.reply_to, _Alive(wanted.retry))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._times.beat_seconds):
                    await done.wait()

    async def _reply(self, wanted: _Resume) -> _Reply:
        caller = Caller(wanted.owner, read_capabilities(wanted.capabilities), _drop)
        ticket = Ticket(self._parked.worker, wanted.number)
        try:
            step = await self._parked.resume(ticket, caller, wanted.answers)
        except GatewayError as failure:
            return _told(wanted.retry, failure)
        except Exception as bug:  # noqa: BLE001 - the edge of this process
            _log.error("bridge.crashed", exc_info=bug)
            return _told(wanted.retry, _lost())
        if isinstance(step, Waiting):
            return _Waits(wanted.retry, step.ticket, dict(step.requests))
        result = bytes(step)
        if len(result) > _MOST_RESULT_BYTES:
            return _told(wanted.retry, _too_large(len(result)))
        return _Done(wanted.retry, result)

    async def _send(self, worker: str, message: Any) -> None:
        try:
            await self._store.publish(_channel(worker), _encode(message))
        except ValueError:
            raise _too_large(MOST_VALUE_BYTES) from None


def _step(reply: _Reply) -> Step:
    if isinstance(reply, _Waits):
        return Waiting(reply.ticket, reply.requests)
    if isinstance(reply, _Done):
        return reply.result
    assert isinstance(reply, _Failed)  # noqa: S101 - `_final` gives no other
    kind = _FAILURES.get(ErrorCode[reply.error], UpstreamFailed)
    raise kind(reply.public, private=reply.private, details=msgspec.json.decode(reply.details))


def _told(retry: str, failure: GatewayError) -> _Failed:
    details = msgspec.json.encode(failure.details)
    return _Failed(retry, failure.error.name, failure.public, failure.private, details)


def _lost() -> GatewayError:
    return UpstreamFailed(
        "The gateway lost this call before it was done. "
        "The service may have acted on it; check before repeating it.",
        private="the process that held the parked call failed, or is gone",
    )


def _too_large(size: int) -> GatewayError:
    return UpstreamFailed(
        "What the service behind this tool said, or was told, is too large to be passed on. "
        "It may have acted on the request; check before repeating it.",
        private=f"{size} bytes are more than one process passes to another",
    )


def _drop(_: Incoming) -> None:
    """Progress of a call that is held elsewhere does not reach its caller."""


def _channel(worker: str) -> str:
    return f"parked:{worker}"

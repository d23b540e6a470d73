"""Requests and responses with one child process, many at a time over its one pair of pipes."""

import asyncio
import time
from typing import Final, Protocol

import msgspec
import structlog

from bascule.gateway.errors import GatewayError
from bascule.gateway.identifiers import Identifiers
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.failures import failed, rpc_error, timed_out
from bascule.upstreams.mcp.handshake import Handshake
from bascule.upstreams.mcp.messages import (
    Incoming,
    Outgoing,
    RpcError,
    decode,
    encode,
    encode_cancelled,
    encode_reply,
)
from bascule.upstreams.mcp.settings import McpConfig

_log = structlog.get_logger(__name__)

_MOST_NOISE_LOGGED: Final = 20


class Lines(Protocol):
    """Where lines are written; `bascule.upstreams.mcp.child.Child` is one."""

    def write(self, line: bytes) -> bool:
        """Send one line; False where nobody reads it."""
        ...


class HandshakeBroken(Exception):
    """The child ended while it was asked for its era, which some legacy servers do."""


class Conversation:
    """One life of a child process, from its handshake to its end.

    The handshake goes on whoever waits for it: a slow start is not begun anew with each call.
    """

    def __init__(self, name: str, ids: Identifiers) -> None:
        self._name = name
        self._ids = ids
        self._lines: Lines | None = None
        self._handshake = Handshake(ids.next(), ids.next())
        self._timers: list[asyncio.TimerHandle] = []
        self._ready: asyncio.Future[Era] = asyncio.get_running_loop().create_future()
        self._pending: dict[str, asyncio.Future[Incoming]] = {}
        self._ended: str | None = None
        self._noise = 0

    @property
    def is_over(self) -> bool:
        """No request can be made any more."""
        return self._ended is not None or self._handshake.failure is not None

    @property
    def era(self) -> Era | None:
        """The server's era, once it is known."""
        return self._handshake.era

    def begin(self, lines: Lines, config: McpConfig, *, probe: bool) -> None:
        """Begin the handshake; without `probe` with `initialize`."""
        if self._ended is not None:
            return
        self._lines = lines
        lines.write(self._handshake.begin(probe=probe))
        loop = asyncio.get_running_loop()
        self._timers = [
            loop.call_later(config.probe_seconds, self._stop_probing),
            loop.call_later(config.start_seconds, self._give_up, config.start_seconds),
        ]

    async def exchange(self, request: Outgoing, deadline: float) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response.

        Raises:
            HandshakeBroken: try again without a probe; nothing was sent.
            UpstreamRpcError: the server answered with an error.
            GatewayError: it ended, did not answer in time, or is not to be talked to.
        """
        era = await self._until_ready(deadline)
        request_id = self._ids.next()
        waiter: asyncio.Future[Incoming] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = waiter
        try:
            self._send(encode(request_id, request, era))
            async with asyncio.timeout(deadline - time.monotonic()):
                answer = await waiter
        except TimeoutError:
            self._cancel(request_id, "the deadline passed")
            raise timed_out(self._name, "waiting for its answer") from None
        except asyncio.CancelledError:
            self._cancel(request_id, "the caller does not wait any longer")
            raise
        finally:
            self._pending.pop(request_id, None)
        if isinstance(answer.error, RpcError):
            raise rpc_error(answer.error.code, answer.error.message, answer.error.data)
        return answer.result_bytes

    async def _until_ready(self, deadline: float) -> Era:
        if self._handshake.era is not None and self._ended is None:
            return self._handshake.era
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await asyncio.shield(self._ready)
        except TimeoutError:
            raise timed_out(self._name, "waiting for its start", sent=False) from None

    def _send(self, message: bytes) -> None:
        # Line breaks between the tokens of relayed JSON would end the message early.
        line = message.replace(b"\n", b" ").replace(b"\r", b" ")
        if self._ended is not None or self._lines is None or not self._lines.write(line):
            reason = self._ended or "it does not read what is sent to it"
            raise failed(self._name, reason)

    def _cancel(self, request_id: str, reason: str) -> None:
        if self._lines is not None and self._ended is None:
            self._lines.write(encode_cancelled(request_id, reason))

    def _stop_probing(self) -> None:
        self._continue(self._handshake.stop_probing())

    def _give_up(self, seconds: float) -> None:
        self._handshake.failure = f"it did not finish its handshake in {seconds:g} seconds"
        self._continue(None)

    def _continue(self, message: bytes | None) -> None:
        """Send the next message of the handshake, or note how it ended."""
        if message is not None and self._lines is not None:
            self._lines.write(message)
        if not self._handshake.is_over or self._ready.done():
            return
        self._stop_timers()
        if self._handshake.era is not None:
            self._ready.set_result(self._handshake.era)
        else:
            self._fail_ready(failed(self._name, self._handshake.failure or "no handshake"))

    def _fail_ready(self, failure: Exception) -> None:
        if not self._ready.done():
            self._ready.set_exception(failure)
            # Marked as seen: it may be that nobody waits for it any more.
            self._ready.exception()

    def _stop_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    # Events from the child.

    def take_line(self, line: bytes) -> None:
        """The child wrote a line."""
        if not line.strip():
            return
        message = decode(line)
        if message is None:
            self._note_noise(line)
        elif message.is_response:
            self._take_response(message)
        elif message.is_request and self._handshake.era is Era.LEGACY and self._lines is not None:
            self._lines.write(encode_reply(message))

    def take_end(self, reason: str) -> None:
        """The child is gone, or of no further use."""
        self._ended = reason
        self._stop_timers()
        failure: GatewayError = failed(self._name, reason)
        broken = self._handshake.is_probing and not self._handshake.is_over
        self._fail_ready(HandshakeBroken(reason) if broken else failure)
        for waiter in self._pending.values():
            if not waiter.done():
                waiter.set_exception(failed(self._name, reason))

    def _take_response(self, message: Incoming) -> None:
        if not self._handshake.is_over:
            self._continue(self._handshake.take(message))
        waiter = self._pending.get(message.id) if isinstance(message.id, str) else None
        if waiter is not None and not waiter.done():
            waiter.set_result(message)

    def _note_noise(self, line: bytes) -> None:
        self._noise += 1
        if self._noise <= _MOST_NOISE_LOGGED:
            text = line[:200].decode("utf-8", "replace")
            _log.warning("upstream.not_json", upstream=self._name, line=text)

"""One worker process, as the gateway sees it: asked one thing at a time, killed when it is late."""

import asyncio
import os
import signal
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import Final, TypeAlias, cast

from bascule.rego.messages import Failed, Garbled, Request, Response, ResponseReader, framed

_KEPT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Of the environment, which holds secrets."""
_ADDED: Final = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "RUST_BACKTRACE": "0",
    # The engine's allocator reserves a GiB otherwise, and how much is meant to be used counts.
    "MIMALLOC_ARENA_RESERVE": "8MiB",
}
_MOST_STDERR: Final = 2000
_START_SECONDS: Final = 30.0
_EXIT_SECONDS: Final = 0.5
_DRAIN_SECONDS: Final = 0.2
_FROM_OUTSIDE: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Step: TypeAlias = tuple[Request, float]
"""What to ask, and the seconds within which it must be answered."""


class Loss(Enum):
    """What became of a worker: it was too slow, broke by what it did, was ended by others, or by
    whoever had it started. With BARRED none was asked.
    """

    LATE = "late"
    BROKEN = "broken"
    FOREIGN = "foreign"
    CLOSED = "closed"
    BARRED = "barred"


class Lost(Exception):
    """The worker is gone, or was killed, and there is no answer; the text says why."""

    def __init__(self, why: str, loss: Loss) -> None:
        super().__init__(why)
        self.loss = loss


Finish: TypeAlias = Callable[[Response | Lost], None]
"""Called once with the last response, or with `Failed` or `Lost` as soon as there is one."""


class Worker(asyncio.SubprocessProtocol):
    """A process that evaluates.

    `documents` are what it holds, the last used at the end, each with its weight in bytes; who
    asks it keeps account of them.
    """

    def __init__(self, on_gone: Callable[["Worker"], None]) -> None:
        """`on_gone` is called once its process has ended."""
        self.documents: OrderedDict[str, int] = OrderedDict()
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.SubprocessTransport | None = None
        self._reader = ResponseReader()
        self._stderr = bytearray()
        self._steps: list[Step] = []
        self._finish: Finish | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._lost: Lost | None = None

    async def start(self, memory_bytes: int) -> None:
        """Start the process, which may use `memory_bytes`, and wait until it can be asked.

        Raises:
            OSError: no process can be started; the message says why.
            Lost: it ended, or does not answer.
        """
        words = ("-P", "-m", "bascule.rego.worker", str(os.getpid()), str(memory_bytes))
        ready: asyncio.Future[Response | Lost] = self._loop.create_future()
        self._timer = self._loop.call_later(_START_SECONDS, self._be_late, _START_SECONDS)
        self._finish = ready.set_result
        try:
            await self._loop.subprocess_exec(
                lambda: self,
                sys.executable,
                *words,
                env=environment(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            self._lose(str(error), Loss.BROKEN)
            raise
        self._finish = lambda outcome: None if ready.done() else ready.set_result(outcome)
        if self._lost is not None:
            raise self._lost
        outcome = await ready
        if isinstance(outcome, Lost):
            raise outcome

    @property
    def pid(self) -> int:
        """Its process id; 0 before it is started."""
        return 0 if self._transport is None else self._transport.get_pid()

    @property
    def is_usable(self) -> bool:
        """Whether it can be asked."""
        return self._lost is None and self._finish is None

    def ask(self, steps: Sequence[Step], finish: Finish) -> None:
        """Ask one after the other; each must be answered before the next is asked."""
        self._steps = list(steps)
        self._finish = finish
        if self._lost is not None:
            self._conclude(self._lost)
        else:
            self._next_step()

    def kill(self, why: str, loss: Loss) -> None:
        """End it at once, whatever it does."""
        self._kill_group()
        self._lose(why, loss)

    async def close(self) -> None:
        """Kill it, and wait until it is gone."""
        self.kill("the engine is closed", Loss.CLOSED)
        if self._transport is not None:
            await asyncio.shield(self._gone)

    def _kill_group(self) -> None:
        if self._transport is not None and not self._gone.done():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), signal.SIGKILL)

    # What it is asked.

    def _next_step(self) -> None:
        request, seconds = self._steps.pop(0)
        transport = self._transport
        stdin = None if transport is None else transport.get_pipe_transport(0)
        if stdin is None or stdin.is_closing():
            self.kill("its pipe is closed", Loss.FOREIGN)
            return
        self._timer = self._loop.call_later(seconds, self._be_late, seconds)
        cast("asyncio.WriteTransport", stdin).write(framed(request))

    def _be_late(self, seconds: float) -> None:
        self.kill(f"no answer within {seconds:g} seconds", Loss.LATE)

    def _take(self, response: Response) -> None:
        if self._timer is None:
            self.kill("it spoke without being asked", Loss.BROKEN)
            return
        self._timer.cancel()
        self._timer = None
        if self._steps and not isinstance(response, Failed):
            self._next_step()
        else:
            self._conclude(response)

    def _conclude(self, outcome: Response | Lost) -> None:
        finish, self._finish = self._finish, None
        self._steps = []
        if finish is not None:
            finish(outcome)

    def _lose(self, why: str, loss: Loss) -> None:
        if self._lost is not None:
            return
        self._lost = Lost(why, loss)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._conclude(self._lost)

    # Events of the process.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It runs."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It said something."""
        if fd == 2:
            self._stderr = (self._stderr + data)[-_MOST_STDERR:]
        elif self._lost is None:
            try:
                for response in self._reader.feed(data):
                    self._take(response)
            except Garbled as error:
                self.kill(f"it answered with what is no message: {error}", Loss.BROKEN)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """It closed a pipe; most often it is just ending, and its status says more."""
        if fd == 1 and self._lost is None:
            wait = self._loop.call_later
            wait(_EXIT_SECONDS, self.kill, "it closed its pipe", Loss.BROKEN)

    def process_exited(self) -> None:
        """It is gone; what it wrote last may not have been read yet."""
        self._kill_group()
        self._loop.call_later(_DRAIN_SECONDS if self._lost is None else 0.0, self._end)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, and everything it wrote was read."""
        self._end()

    def _end(self) -> None:
        if self._gone.done():
            return
        self._gone.set_result(None)
        transport = self._transport
        code = None if transport is None else transport.get_returncode()
        self._lose(*_ending(code, bytes(self._stderr)))
        if transport is not None:
            transport.close()
        self._on_gone(self)


def environment(whole: Mapping[str, str]) -> dict[str, str]:
    """What a worker gets to see of `whole`, the environment of the gateway."""
    return {name: whole[name] for name in _KEPT if name in whole} | _ADDED


def _ending(code: int | None, said: bytes) -> tuple[str, Loss]:
    """How a process ended, in words, and whether that was its own doing."""
    if b"memory allocation of" in said or b"MemoryError" in said:
        return "it needs more memory than it may use", Loss.BROKEN
    if code == -signal.SIGSEGV:
        return "it is nested or recursive without end", Loss.BROKEN
    if code is None or code >= 0:
        return f"its process ended with status {code}{_last_line(said)}", Loss.BROKEN
    with suppress(ValueError):
        loss = Loss.FOREIGN if -code in _FROM_OUTSIDE else Loss.BROKEN
        return f"its process ended by {signal.Signals(-code).name}", loss
    return f"its process ended by signal {-code}", Loss.BROKEN


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return f": {lines[-1]}" if lines else ""

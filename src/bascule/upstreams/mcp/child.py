"""A child process that speaks in lines: started without a shell, ended with all its descendants.

It is in a process group of its own, which is killed as a whole. Should the gateway die without
ending it, its input ends, and on Linux a keeper that was started in between kills the group.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, cast

from bascule.upstreams.mcp.stderr import StderrLog

_INHERITED: Final = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TERM",
    "TMPDIR", "TZ", "SYSTEMROOT",
)  # fmt: skip
_DRAIN_SECONDS: Final = 0.5
_EXIT_SECONDS: Final = 0.1
_KEEPER: Final = Path(__file__).with_name("keeper.py")


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: `argv`, and the whole environment of it."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]

    @classmethod
    def of(
        cls,
        argv: tuple[str, ...],
        configured: Mapping[str, str],
        inherited: Mapping[str, str] | None = None,
    ) -> Self:
        """Let through only harmless variables of `inherited` (this process's own by default).

        Secrets of the gateway stay out; `configured` is added on top.
        """
        source = os.environ if inherited is None else inherited
        environment = {name: source[name] for name in _INHERITED if name in source}
        return cls(argv, {**environment, **configured})

    def locate(self) -> str:
        """The path of the program, by the PATH of `environment`.

        Raises:
            FileNotFoundError: there is none; the message says which.
        """
        program = shutil.which(self.argv[0], path=self.environment.get("PATH"))
        if program is None:
            raise FileNotFoundError(f"there is no command {self.argv[0]!r} in PATH")
        return program


class ChildEvents:
    """What happens to a child, as callbacks; both are called on the event loop."""

    def __init__(self, on_line: Callable[[bytes], None], on_end: Callable[[str], None]) -> None:
        """`on_end` gets the reason in words, once, when no more lines will come."""
        self.on_line = on_line
        self.on_end = on_end


class Child(asyncio.SubprocessProtocol):
    """A running child. `max_line_bytes` bounds a line of output, and input it does not read."""

    def __init__(self, name: str, events: ChildEvents, max_line_bytes: int) -> None:
        self._events = events
        self._max_line_bytes = max_line_bytes
        self._stderr = StderrLog(name)
        self._rest = bytearray()
        self._transport: asyncio.SubprocessTransport | None = None
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._output_closed = False
        self._ended = False

    @classmethod
    async def start(
        cls, name: str, command: Command, events: ChildEvents, max_line_bytes: int
    ) -> Self:
        """Start `command`.

        Raises:
            OSError: it cannot be started; the message says why.
        """
        program = command.locate()
        argv = [program, *command.argv[1:]]
        if sys.platform == "linux" and sys.executable:
            keeper = [sys.executable, "-I", "-S", str(_KEEPER), str(os.getpid()), program]
            argv = [*keeper, *command.argv]
        child = cls(name, events, max_line_bytes)
        transport, _ = await asyncio.get_running_loop().subprocess_exec(
            lambda: child,
            *argv,
            env=dict(command.environment),
            start_new_session=True,
        )
        child._transport = transport
        return child

    @property
    def is_running(self) -> bool:
        """Lines can be sent to it."""
        return not (self._ended or self._output_closed)

    def write(self, line: bytes) -> bool:
        """Send one line; False where the child has stopped reading or running."""
        transport = self._transport
        if transport is None or self._ended or self._output_closed:
            return False
        stdin = cast("asyncio.WriteTransport | None", transport.get_pipe_transport(0))
        if stdin is None or stdin.is_closing():
            return False
        if stdin.get_write_buffer_size() > self._max_line_bytes:
            return False
        stdin.write(line + b"\n")
        return True

    def kill(self) -> None:
        """End the whole process group at once."""
        self._signal(signal.SIGKILL)

    async def close(self, grace_seconds: float) -> None:
        """End the child: end of input, then SIGTERM, then SIGKILL, `grace_seconds` apart.

        Source: specification 2026-07-28, basic/transports/stdio "Shutdown".
        """
        transport = self._transport
        if transport is None:
            return
        stdin = transport.get_pipe_transport(0)
        if stdin is not None:
            stdin.close()
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                self._signal(number)
            done, _ = await asyncio.wait([self._gone], timeout=grace_seconds)
            if done:
                break
        transport.close()

    def _signal(self, number: signal.Signals) -> None:
        transport = self._transport
        if transport is None or self._gone.done():
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), number)

    # Events from the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The child runs."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Output came."""
        if fd == 2:
            self._stderr.feed(data)
            return
        self._rest += data
        if b"\n" in data:
            *lines, rest = bytes(self._rest).split(b"\n")
            self._rest = bytearray(rest)
            for line in lines:
                self._events.on_line(line)
        if len(self._rest) > self._max_line_bytes:
            self._end(f"it wrote a line larger than {self._max_line_bytes} bytes")
            self.kill()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """The child closed a pipe; without its output it is of no use."""
        if fd == 2:
            self._stderr.end()
        elif fd == 1:
            self._output_closed = True
            if self._gone.done():
                self._end(self._exit_reason())
            else:
                # Most often it is just ending, and its status says more.
                asyncio.get_running_loop().call_later(_EXIT_SECONDS, self._end_closed)

    def _end_closed(self) -> None:
        self._end("it closed its output")
        self._signal(signal.SIGTERM)

    def process_exited(self) -> None:
        """The child is gone; what it left behind in its group goes, too."""
        self._signal(signal.SIGKILL)
        if not self._gone.done():
            self._gone.set_result(None)
        if self._output_closed:
            self._end(self._exit_reason())
            return
        # Its last lines may still be in the pipe; a descendant that holds the pipe open may not
        # keep callers waiting.
        asyncio.get_running_loop().call_later(_DRAIN_SECONDS, self._end, self._exit_reason())

    def _exit_reason(self) -> str:
        code = None if self._transport is None else self._transport.get_returncode()
        return f"its process ended with status {code}"

    def _end(self, reason: str) -> None:
        if not self._ended:
            self._ended = True
            self._rest.clear()
            self._events.on_end(reason)

"""Standard input and output as a pair of pipes that an event loop can wait for."""

import asyncio
import os
import select
import signal
import stat
import sys
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager

from bascule.transports import stdio

_CHUNK_BYTES = 64 * 1024


class Pipes:
    """Standard input and output, for MCP alone: what else is printed goes to standard error."""

    def __init__(self, source: stdio.Source, sink: stdio.Pipe) -> None:
        self.source = source
        self.sink = sink

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncGenerator["Pipes"]:
        """Take both over while the block runs; files, devices and terminals will do, too."""
        # Whatever prints without thinking must not end up between the messages.
        private = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        source = await _source()
        if not _is_channel(private):
            with os.fdopen(private, "wb", buffering=0) as file:
                yield cls(source, _File(file.fileno()))
            return
        loop = asyncio.get_running_loop()
        pipe = os.fdopen(private, "wb", buffering=0)
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.streams.FlowControlMixin(loop), pipe
        )
        writer = asyncio.StreamWriter(transport, protocol, None, loop)
        try:
            yield cls(source, writer)
        finally:
            transport.close()


async def _source() -> stdio.Source:
    loop = asyncio.get_running_loop()
    number = sys.stdin.fileno()
    if not (_is_channel(number) or os.isatty(number)):
        return _FileSource(number)
    reader = asyncio.StreamReader(limit=_CHUNK_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


class _FileSource:
    """A file to read from, or a device such as /dev/null, which an event loop cannot wait for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def read(self, n: int) -> bytes:
        """Up to `n` bytes; b"" at the end."""
        return await asyncio.to_thread(os.read, self._descriptor, n)


class _File:
    """A file or a device to write to, which an event loop cannot wait for and need not.

    A terminal is one, too; it does not block where its input is waited for.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        """Write all of `data`."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                select.select((), (self._descriptor,), ())

    async def drain(self) -> None:
        """Everything is written already."""


def _is_channel(descriptor: int) -> bool:
    """Whether it is a pipe or a socket.

    libuv aborts the process over files and most devices. It reads what it writes to, which on a
    terminal would take the input away; reading a terminal is all right.
    """
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


async def until_stopped(talk: Awaitable[None]) -> None:
    """Wait for `talk`, or for SIGTERM or SIGINT, which end it as the end of the input does."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(talk)
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, task.cancel)
    try:
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()
    finally:
        task.cancel()
        for number in numbers:
            loop.remove_signal_handler(number)

"""MCP over a pair of pipes: one JSON-RPC message per line.

Source: specification 2026-07-28, basic/transports/stdio.
"""

import asyncio
from typing import Final, Protocol

from bascule.protocol.codes import INVALID_REQUEST
from bascule.protocol.results import encode_error
from bascule.transports.duplex import Duplex
from bascule.transports.lines import LineSplitter

_GRACE_SECONDS: Final = 1.0
"""What calls under way get after the last line: `echo … | bascule stdio` has its answer."""
_CHUNK_BYTES: Final = 64 * 1024


class Source(Protocol):
    """Where bytes come from; `asyncio.StreamReader` is one."""

    async def read(self, n: int) -> bytes:
        """Up to `n` bytes, at least one; b"" after the last."""
        ...


class Pipe(Protocol):
    """Where bytes go to; `asyncio.StreamWriter` is one."""

    def write(self, data: bytes) -> None:
        """Send `data`, now or later."""
        ...

    async def drain(self) -> None:
        """Wait until more can be sent.

        Raises:
            OSError: nobody reads any more.
        """
        ...


async def serve(duplex: Duplex, source: Source, pipe: Pipe, max_line_bytes: int) -> None:
    """Hold the conversation until the other side ends it, or nobody reads any more.

    What is then still under way is cancelled by closing `duplex`, which belongs to the caller.
    """
    loop = asyncio.get_running_loop()
    # Not a TaskGroup: the first to end ends the other, and neither is a failure.
    reader = loop.create_task(_read(duplex, source, max_line_bytes))
    writer = loop.create_task(_write(duplex, pipe))
    try:
        await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
        duplex.drain()
        await asyncio.wait({writer}, timeout=_GRACE_SECONDS)
    finally:
        reader.cancel()
        writer.cancel()
        await asyncio.gather(reader, writer, return_exceptions=True)


async def _read(duplex: Duplex, source: Source, max_line_bytes: int) -> None:
    splitter = LineSplitter(max_line_bytes)
    while data := await source.read(_CHUNK_BYTES):
        for line in splitter.feed(data):
            if line is None:
                text = f"A message has up to {max_line_bytes} bytes on one line."
                duplex.outbox.put(encode_error(None, INVALID_REQUEST, text))
            elif line.strip():
                await duplex.take(line)


async def _write(duplex: Duplex, pipe: Pipe) -> None:
    while (message := await duplex.outbox.next()) is not None:
        # Line ends in JSON are white space between its tokens; here they would end the message.
        pipe.write(message.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
        await pipe.drain()

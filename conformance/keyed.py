"""A way to the gateway that brings a key: `python -m conformance.keyed PORT TO KEY_FILE`.

The suite has no key to send. This listens on PORT of the loopback interface and passes bytes on to
port TO as they come, both ways; all it adds is an Authorization header to each request.
"""

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from typing import Final

_CHUNK: Final = 65_536
_LENGTH: Final = b"content-length"


class Keyed:
    """Passes connections on, each to one of its own that ends with it."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._header = f"Authorization: Bearer {key}\r\n".encode()

    async def serve(self, client: StreamReader, answers: StreamWriter) -> None:
        """One connection; when either side closes, so is the other, as a cancelled call needs."""
        replies, gateway = await asyncio.open_connection("127.0.0.1", self._port)
        ways = [
            asyncio.ensure_future(self._requests(client, gateway)),
            asyncio.ensure_future(_copy(replies, answers)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        gateway.close()
        answers.close()

    async def _requests(self, client: StreamReader, gateway: StreamWriter) -> None:
        while True:
            head = await client.readuntil(b"\r\n\r\n")
            first, rest = head.split(b"\r\n", 1)
            gateway.write(first + b"\r\n" + self._header + rest)
            await _pass(client, gateway, _body_bytes(rest))


def _body_bytes(headers: bytes) -> int:
    """How much follows a request's head; the suite's requests always say how long they are."""
    fields = dict(line.split(b":", 1) for line in headers.lower().split(b"\r\n") if line)
    if b"transfer-encoding" in fields:
        raise ValueError("a request without a length")
    return int(fields.get(_LENGTH, b"0"))


async def _pass(reader: StreamReader, writer: StreamWriter, size: int) -> None:
    while size:
        chunk = await reader.read(min(size, _CHUNK))
        if not chunk:
            raise EOFError
        writer.write(chunk)
        size -= len(chunk)
    await writer.drain()


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()


async def listen(port: int, keyed: Keyed) -> None:
    """Serve on `port` until stopped."""
    server = await asyncio.start_server(keyed.serve, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    """Listen as the command line says."""
    port, to, key_file = sys.argv[1:]
    asyncio.run(listen(int(port), Keyed(int(to), Path(key_file).read_text().strip())))


if __name__ == "__main__":
    main()

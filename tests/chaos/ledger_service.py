"""A service that writes down each order before it answers: `ledger_service.py PORT FILE`.

A line is handed to the system in one write, so it outlasts a kill -9. Answers take a moment, so
that a kill finds orders that are written down and not answered.
"""

import asyncio
import json
import os
import re
import sys
from contextlib import suppress

PAUSE_SECONDS = 0.01


async def serve_one(file: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, for as many requests as come."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target = head.split(" ")[:2]
            length = re.search(r"content-length: *(\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            if method != "GET":
                name = target.rpartition("/")[2] if method == "PUT" else json.loads(body)["id"]
                os.write(file, f"{name}\n".encode())
            await asyncio.sleep(PAUSE_SECONDS)
            answer = json.dumps({"done": target}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(answer), answer)
            )
            await writer.drain()
    writer.close()


async def main(port: int, path: str) -> None:
    """Serve until killed."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    server = await asyncio.start_server(
        lambda reader, writer: serve_one(file, reader, writer), "127.0.0.1", port
    )
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))

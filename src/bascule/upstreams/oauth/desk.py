"""Consent of the person who sits here: a browser goes out, and comes back to a loopback address.

Source: RFC 8252 section 7.3 and 8.3.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Self
from urllib.parse import urlsplit

from bascule.upstreams.oauth.asking import read_callback
from bascule.upstreams.oauth.ports import Callback, Pending

_PATH: Final = "/callback"
_HEAD_BYTES: Final = 16 * 1024
_HEAD_SECONDS: Final = 10.0
_PAGE: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    "<body style='font: 1.1rem system-ui; margin: 4rem auto; max-width: 32rem'>"
    "<h1>{title}</h1><p>{text}</p>"
)
_DONE: Final = (200, "Done", "You can close this window and go back to where you came from.")
_STRAY: Final = (400, "Nobody waits for this", "The request has ended, or was not made here.")
_NOTHING: Final = (404, "Nothing here", "This address only takes people back to their client.")


class DeskConsent:
    """Shows the address to a person, and listens until they are back; a `Consent`."""

    def __init__(self, redirect_uri: str, show: Callable[[str], None]) -> None:
        """`show` brings an address to the person, and does not wait."""
        self._redirect_uri = redirect_uri
        self._show = show
        self._waiting: dict[str, asyncio.Future[Callback]] = {}

    @classmethod
    @asynccontextmanager
    async def listening(cls, show: Callable[[str], None]) -> AsyncGenerator[Self]:
        """Listen on a free port of the loopback interface while the block runs."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            consent = cls(f"http://127.0.0.1:{listener.getsockname()[1]}{_PATH}", show)
            server = await asyncio.start_server(consent.serve, sock=listener, limit=_HEAD_BYTES)
            async with server:
                yield consent

    @property
    def redirect_uri(self) -> str:
        """Where browsers come back to."""
        return self._redirect_uri

    async def ask(self, pending: Pending) -> Callback:
        """Show the address, and wait for the answer that belongs to it."""
        answer: asyncio.Future[Callback] = asyncio.get_running_loop().create_future()
        self._waiting[pending.state] = answer
        try:
            self._show(pending.url)
            return await answer
        finally:
            self._waiting.pop(pending.state, None)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request in; the connection ends with it."""
        with suppress(
            OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(*self._answer(head.decode("latin-1"))))
                await writer.drain()
        writer.close()

    def _answer(self, head: str) -> tuple[int, str, str]:
        first, *lines = head.split("\r\n")
        words = first.split(" ")
        hosts = [line.partition(":")[2].strip() for line in lines if _is_host(line)]
        # A page elsewhere could make a browser come here under a name of its own.
        if hosts != [urlsplit(self._redirect_uri).netloc] or len(words) != 3 or words[0] != "GET":
            return _NOTHING
        path, _, query = words[1].partition("?")
        if path != _PATH:
            return _NOTHING
        callback = read_callback(query)
        waiting = None if callback is None else self._waiting.pop(callback.state, None)
        if callback is None or waiting is None or waiting.done():
            return _STRAY
        waiting.set_result(callback)
        return _DONE


def _is_host(line: str) -> bool:
    return line.partition(":")[0].strip().lower() == "host"


def _response(status: int, title: str, text: str) -> bytes:
    body = _PAGE.format(title=title, text=text).encode()
    head = (
        f"HTTP/1.1 {status} -\r\ncontent-type: text/html; charset=utf-8\r\n"
        f"content-length: {len(body)}\r\ncache-control: no-store\r\n"
        "referrer-policy: no-referrer\r\n"
        "content-security-policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body

"""An HTTP exchange in memory: what a client sends, and what came back."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any


class FakeExchange:
    """One request, played to an ASGI endpoint through `scope`, `receive` and `send`.

    After the body `receive` waits until the client hangs up.
    """

    def __init__(
        self,
        *chunks: bytes,
        headers: Iterable[tuple[str, str]] = (),
        method: str = "POST",
        complete: bool = True,
    ) -> None:
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": "/mcp",
            "client": ("127.0.0.1", 50_000),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        }
        self.sent: list[dict[str, Any]] = []
        self.receives = 0
        self.hung_up = asyncio.Event()
        self._chunks = list(chunks)
        self._complete = complete

    def hang_up(self) -> None:
        """The client closes the connection."""
        self.hung_up.set()

    async def receive(self) -> dict[str, Any]:
        """The next piece of the body, then the disconnect."""
        self.receives += 1
        if self._chunks:
            chunk = self._chunks.pop(0)
            more = bool(self._chunks) or not self._complete
            return {"type": "http.request", "body": chunk, "more_body": more}
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: dict[str, Any]) -> None:
        """Keep what the endpoint answers."""
        self.sent.append(event)

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        """The body of the answer."""
        return b"".join(event.get("body", b"") for event in self.sent[1:])

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON-RPC message of the answer."""
        return json.loads(self.body)

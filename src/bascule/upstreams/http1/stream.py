"""A response whose body is read while it comes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self

from bascule.upstreams.http1.connection import Connection
from bascule.upstreams.http1.failures import Disconnected, describe, failed
from bascule.upstreams.http1.messages import HttpRequest, find_header

Opener = Callable[[HttpRequest, float], Awaitable[Connection]]
"""Sends a request and waits until its deadline for the header section of the response."""


class ResponseStream:
    """A response whose body is read as it comes; an async context manager and iterator.

    Iterating yields pieces of the body as they arrived, and may raise what `request` raises.
    """

    def __init__(
        self, opener: Opener, request: HttpRequest, deadline: float, max_body_bytes: int
    ) -> None:
        """`max_body_bytes` bounds `read`, not the iteration."""
        self._open = opener
        self._request = request
        self.deadline = deadline
        self._max_body_bytes = max_body_bytes
        self._connection: Connection | None = None
        self.status = 0
        self.headers: list[tuple[str, str]] = []

    def header(self, name: str) -> str | None:
        """The first value of `name` (given in lower case)."""
        return find_header(self.headers, name)

    async def __aenter__(self) -> Self:
        self._connection = connection = await self._open(self._request, self.deadline)
        self.status = connection.reader.status
        self.headers = connection.reader.headers
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if kind is not None or not connection.is_open:
            connection.abort()
        else:
            connection.linger()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self.next_piece():
            yield piece

    async def next_piece(self) -> bytes:
        """The next piece of the body, b"" at its end."""
        if self._connection is None:
            raise RuntimeError("the stream is not open: use it within its `async with` block")
        try:
            return await self._connection.next_piece()
        except Disconnected as cut:
            raise failed(self._request.origin, describe(cut)) from cut

    async def read(self) -> bytes:
        """The whole remaining body.

        Raises:
            UpstreamFailed: it is larger than `max_body_bytes`, or broke off.
        """
        limit = self._max_body_bytes
        pieces: list[bytes] = []
        size = 0
        while piece := await self.next_piece():
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise failed(self._request.origin, f"its answer is larger than {limit} bytes")
        return b"".join(pieces)

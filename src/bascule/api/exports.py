"""Exports of the journal: all of it is read, and neither calls nor other tenants wait for that."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import contextmanager
from typing import Final

from bascule.gateway.errors import ErrorCode, GatewayError

MOST_PER_TENANT: Final = 2
"""Each keeps a file open, and a block in memory, for as long as its reader takes."""


class TooManyExports(GatewayError):
    """The tenant's records are being exported often enough at this time."""

    error = ErrorCode.RATE_LIMITED


class Exports:
    """Those under way. Of all of them one reads at a time: what they read is in use by calls."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._turn = asyncio.Semaphore(1)

    @contextmanager
    def place(self, tenant: str) -> Generator[None]:
        """Count as an export of `tenant` while the block runs.

        Raises:
            TooManyExports: there are `MOST_PER_TENANT` already.
        """
        if self._running[tenant] >= MOST_PER_TENANT:
            raise TooManyExports(
                f"{MOST_PER_TENANT} exports of this tenant are under way. Let one of them end, "
                "then try again.",
            )
        self._running[tenant] += 1
        try:
            yield
        finally:
            self._running -= Counter({tenant: 1})

    async def read(self, blocks: Iterator[bytes]) -> AsyncGenerator[bytes]:
        """The `blocks`, each read in a thread as soon as it is this export's turn."""
        while True:
            async with self._turn:  # not while a reader takes its time
                block = await asyncio.to_thread(next, blocks, None)
            if block is None:
                return
            if block:
                yield block

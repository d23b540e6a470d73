"""How the person who runs `bascule proxy` consents to access to the server behind it."""

import asyncio
import webbrowser
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.oauth.desk import DeskConsent
from bascule.upstreams.oauth.headless import HeadlessConsent
from bascule.upstreams.oauth.memory import MemoryGrants, MemoryRegistrations
from bascule.upstreams.oauth.setup import Setup

_PERSON_SECONDS: Final = 600.0
_HEADLESS_SECONDS: Final = 60.0
_NOWHERE: Final = "http://127.0.0.1:8765/callback"
"""Where redirects end without anybody to listen. Registered, so it should not change."""


@asynccontextmanager
async def at_desk(
    tell: Callable[[str], None], document_url: str = "", *, opens_browser: bool = True
) -> AsyncGenerator[Setup]:
    """A person consents in a browser; `tell` gives them the address. Grants go with the block."""

    def show(url: str) -> None:
        tell(url)
        if opens_browser:
            # Some browsers are started in the foreground; nothing here may wait for that.
            asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)

    async with DeskConsent.listening(show) as consent:
        yield Setup(
            MemoryGrants(),
            MemoryRegistrations(),
            consent,
            document_url,
            one_person=True,
            consent_seconds=_PERSON_SECONDS,
        )


@asynccontextmanager
async def headless(document_url: str = "") -> AsyncGenerator[Setup]:
    """Nobody is asked: authorization servers must send everybody straight back."""
    async with HttpClient(PoolConfig(max_connections=4)) as client:
        yield Setup(
            MemoryGrants(),
            MemoryRegistrations(),
            HeadlessConsent(client, _NOWHERE),
            document_url,
            one_person=True,
            consent_seconds=_HEADLESS_SECONDS,
        )

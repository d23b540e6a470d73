"""An instance in the test's own event loop, on a real socket: lane, doors, pages and REST API."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from bascule.app.instance import Instance, open_instance
from bascule.app.serving import ListenConfig, bind, listen
from bascule.gateway.issuer import Issuer
from bascule.gateway.kernel import Edition
from bascule.gateway.principal import KeyRecord
from bascule.identity.api_keys import digest_of
from bascule.settings.loading import load


@dataclass(frozen=True)
class Site:
    """An instance that serves at `url`."""

    instance: Instance
    url: str
    client: httpx2.AsyncClient

    @property
    def api(self) -> FastAPI:
        """What answers everything that is neither MCP nor a page."""
        api = self.instance.front._control
        assert isinstance(api, FastAPI)
        return api

    def believe(self, *issuers: Issuer) -> None:
        """Have these issuers in force, and no others, until something is changed."""
        gateway = self.instance.live.gateway
        old = gateway._edition
        snapshot = replace(old.snapshot, issuers={one.issuer: one for one in issuers})
        gateway.replace(Edition(snapshot, old.pipeline))

    async def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Send a request; no answer may be a failure, or show the inside."""
        async with asyncio.timeout(10):
            response = await self.client.request(method, path, **options)
        assert "Traceback" not in response.text
        assert 'File "' not in response.text
        assert response.status_code < 500, (method, path, response.text)
        return response


@asynccontextmanager
async def fronted(
    folder: Path, keys: Mapping[str, KeyRecord], **settings: str
) -> AsyncGenerator[Site]:
    """An instance on `folder` that knows `keys`, by their secrets; settings by `section__name`."""
    overrides = {f"BASCULE_{name.upper()}": value for name, value in settings.items()}
    listener, ready, stop = bind(ListenConfig(port=0)), asyncio.Event(), asyncio.Event()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    known = {digest_of(secret): record for secret, record in keys.items()}
    async with asyncio.timeout(120), AsyncExitStack() as stack:
        stack.callback(listener.close)
        opened = open_instance(load(None, overrides), folder, known, url)
        instance = await stack.enter_async_context(opened)
        instance.health.start()
        group = await stack.enter_async_context(asyncio.TaskGroup())
        stack.callback(stop.set)
        serving = listen(
            instance.front, listener, ListenConfig(grace_seconds=2),
            on_ready=ready.set, on_drain=lambda: None, until=_set(stop),
        )  # fmt: skip
        group.create_task(serving)
        await ready.wait()
        client = httpx2.AsyncClient(base_url=url, timeout=10, trust_env=False)
        await stack.enter_async_context(client)
        yield Site(instance, url, client)


async def _set(event: asyncio.Event) -> None:
    await event.wait()

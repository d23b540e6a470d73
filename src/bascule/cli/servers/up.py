"""All roles in one process, until it is told to stop."""

import os
import sys
import time
import webbrowser
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from bascule.app.declared.following import folder_key, following
from bascule.app.demo import publish_booking, running_booking, with_look
from bascule.app.instance import Instance, open_instance
from bascule.app.keyfile import ensure_key
from bascule.app.private import ADMIN_KEY, DEMO_KEY
from bascule.app.ready import Ready, hold, write_ready
from bascule.app.serving import base_url, bind, listen, listen_config, own_certificate
from bascule.cli.announcement import announce
from bascule.settings.loading import Loaded


def run(loaded: Loaded, data: Path, *, demo: bool, browser: bool) -> None:
    """Serve `data`, with the booking example on demand, and say so once it is ready."""
    uvloop.run(_up(loaded, data, demo=demo, browser=browser))


async def _up(loaded: Loaded, data: Path, *, demo: bool, browser: bool) -> None:
    started = time.monotonic()
    server = loaded.settings.server
    config = listen_config(server)
    listener = bind(config)
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        key = folder_key(loaded)
        url = base_url(listener, config)
        shown = with_look(loaded) if demo else loaded
        instance = await stack.enter_async_context(open_instance(shown, data, key.records, url))
        stack.enter_context(hold(data))
        demo_key = await _prepare(stack, instance, data, demo=demo)
        ready = Ready(
            f"{url}/mcp",
            f"{url}/api",
            os.getpid(),
            admin_key_file=ADMIN_KEY,
            demo_key_file=DEMO_KEY if demo else None,
            certificate=own_certificate(config),
        )
        await stack.enter_async_context(following(instance.front, loaded, data, key))
        setup = await instance.sign_in.setup.issue()

        def on_ready() -> None:
            instance.health.start()
            write_ready(data, ready)
            seconds = time.monotonic() - started
            announce(ready, data, seconds=seconds, setup=setup, demo_key=demo_key)
            if browser and _has_screen():
                webbrowser.open(f"{url}{setup or '/'}")

        def on_drain() -> None:
            instance.health.drain()
            print("Stopping: calls under way may finish.", file=sys.stderr)

        await listen(instance.front, listener, config, on_ready=on_ready, on_drain=on_drain)


async def _prepare(
    stack: AsyncExitStack, instance: Instance, data: Path, *, demo: bool
) -> str | None:
    """See that the keys are there, and the booking service on demand; gives the demo's key."""
    snapshot = instance.live.gateway.snapshot
    owner = frozenset({"admin", "system_admin"})
    admin_key = await ensure_key(
        instance.database, snapshot, data / ADMIN_KEY, _key_name("bascule up", data), owner
    )
    demo_key = None
    if demo:
        demo_key = await ensure_key(
            instance.database,
            snapshot,
            data / DEMO_KEY,
            _key_name("demo", data),
            frozenset({"user"}),
        )
    await instance.live.refresh()
    if demo:
        booking = await stack.enter_async_context(running_booking(data))
        await publish_booking(instance.front, admin_key, booking)
    return demo_key


def _key_name(purpose: str, data: Path) -> str:
    """A name of its own for each data directory: several may share a database."""
    return f"{purpose} ({data.resolve()})"[-100:]


def _has_screen() -> bool:
    return sys.stdout.isatty() and (sys.platform == "darwin" or bool(os.environ.get("DISPLAY")))

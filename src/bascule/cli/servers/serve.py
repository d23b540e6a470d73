"""An instance for others, until it is told to stop."""

import os
from collections.abc import Callable
from pathlib import Path

import structlog
import uvloop

from bascule.app.declared.following import folder_key, following
from bascule.app.instance import open_instance
from bascule.app.ready import Ready, hold, write_ready
from bascule.app.reloading import reload_on_hangup
from bascule.app.serving import base_url, bind, listen, listen_config, own_certificate
from bascule.settings.loading import Loaded

_log = structlog.get_logger(__name__)


def run(loaded: Loaded, data: Path, read: Callable[[], Loaded]) -> None:
    """Serve `data`; on SIGHUP, `read` gives the settings anew."""
    uvloop.run(_serve(loaded, data, read))


async def _serve(loaded: Loaded, data: Path, read: Callable[[], Loaded]) -> None:
    server = loaded.settings.server
    config = listen_config(server)
    listener = bind(config)
    url = base_url(listener, config)
    try:
        key = folder_key(loaded)
        async with (
            open_instance(loaded, data, key.records, url) as instance,
            following(instance.front, loaded, data, key),
        ):

            def on_ready() -> None:
                instance.health.start()
                reload_on_hangup(loaded, read)
                certificate = own_certificate(config)
                ready = Ready(f"{url}/mcp", f"{url}/api", os.getpid(), certificate=certificate)
                write_ready(data, ready)
                _log.info("server.ready", mcp_url=f"{url}/mcp", pid=os.getpid())

            def on_drain() -> None:
                instance.health.drain()
                _log.info("server.draining", grace_seconds=config.grace_seconds)

            with hold(data):
                await listen(instance.front, listener, config, on_ready=on_ready, on_drain=on_drain)
    finally:
        listener.close()

"""An instance for others, until it is told to stop."""

import os
from pathlib import Path

import structlog
import uvloop

from bascule.app.instance import open_instance
from bascule.app.ready import Ready, hold, write_ready
from bascule.app.serving import ListenConfig, base_url, bind, listen
from bascule.settings.loading import Loaded

_log = structlog.get_logger(__name__)


def run(loaded: Loaded, data: Path) -> None:
    """Serve `data`."""
    uvloop.run(_serve(loaded, data))


async def _serve(loaded: Loaded, data: Path) -> None:
    server = loaded.settings.server
    config = ListenConfig(
        server.host, server.port, server.allow_remote, server.shutdown_grace_seconds
    )
    listener = bind(config)
    url = base_url(listener)
    try:
        async with open_instance(loaded, data) as instance:

            def on_ready() -> None:
                instance.health.start()
                write_ready(data, Ready(f"{url}/mcp", f"{url}/api", os.getpid()))
                _log.info("server.ready", mcp_url=f"{url}/mcp", pid=os.getpid())

            def on_drain() -> None:
                instance.health.drain()
                _log.info("server.draining", grace_seconds=config.grace_seconds)

            with hold(data):
                await listen(instance.front, listener, config, on_ready=on_ready, on_drain=on_drain)
    finally:
        listener.close()

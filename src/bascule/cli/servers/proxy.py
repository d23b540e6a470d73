"""One MCP server behind the gateway, until it is told to stop."""

from pathlib import Path

import typer
import uvloop

from bascule.app.proxy import open_proxy
from bascule.app.serving import ListenConfig, base_url, bind, listen
from bascule.gateway.tool import Upstream
from bascule.settings.loading import Loaded


def run(loaded: Loaded, data: Path, upstream: Upstream) -> None:
    """Relay `upstream`."""
    uvloop.run(_proxy(loaded, data, upstream))


async def _proxy(loaded: Loaded, data: Path, upstream: Upstream) -> None:
    config = ListenConfig(port=loaded.settings.server.port)
    listener = bind(config)
    url = base_url(listener)
    directory = data / f"proxy-{listener.getsockname()[1]}" / "audit"
    try:
        async with open_proxy(loaded, upstream, directory) as (front, health):

            def on_ready() -> None:
                health.start()
                typer.echo(f"{url}/mcp relays {upstream.url or ' '.join(upstream.command)}")

            await listen(
                front,
                listener,
                config,
                on_ready=on_ready,
                on_drain=health.drain,
            )
    finally:
        listener.close()

"""One MCP server behind the gateway, until it is told to stop."""

from pathlib import Path

import typer
import uvloop

from bascule.app.proxy import NothingToRelay, open_proxy
from bascule.app.serving import ListenConfig, base_url, bind, listen
from bascule.cli.failures import CommandFailed, Exit
from bascule.gateway.tool import Upstream
from bascule.settings.loading import Loaded


def run(loaded: Loaded, data: Path, upstream: Upstream) -> None:
    """Relay `upstream`.

    Raises:
        CommandFailed: it lists no tools; says why, to the person who named it.
    """
    try:
        uvloop.run(_proxy(loaded, data, upstream))
    except NothingToRelay as nothing:
        raise CommandFailed(
            f"{_words(upstream)} cannot be relayed: {nothing.reason}.",
            Exit.UNREACHABLE,
            code=nothing.failure.error.code,
        ) from nothing


async def _proxy(loaded: Loaded, data: Path, upstream: Upstream) -> None:
    server = loaded.settings.server
    config = ListenConfig(port=server.port, grace_seconds=server.shutdown_grace_seconds)
    listener = bind(config)
    url = base_url(listener)
    directory = data / f"proxy-{listener.getsockname()[1]}"
    try:
        async with open_proxy(loaded, upstream, directory) as (front, health):

            def on_ready() -> None:
                health.start()
                typer.echo(f"{url}/mcp relays {_words(upstream)}")

            await listen(
                front,
                listener,
                config,
                on_ready=on_ready,
                on_drain=health.drain,
            )
    finally:
        listener.close()


def _words(upstream: Upstream) -> str:
    return upstream.url or " ".join(upstream.command)

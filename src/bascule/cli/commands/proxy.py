"""`bascule proxy`: one MCP server behind the gateway, on loopback, without an account."""

from pathlib import Path
from typing import Annotated

import typer
import uvloop

from bascule.app.proxy import open_proxy
from bascule.app.serving import ListenConfig, base_url, bind, listen
from bascule.cli.context import DEFAULT_DATA, DataOption, load_settings
from bascule.cli.failures import CommandFailed, Exit
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.settings.loading import Loaded
from bascule.telemetry.logs import configure_logging


def proxy(
    server: Annotated[
        list[str],
        typer.Argument(help="URL of an MCP server, or a command after --.", metavar="URL | -- CMD"),
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free.")] = 8000,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Put one MCP server, by URL or command, behind the gateway; its names stay as they are."""
    loaded = load_settings(data, {"server.port": port, "server.host": "127.0.0.1"})
    configure_logging(
        loaded.settings.observability.log_level, loaded.settings.observability.log_format
    )
    uvloop.run(_proxy(loaded, data, _upstream(server, loaded)))


def _upstream(server: list[str], loaded: Loaded) -> Upstream:
    limits = loaded.settings.upstreams
    if len(server) == 1 and server[0].startswith(("http://", "https://")):
        kind, url, command = UpstreamKind.MCP_HTTP, server[0], ()
    elif server[0].startswith("-"):
        raise CommandFailed(f"Unknown option {server[0]}; put a command after --.", Exit.USAGE)
    else:
        kind, url, command = UpstreamKind.MCP_STDIO, "", tuple(server)
    return Upstream(
        name="proxied",
        kind=kind,
        url=url,
        command=command,
        connect_timeout_seconds=limits.connect_timeout_seconds,
        timeout_seconds=limits.read_timeout_seconds,
    )


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

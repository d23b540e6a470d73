"""`bascule proxy`: one MCP server behind the gateway, on loopback, without an account."""

from typing import Annotated

import typer

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
    from bascule.cli.servers.proxy import run

    run(loaded, data, _upstream(server, loaded))


def _upstream(server: list[str], loaded: Loaded) -> Upstream:
    limits = loaded.settings.upstreams
    first, *rest = server
    if first.lower().startswith(("http://", "https://")):
        if rest:
            raise CommandFailed(
                f"{rest[0]} cannot follow a URL. `bascule proxy --help` lists the options.",
                Exit.USAGE,
            )
        kind, url, command = UpstreamKind.MCP_HTTP, first, ()
    elif first.startswith("-"):
        raise CommandFailed(f"Unknown option {first}; put a command after --.", Exit.USAGE)
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

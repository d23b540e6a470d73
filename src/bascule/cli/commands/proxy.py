"""`bascule proxy`: one MCP server behind the gateway, on loopback, without an account."""

from typing import Annotated

import typer

from bascule.app.trimming import without_collections
from bascule.cli.context import DEFAULT_DATA, DataOption, load_settings
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.signing_in import SignIn
from bascule.gateway.connector import DIRECT, Connector, UserGrants
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.settings.loading import Loaded
from bascule.telemetry.logs import configure_logging

_OAUTH = "Signing in at the server"


def proxy(
    server: Annotated[
        list[str],
        typer.Argument(help="URL of an MCP server, or a command after --.", metavar="URL | -- CMD"),
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free.")] = 8000,
    data: DataOption = DEFAULT_DATA,
    oauth: Annotated[
        bool,
        typer.Option("--oauth", help="In a browser, if it asks for it.", rich_help_panel=_OAUTH),
    ] = False,
    oauth_headless: Annotated[
        bool,
        typer.Option(
            "--oauth-headless",
            help="Without a person, at servers that send everybody straight back.",
            rich_help_panel=_OAUTH,
        ),
    ] = False,
    oauth_client_id: Annotated[
        str,
        typer.Option(
            help="The client you registered by hand; its secret goes into the variable "
            "BASCULE_OAUTH_CLIENT_SECRET.",
            rich_help_panel=_OAUTH,
        ),
    ] = "",
    oauth_issuer: Annotated[
        str,
        typer.Option(help="The server where you registered it.", rich_help_panel=_OAUTH),
    ] = "",
    oauth_scope: Annotated[
        list[str] | None,
        typer.Option(help="Asked for where the server names none.", rich_help_panel=_OAUTH),
    ] = None,
    oauth_client_document: Annotated[
        str,
        typer.Option(
            help="URL of a client document of yours, in place of a registration.",
            rich_help_panel=_OAUTH,
        ),
    ] = "",
) -> None:
    """Put one MCP server, by URL or command, behind the gateway; its names stay as they are."""
    loaded = load_settings(data, {"server.port": port, "server.host": "127.0.0.1"})
    configure_logging(
        loaded.settings.observability.log_level, loaded.settings.observability.log_format
    )
    with without_collections():
        from bascule.cli.servers.proxy import run

    signing_in = SignIn(
        person=oauth,
        headless=oauth_headless,
        wanted=UserGrants(oauth_client_id, "", oauth_issuer, tuple(oauth_scope or ())),
        document_url=oauth_client_document,
    )
    run(loaded, data, _upstream(server, loaded, signing_in.connector), signing_in)


def _upstream(server: list[str], loaded: Loaded, connector: Connector) -> Upstream:
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
    elif connector != DIRECT:
        raise CommandFailed("A command is not signed in at; give --oauth with a URL.", Exit.USAGE)
    else:
        kind, url, command = UpstreamKind.MCP_STDIO, "", tuple(server)
    return Upstream(
        name="proxied",
        kind=kind,
        url=url,
        command=command,
        connect_timeout_seconds=limits.connect_timeout_seconds,
        timeout_seconds=limits.read_timeout_seconds,
        connector=connector,
    )

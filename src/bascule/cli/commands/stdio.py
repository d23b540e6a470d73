"""`bascule stdio`: the gateway for clients that start their servers themselves."""

from typing import Annotated

import typer

from bascule.app.trimming import without_collections
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, load_settings
from bascule.cli.failures import CommandFailed, Exit
from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind
from bascule.telemetry.logs import configure_logging


def stdio(
    bundle: Annotated[str | None, typer.Option(help="Only the tools of this bundle.")] = None,
    server: Annotated[str | None, typer.Option(help="Only what this server offers.")] = None,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Speak MCP on standard input and output, for a desktop client's list of servers.

    Where an instance runs on the data directory, or --url names one, it answers; else this
    process opens the directory for itself.
    """
    endpoint = _endpoint(bundle, server)
    loaded = load_settings(data)
    configure_logging(
        loaded.settings.observability.log_level, loaded.settings.observability.log_format
    )
    with without_collections():
        from bascule.cli.servers.stdio import run

    run(loaded, data, endpoint, url=url, key=key)


def _endpoint(bundle: str | None, server: str | None) -> Endpoint:
    if bundle is not None and server is not None:
        raise CommandFailed("Give --bundle or --server, not both.", Exit.USAGE)
    for kind, name in ((EndpointKind.BUNDLE, bundle), (EndpointKind.SERVER, server)):
        if name is None:
            continue
        if not name or "/" in name:
            raise CommandFailed(f"{name!r} is no name of a {kind}.", Exit.USAGE)
        return Endpoint(kind, name)
    return EVERYTHING

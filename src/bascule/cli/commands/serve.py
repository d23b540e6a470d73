"""`bascule serve`: an instance for others, with settings from files and environment."""

from typing import Annotated

import typer

from bascule.app.trimming import without_collections
from bascule.cli.context import DEFAULT_DATA, DataOption, load_settings
from bascule.cli.failures import CommandFailed, Exit
from bascule.telemetry.logs import configure_logging


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0: any free.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes.")] = None,
    allow_remote: Annotated[
        bool | None, typer.Option("--allow-remote", help="Permit an address others can reach.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Serve with no demo and no keys made: production's way to start."""
    flags = {
        "server.host": host,
        "server.port": port,
        "server.workers": workers,
        "server.allow_remote": allow_remote,
    }
    loaded = load_settings(data, flags)
    configure_logging(
        loaded.settings.observability.log_level, loaded.settings.observability.log_format
    )
    if loaded.settings.server.workers > 1:
        raise CommandFailed(
            "More than one worker is not served yet: run one process per data directory. "
            "Set server.workers to 1.",
            Exit.USAGE,
        )
    with without_collections():
        from bascule.cli.servers.serve import run

    run(loaded, data, lambda: load_settings(data, flags))

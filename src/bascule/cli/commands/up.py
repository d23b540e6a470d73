"""`bascule up`: all roles in one process, on embedded defaults."""

from typing import Annotated

import typer

from bascule.app.trimming import without_collections
from bascule.cli.context import DEFAULT_DATA, DataOption, load_settings
from bascule.telemetry.logs import configure_logging


def up(
    demo: Annotated[bool, typer.Option("--demo", help="With the booking example.")] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open the start page.")
    ] = False,
) -> None:
    """Start an instance for yourself: no account, no other service, loopback only."""
    flags = {"server.port": port, "server.host": "127.0.0.1", "server.allow_remote": False}
    loaded = load_settings(data, flags)
    configure_logging(
        loaded.settings.observability.log_level, loaded.settings.observability.log_format
    )
    with without_collections():
        from bascule.cli.servers.up import run

    run(loaded, data, demo=demo, browser=not no_browser)

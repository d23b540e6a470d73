"""`bascule serve`: an instance for others, with settings from files and environment."""

import os
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop

from bascule.app.instance import open_instance
from bascule.app.ready import Ready, remove_ready, write_ready
from bascule.app.serving import ListenConfig, base_url, bind, listen
from bascule.cli.context import DEFAULT_DATA, DataOption, load_settings
from bascule.cli.failures import CommandFailed, Exit
from bascule.settings.loading import Loaded
from bascule.telemetry.logs import configure_logging

_log = structlog.get_logger(__name__)


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

            await listen(instance.front, listener, config, on_ready=on_ready, on_drain=on_drain)
    finally:
        listener.close()
        remove_ready(data)

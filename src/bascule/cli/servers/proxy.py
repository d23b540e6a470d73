"""One MCP server behind the gateway, until it is told to stop."""

from pathlib import Path

import typer
import uvloop

from bascule.app.proxy import NothingToRelay, open_proxy
from bascule.app.serving import ListenConfig, base_url, bind, listen
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.signing_in import SignIn
from bascule.gateway.tool import Upstream
from bascule.settings.loading import Loaded


def run(loaded: Loaded, data: Path, upstream: Upstream, signing_in: SignIn) -> None:
    """Relay `upstream`, signed in there where that is wanted.

    Raises:
        CommandFailed: it lists no tools; says why, to the person who named it.
    """
    try:
        uvloop.run(_proxy(loaded, data, upstream, signing_in))
    except NothingToRelay as nothing:
        wants_token = "(status 401)" in nothing.reason and upstream.connector.user_grants is None
        hint = " If you can sign in there, add --oauth." if wants_token else ""
        raise CommandFailed(
            f"{_words(upstream)} cannot be relayed: {nothing.reason}.{hint}",
            Exit.UNREACHABLE,
            code=nothing.failure.error.code,
        ) from nothing


async def _proxy(loaded: Loaded, data: Path, upstream: Upstream, signing_in: SignIn) -> None:
    server = loaded.settings.server
    config = ListenConfig(port=server.port, grace_seconds=server.shutdown_grace_seconds)
    listener = bind(config)
    url = base_url(listener, config)
    directory = data / f"proxy-{listener.getsockname()[1]}"
    try:
        async with (
            signing_in.open() as oauth,
            open_proxy(loaded, upstream, directory, oauth) as (front, health),
        ):

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

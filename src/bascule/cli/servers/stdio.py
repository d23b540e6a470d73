"""The gateway on standard input and output, until its client is done."""

from collections.abc import Callable
from pathlib import Path

import uvloop

from bascule.app.joint import join, socket_url
from bascule.app.pipes import Pipes
from bascule.app.ready import admin_key_of, read_ready
from bascule.app.slices import require_slice
from bascule.app.trimming import without_collections
from bascule.cli.connection import Target, connect, path_of
from bascule.cli.failures import CommandFailed
from bascule.cli.terminal import warn_of_file
from bascule.cli.trust import tls_of
from bascule.gateway.call import Endpoint, EndpointKind
from bascule.settings.loading import Loaded


def run(
    loaded: Loaded, data: Path, endpoint: Endpoint, *, url: str | None, key: str | None
) -> None:
    """Speak for the instance at `url`, the one running on `data`, or the directory itself."""
    uvloop.run(_speak(loaded, data, endpoint, url, key))


async def _speak(
    loaded: Loaded, data: Path, endpoint: Endpoint, url: str | None, key: str | None
) -> None:
    ready = read_ready(data) if url is None else None
    if ready is not None:
        url, key = ready.mcp_url, key or admin_key_of(data, ready, warn_of_file)
    if url is not None and endpoint.kind is not EndpointKind.ALL:
        await _require(Target(data, url, key), endpoint, lambda: loaded)
    async with Pipes.open() as pipes:
        if url is None:
            # Database and REST API are not for who only passes messages on: half the start.
            with without_collections():
                from bascule.app.stdio import serve_directory

            await serve_directory(loaded, data, endpoint, pipes, key)
        else:
            address = socket_url(url.rstrip("/").removesuffix("/mcp"), endpoint)
            own = None if ready is None else ready.certificate
            await join(address, key, pipes, tls_of(address, own))


async def _require(target: Target, endpoint: Endpoint, settings: Callable[[], Loaded]) -> None:
    """See whether the slice exists, where this caller may know; see `require_slice`."""
    try:
        async with connect(target, settings) as api:
            servers = (await api.get(path_of("servers")))["servers"]
            bundles = (await api.get(path_of("bundles")))["bundles"]
    except CommandFailed:
        return  # not permitted to know; or nothing is there, which joining it says
    bundle_names, names = ({one["name"] for one in found} for found in (bundles, servers))
    # An imported service is served under its own name, too, which begins with its bundle's.
    if endpoint.name.partition(".")[0] not in bundle_names:
        require_slice(endpoint, bundle_names, names)

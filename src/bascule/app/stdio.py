"""The gateway on a pair of pipes, opened by the process that speaks there."""

from contextlib import AsyncExitStack
from pathlib import Path

from bascule import __version__
from bascule.app.instance import LOCAL_TENANT, open_instance
from bascule.app.pipes import Pipes, until_stopped
from bascule.app.slices import require_slice
from bascule.audit.lock import JournalLocked
from bascule.gateway.call import Endpoint
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.principal import KeyRecord, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.identity.api_keys import digest_of, new_key
from bascule.protocol.results import Identity
from bascule.settings.loading import Loaded
from bascule.transports import stdio
from bascule.transports.channel import Caller, DuplexConfig
from bascule.transports.duplex import Duplex


class DirectoryTaken(GatewayError):
    """Another process opened the directory for itself alone."""

    error = ErrorCode.UNAVAILABLE


async def serve_directory(
    loaded: Loaded, data: Path, endpoint: Endpoint, pipes: Pipes, key: str | None
) -> None:
    """Open the instance on `data` and speak for it, until the other side ends.

    Without a `key` the caller is the owner: whoever may read the data directory is that already.

    Raises:
        DirectoryTaken: another process has it; says what to do.
        NotFound: there is no such slice; names those there are.
        GatewayError: it cannot be opened; says what to do.
    """
    server = loaded.settings.server
    made = new_key()
    owner = Principal(
        LOCAL_TENANT, "local", frozenset({"admin"}), frozenset({"system_admin"}), "local"
    )
    config = DuplexConfig(server.max_body_bytes, server.request_timeout_seconds)
    identity = Identity(name=loaded.settings.app.name, version=__version__)
    async with AsyncExitStack() as stack:
        extra_keys = {made.digest: KeyRecord("local", owner)}
        try:
            instance = await stack.enter_async_context(open_instance(loaded, data, extra_keys))
        except JournalLocked as locked:
            raise _taken(data, locked) from locked
        secret = key or made.secret
        _require(endpoint, instance.live.gateway.snapshot, secret)
        caller = Caller(endpoint, "stdio", secret)
        duplex = Duplex(instance.live.gateway, identity, caller, config)
        try:
            talk = stdio.serve(duplex, pipes.source, pipes.sink, config.max_message_bytes)
            await until_stopped(talk)
        finally:
            await duplex.close()


def _require(endpoint: Endpoint, snapshot: Snapshot, secret: str) -> None:
    record = snapshot.keys.get(digest_of(secret))
    if record is not None:  # else every call is refused, and says so
        view = snapshot.tenant(record.principal.tenant)
        require_slice(endpoint, view.bundles.keys() | view.bundle_tools.keys(), view.upstreams)


def _taken(data: Path, locked: JournalLocked) -> DirectoryTaken:
    owner = locked.details.get("owner") or "unknown"
    return DirectoryTaken(
        f"{data} is in use by process {owner}, which does not share it. Stop that one and start "
        "`bascule up` on it first; both then use it.",
        private=locked.private,
        details=locked.details,
    )

"""Adding, listing and removing MCP servers."""

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.resources.servers.schemas import (
    Server,
    ServerChecked,
    ServerCreate,
    ServerStatus,
)
from bascule.gateway.errors import Conflict, Forbidden, InvalidValue, NotFound
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.upstreams import StoredUpstream, Upstreams
from bascule.upstreams.http1 import Origin, prepare_headers

_SYSTEM_ADMIN = "system_admin"


async def list_servers(control: Control, caller: Caller) -> list[Server]:
    """Every MCP server of the caller's tenant."""
    async with control.read(caller) as rows:
        found = await Upstreams(rows.session, rows.tenant_id).list()
    return [
        _shown(one, _known(control, caller.tenant, one.upstream.name))
        for one in found
        if one.upstream.kind is not UpstreamKind.REST
    ]


async def check_server(control: Control, caller: Caller, name: str) -> ServerChecked:
    """Ask a server what it offers.

    Raises:
        NotFound: there is no MCP server of that name.
    """
    async with control.read(caller) as rows:
        await _require(rows, name)
    if control.standings is None:
        return ServerChecked(name=name)
    found = await control.standings.ask(caller.tenant, name)
    return ServerChecked(
        name=name, reached=found.reached, era=found.era, tools=found.tools, reason=found.reason
    )


async def add_server(control: Control, caller: Caller, wanted: ServerCreate) -> Server:
    """Add a server; it is asked for what it offers when somebody wants to know.

    Raises:
        InvalidValue: the URL or a header cannot be used.
        Forbidden: a command runs as the gateway does, so only a system administrator adds one.
        Conflict: the name is taken, by a bundle or by another service.
    """
    if wanted.command and not caller.principal.may(_SYSTEM_ADMIN):
        raise Forbidden(
            "A command runs with the rights of the gateway itself: only a system administrator "
            "may add one. Add the server by its URL.",
            details={"permission": _SYSTEM_ADMIN},
        )
    upstream = _upstream(wanted)
    # Headers may hold secrets, and so may a URL or the words of a command.
    details = {"kind": upstream.kind.value, "headers": sorted(wanted.headers)}
    async with control.change(caller, "server.add", wanted.name, details) as rows:
        await _refuse_taken(rows, wanted.name)
        stored = await Upstreams(rows.session, rows.tenant_id).upsert(upstream)
    return _shown(stored, _known(control, caller.tenant, wanted.name))


async def remove_server(control: Control, caller: Caller, name: str) -> None:
    """Remove a server; nothing of it is listed when this returns.

    Raises:
        NotFound: there is no MCP server of that name.
    """
    async with control.change(caller, "server.remove", name) as rows:
        await _require(rows, name)
        await Upstreams(rows.session, rows.tenant_id).delete(name)


async def _require(rows: Rows, name: str) -> None:
    found = await Upstreams(rows.session, rows.tenant_id).list()
    if name not in {one.upstream.name for one in found if one.upstream.kind != UpstreamKind.REST}:
        raise NotFound(f"There is no MCP server named {name}.")


def _upstream(wanted: ServerCreate) -> Upstream:
    if wanted.url:
        try:
            Origin.locate(wanted.url)
        except ValueError as error:
            raise InvalidValue(f"url: {error}", details={"field": "url"}) from None
        try:
            prepare_headers(tuple(wanted.headers.items()))
        except ValueError as error:
            raise InvalidValue(f"headers: {error}", details={"field": "headers"}) from None
    return Upstream(
        name=wanted.name,
        kind=UpstreamKind.MCP_HTTP if wanted.url else UpstreamKind.MCP_STDIO,
        url=wanted.url,
        command=tuple(wanted.command),
        headers=tuple(wanted.headers.items()),
        # What the settings say, also after they change.
        connect_timeout_seconds=0,
        timeout_seconds=wanted.timeout_seconds,
    )


async def _refuse_taken(rows: Rows, name: str) -> None:
    """A server is a bundle of its own name, at an endpoint of its own name."""
    upstreams = await Upstreams(rows.session, rows.tenant_id).list()
    bundles = await Bundles(rows.session, rows.tenant_id).list()
    if name in {one.upstream.name for one in upstreams} | {one.bundle.name for one in bundles}:
        raise Conflict(f"{name} names a bundle or another service already. Choose another name.")


def _known(control: Control, tenant: str, name: str) -> ServerStatus:
    if control.standings is None:
        return ServerStatus()
    found = control.standings.known(tenant, name)
    return ServerStatus(reached=found.reached, era=found.era, tools=found.tools)


def _shown(stored: StoredUpstream, status: ServerStatus) -> Server:
    upstream = stored.upstream
    return Server(
        name=upstream.name,
        kind=upstream.kind,
        url=upstream.url,
        command=list(upstream.command),
        header_names=[name for name, _ in upstream.headers],
        timeout_seconds=upstream.timeout_seconds,
        created_at=stored.created_at,
        status=status,
    )

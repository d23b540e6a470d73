"""Adding, listing and removing MCP servers."""

from dataclasses import replace

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.references import check_headers, check_references
from bascule.api.resources.servers.schemas import (
    Server,
    ServerChecked,
    ServerCreate,
    ServerStatus,
)
from bascule.api.user_grants import check_user_grants
from bascule.gateway.connector import DIRECT, Connector
from bascule.gateway.errors import Conflict, Forbidden, InvalidValue, NotFound
from bascule.gateway.tool import MCP_KINDS, Upstream, UpstreamKind
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.upstreams import StoredUpstream, Upstreams, refuse_move
from bascule.upstreams.http1 import Origin

_SYSTEM_ADMIN = "system_admin"


async def list_servers(control: Control, caller: Caller) -> list[Server]:
    """Every MCP server of the caller's tenant."""
    async with control.read(caller) as rows:
        found = await Upstreams(rows.session, rows.tenant_id).list()
    return [
        _shown(one, _known(control, caller.tenant, one.upstream.name))
        for one in found
        if one.upstream.kind in MCP_KINDS
    ]


async def check_server(control: Control, caller: Caller, name: str) -> ServerChecked:
    """Ask a server what it offers.

    Raises:
        NotFound: there is no MCP server of that name.
        RecordingFailed: that it was asked could not be recorded, so it was not.
    """
    async with control.read(caller) as rows:
        await _require(rows, name)
    if control.standings is None:
        return ServerChecked(name=name)
    await control.note_action(caller, "server.check", name)
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
    async with control.change(caller, "server.add", wanted.name, _details(wanted)) as rows:
        upstream = _checked(caller, wanted)
        await _refuse_taken(rows, wanted.name)
        stored = await Upstreams(rows.session, rows.tenant_id).upsert(upstream)
    return _shown(stored, _known(control, caller.tenant, wanted.name))


async def put_server(control: Control, caller: Caller, name: str, wanted: ServerCreate) -> Server:
    """Add a server, or make the one of that name like this; what was approved of it stays so.

    Raises:
        InvalidValue, Forbidden: as `add_server`; or the names differ.
        Conflict: the name is that of a bundle or of a service that is no MCP server.
    """
    if wanted.name != name:
        raise InvalidValue(
            f"The server is named {wanted.name} in the body and {name} in the path.",
            details={"field": "name"},
        )
    async with control.change(caller, "server.put", name, _details(wanted)) as rows:
        upstream = _checked(caller, wanted)
        upstreams = Upstreams(rows.session, rows.tenant_id)
        servers = {
            one.upstream.name: one.upstream
            for one in await upstreams.list()
            if one.upstream.kind in MCP_KINDS
        }
        known = servers.get(name)
        if known is None:
            await _refuse_taken(rows, name)
        else:
            # Its headers are given anew; the connector stays, and belongs to one host.
            refuse_move(replace(known, headers=()), upstream.url)
            upstream = replace(upstream, connector=_kept(known.connector, wanted))
        stored = await upstreams.upsert(upstream)
    return _shown(stored, _known(control, caller.tenant, name))


def _checked(caller: Caller, wanted: ServerCreate) -> Upstream:
    if wanted.command and not caller.principal.may(_SYSTEM_ADMIN):
        raise Forbidden(
            "A command runs with the rights of the gateway itself: only a system administrator "
            "may add one. Add the server by its URL.",
            details={"permission": _SYSTEM_ADMIN},
        )
    upstream = _upstream(wanted)
    if wanted.user_grants is not None:
        check_user_grants(caller, wanted.user_grants.as_value())
        if "authorization" in {name.lower() for name in wanted.headers}:
            raise InvalidValue(
                "headers.Authorization: each caller's own token is sent there. Remove one of the "
                "two.",
                details={"field": "headers"},
            )
    check_headers(wanted.headers, strictly=False)
    check_references(caller, {f"headers.{name}": one for name, one in wanted.headers.items()})
    return upstream


def _kept(known: Connector, wanted: ServerCreate) -> Connector:
    """The connector stays as it is, but for what can be said here."""
    if wanted.user_grants is None:
        return known
    if known.credentials is not None:
        raise InvalidValue(
            "user_grants: its connector has credentials of this gateway's own. Remove these first "
            "with `bascule upstreams set`.",
            details={"field": "user_grants"},
        )
    return replace(known, user_grants=wanted.user_grants.as_value())


def _details(wanted: ServerCreate) -> dict[str, object]:
    # Headers may hold secrets, and so may a URL or the words after a command's first.
    details: dict[str, object] = {"kind": _kind(wanted).value, "headers": sorted(wanted.headers)}
    if wanted.command:
        details["program"] = wanted.command[0]
    return details if wanted.user_grants is None else {**details, "on_behalf_of_callers": True}


def _kind(wanted: ServerCreate) -> UpstreamKind:
    return UpstreamKind.MCP_HTTP if wanted.url else UpstreamKind.MCP_STDIO


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
    if name not in {one.upstream.name for one in found if one.upstream.kind in MCP_KINDS}:
        raise NotFound(f"There is no MCP server named {name}.")


def _upstream(wanted: ServerCreate) -> Upstream:
    if wanted.url:
        try:
            Origin.locate(wanted.url)
        except ValueError as error:
            raise InvalidValue(f"url: {error}", details={"field": "url"}) from None
    return Upstream(
        name=wanted.name,
        kind=_kind(wanted),
        url=wanted.url,
        command=tuple(wanted.command),
        headers=tuple(wanted.headers.items()),
        # What the settings say, also after they change.
        connect_timeout_seconds=0,
        timeout_seconds=wanted.timeout_seconds,
        pinning=wanted.pinning,
        connector=DIRECT
        if wanted.user_grants is None
        else Connector(user_grants=wanted.user_grants.as_value()),
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
        pinning=upstream.pinning,
        on_behalf_of_callers=upstream.connector.user_grants is not None,
        created_at=stored.created_at,
        status=status,
    )

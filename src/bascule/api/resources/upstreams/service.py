"""Listing, setting, trying and removing the services behind the gateway."""

from dataclasses import replace
from typing import Any, Final

import msgspec

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.resources.upstreams import schemas
from bascule.api.resources.upstreams.checks import (
    check_connector,
    check_move,
    check_new_headers,
    check_url,
    check_whole,
)
from bascule.api.resources.upstreams.schemas import UpstreamPut, UpstreamTested
from bascule.gateway.connector import Connector
from bascule.gateway.errors import Conflict, ErrorCode, GatewayError, InvalidValue, NotFound
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.upstreams import StoredUpstream, Upstreams
from bascule.upstreams.secrets.references import shown

_WITHOUT_URL: Final = UpstreamKind.MCP_STDIO


class NothingToTry(GatewayError):
    """This process opens no connections."""

    error = ErrorCode.UNAVAILABLE


async def list_upstreams(control: Control, caller: Caller) -> list[schemas.Upstream]:
    """Every service of the caller's tenant that has a URL."""
    async with control.read(caller) as rows:
        found = await Upstreams(rows.session, rows.tenant_id).list()
    return [_shown(one) for one in found if one.upstream.kind is not _WITHOUT_URL]


async def get_upstream(control: Control, caller: Caller, name: str) -> schemas.Upstream:
    """One service.

    Raises:
        NotFound: there is none of that name.
    """
    return _shown(await _stored(control, caller, name))


async def set_upstream(
    control: Control, caller: Caller, name: str, wanted: UpstreamPut
) -> schemas.Upstream:
    """Add a REST service, or change how one, or an MCP server, is reached.

    Raises:
        InvalidValue: something of it is unusable, or a secret is written out.
        Forbidden: something of it is for a system administrator to set.
        Conflict: secrets would go to another host; or the name is that of a child process.
    """
    connector = None if wanted.connector is None else _connector(wanted.connector)
    async with control.change(caller, "upstream.set", name, _details(wanted)) as rows:
        # Within the block, so that who tries what is not theirs to set is on record.
        if wanted.headers is not None:
            check_new_headers(caller, wanted.headers)
        if connector is not None:
            check_connector(caller, connector, control.snapshot().issuers)
        upstreams = Upstreams(rows.session, rows.tenant_id)
        before = await _before(rows, name)
        after = _changed(before or Upstream(name, UpstreamKind.REST), wanted, connector)
        check_url(after)
        check_whole(after)
        if before is None:
            await _refuse_taken(rows, name)
        else:
            given = wanted.headers is not None and connector is not None
            check_move(before, after, all_given=given)
        stored = await upstreams.upsert(after)
    return _shown(stored)


async def try_upstream(control: Control, caller: Caller, name: str) -> UpstreamTested:
    """Reach a service now, step by step.

    Raises:
        NotFound: there is none of that name.
    """
    stored = await _stored(control, caller, name)
    if control.prober is None:
        raise NothingToTry("This process reaches no services. Ask one that serves calls.")
    await control.note_action(caller, "upstream.test", name)
    taken = await control.prober.probe(caller.tenant, stored.upstream)
    steps = [schemas.Step(step=one.step, ok=one.ok, detail=one.detail) for one in taken]
    return UpstreamTested(name=name, ok=all(one.ok for one in steps), steps=steps)


async def remove_upstream(control: Control, caller: Caller, name: str) -> None:
    """Remove a service.

    Raises:
        NotFound: there is none of that name.
        Conflict: tools still call it.
    """
    async with control.change(caller, "upstream.remove", name) as rows:
        await Upstreams(rows.session, rows.tenant_id).delete(name)


async def _stored(control: Control, caller: Caller, name: str) -> StoredUpstream:
    async with control.read(caller) as rows:
        stored = await Upstreams(rows.session, rows.tenant_id).get(name)
    if stored.upstream.kind is _WITHOUT_URL:
        raise NotFound(f"{name} is a child process, not a service with a URL. See `servers`.")
    return stored


async def _before(rows: Rows, name: str) -> Upstream | None:
    try:
        upstream = (await Upstreams(rows.session, rows.tenant_id).get(name)).upstream
    except NotFound:
        return None
    if upstream.kind is _WITHOUT_URL:
        raise Conflict(f"{name} is a child process: it has no URL, and no credentials.")
    return upstream


async def _refuse_taken(rows: Rows, name: str) -> None:
    """An MCP server is a bundle of its own name; a service that became one would hide it."""
    if name in {one.bundle.name for one in await Bundles(rows.session, rows.tenant_id).list()}:
        raise Conflict(f"{name} names a bundle already. Choose another name.")


def _changed(before: Upstream, wanted: UpstreamPut, connector: Connector | None) -> Upstream:
    if wanted.url is None and not before.url:
        raise InvalidValue(
            f"There is no service {before.name} yet: give its url to add it.",
            details={"field": "url"},
        )
    changes: dict[str, Any] = {
        "url": wanted.url,
        "headers": None if wanted.headers is None else tuple(wanted.headers.items()),
        "connector": connector and replace(connector, descriptors=before.connector.descriptors),
        "connect_timeout_seconds": wanted.connect_timeout_seconds,
        "timeout_seconds": wanted.timeout_seconds,
    }
    return replace(before, **{name: one for name, one in changes.items() if one is not None})


def _connector(wanted: schemas.Connector) -> Connector:
    return msgspec.convert(wanted.model_dump(mode="json"), Connector)


def _details(wanted: UpstreamPut) -> dict[str, object]:
    """What is recorded of a change: what was given, and no value that could be a secret."""
    details: dict[str, object] = {"given": sorted(wanted.model_fields_set)}
    if wanted.headers is not None:
        details["headers"] = sorted(wanted.headers)
    connector = wanted.connector
    if connector is not None:
        details["mode"] = connector.mode.value
        details["networks"] = list(connector.networks)
        details["tls"] = connector.tls is not None
        token = connector.credentials or connector.exchange
        if token is not None:
            details["token_url"] = token.token_url.partition("?")[0]
        if connector.user_grants is not None or connector.exchange is not None:
            details["on_behalf_of_callers"] = True
    return details


def _shown(stored: StoredUpstream) -> schemas.Upstream:
    upstream = stored.upstream
    return schemas.Upstream(
        name=upstream.name,
        kind=upstream.kind,
        url=upstream.url,
        header_names=[name for name, _ in upstream.headers],
        connector=_shown_connector(upstream.connector),
        connect_timeout_seconds=upstream.connect_timeout_seconds,
        timeout_seconds=upstream.timeout_seconds,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def _shown_connector(connector: Connector) -> schemas.Connector:
    document: dict[str, Any] = msgspec.to_builtins(connector)
    del document["descriptors"]  # they are of the import, and megabytes may be
    for name in ("credentials", "user_grants", "exchange"):
        way = getattr(connector, name)
        if way is not None:
            document[name]["client_secret"] = shown(way.client_secret)
    if connector.tls is not None:
        document["tls"]["key"] = shown(connector.tls.key)
    return schemas.Connector.model_validate(document)

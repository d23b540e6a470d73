"""What must hold of a service's record before it is stored."""

from collections.abc import Iterable, Mapping

from bascule.api.caller import Caller
from bascule.api.references import (
    SYSTEM_ADMIN,
    check_headers,
    check_references,
    require_reference,
)
from bascule.api.user_grants import check_https, check_user_grants
from bascule.gateway.connector import (
    ClientCredentials,
    ClientTls,
    Connector,
    Mode,
    TokenExchange,
)
from bascule.gateway.errors import Forbidden, InvalidValue
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.repositories.upstreams import refuse_move, same_origin
from bascule.upstreams.addresses import parse_address
from bascule.upstreams.egress import parse_networks
from bascule.upstreams.grpc.targets import Target
from bascule.upstreams.http1 import Origin

_AUTHORIZATION = "authorization"
_EXCHANGED = frozenset({UpstreamKind.REST, UpstreamKind.GRPC})
_WITHOUT_HOST = frozenset({UpstreamKind.PLUGIN, UpstreamKind.WASM})


def check_url(upstream: Upstream) -> None:
    """See that requests can be addressed.

    Raises:
        InvalidValue: the URL is unusable.
    """
    if upstream.kind in _WITHOUT_HOST:
        return
    if upstream.kind is UpstreamKind.GRPC:
        try:
            parse_address(Target.parse(upstream.url).host.removesuffix("."))
        except ValueError as error:
            raise InvalidValue(f"url: {error}.", details={"field": "url"}) from None
        return
    read = Origin.parse if upstream.kind is UpstreamKind.REST else Origin.locate
    try:
        origin, _ = read(upstream.url)
        parse_address(origin.host.removesuffix("."))
    except ValueError as error:
        raise InvalidValue(f"url: {error}.", details={"field": "url"}) from None


def check_new_headers(caller: Caller, headers: Mapping[str, str]) -> None:
    """See that `caller` may have `headers` sent. Raises InvalidValue, Forbidden."""
    check_headers(headers, strictly=True)
    check_references(caller, {f"headers.{name}": value for name, value in headers.items()})


def check_connector(caller: Caller, connector: Connector, issuers: Iterable[str]) -> None:
    """See that `caller` may have a service reached so. `issuers` are those of the installation.

    Raises:
        InvalidValue: a member is unusable, or a secret is written out.
        Forbidden: a member is for a system administrator to set.
    """
    _check_networks(caller, connector)
    _check_one_way(connector)
    if connector.credentials is not None:
        _check_client(caller, "connector.credentials", connector.credentials)
    if connector.exchange is not None:
        _check_client(caller, "connector.exchange", connector.exchange)
        _check_issuer(caller, connector.exchange, issuers)
    if connector.user_grants is not None:
        check_user_grants(caller, connector.user_grants)
    if connector.tls is not None:
        _check_tls(caller, connector.tls)


def check_whole(upstream: Upstream) -> None:
    """See that the parts of a record go together.

    Raises:
        InvalidValue: they contradict each other.
    """
    connector = upstream.connector
    if connector.mode is Mode.MOCK and upstream.kind is not UpstreamKind.REST:
        raise InvalidValue(
            "connector.mode: only REST services can be mocked; an MCP server says itself what its "
            "tools are.",
            details={"field": "connector.mode"},
        )
    names = [name.lower() for name, _ in upstream.headers]
    if len(set(names)) < len(names):
        raise InvalidValue("headers: a name comes twice.", details={"field": "headers"})
    ways = (connector.credentials, connector.user_grants, connector.exchange)
    if any(ways) and _AUTHORIZATION in names:
        raise InvalidValue(
            "headers.Authorization: the connector's credentials set it. Remove one of the two.",
            details={"field": "headers"},
        )
    _check_kind(upstream)


def check_move(before: Upstream, after: Upstream, *, all_given: bool) -> None:
    """See that no kept secret comes to go to another host.

    Raises:
        Conflict: it would, since headers and connector were not `all_given` anew.
    """
    if not all_given:
        refuse_move(before, after.url)


def _check_networks(caller: Caller, connector: Connector) -> None:
    try:
        parse_networks(connector.networks)
    except ValueError as error:
        place = "connector.networks"
        raise InvalidValue(f"{place}: {error}.", details={"field": place}) from None
    if connector.networks and not caller.principal.may(SYSTEM_ADMIN):
        raise Forbidden(
            "connector.networks: what lies within the installation's networks is for a system "
            "administrator to open.",
            details={"permission": SYSTEM_ADMIN, "field": "connector.networks"},
        )


def _check_one_way(connector: Connector) -> None:
    ways = {
        "credentials": connector.credentials,
        "user_grants": connector.user_grants,
        "exchange": connector.exchange,
    }
    given = [name for name, one in ways.items() if one is not None]
    if len(given) > 1:
        raise InvalidValue(
            f"connector: {' and '.join(given)} exclude each other: the service is called as this "
            "gateway, with what each caller granted, or with each caller's token exchanged.",
            details={"field": f"connector.{given[1]}"},
        )


def _check_kind(upstream: Upstream) -> None:
    connector, kind = upstream.connector, upstream.kind
    if connector.user_grants is not None and kind is not UpstreamKind.MCP_HTTP:
        raise InvalidValue(
            "connector.user_grants: only MCP servers with a URL say where their callers consent; "
            "use exchange for other services.",
            details={"field": "connector.user_grants"},
        )
    if connector.exchange is not None and kind not in _EXCHANGED:
        raise InvalidValue(
            "connector.exchange: only REST and gRPC services are called with exchanged tokens; use "
            "user_grants for MCP servers.",
            details={"field": "connector.exchange"},
        )


def _check_issuer(caller: Caller, wanted: TokenExchange, issuers: Iterable[str]) -> None:
    """See that callers' tokens, which are good for this gateway, go to who issued them alone."""
    known = [one for one in issuers if one == wanted.issuer or not wanted.issuer]
    if any(same_origin(one, wanted.token_url) for one in known):
        return
    if not caller.principal.may(SYSTEM_ADMIN):
        raise Forbidden(
            "connector.exchange.token_url: it is not on the host of an issuer whose tokens are "
            "accepted here, and would be shown tokens that are good for this gateway. Only a "
            "system administrator may set it.",
            details={"permission": SYSTEM_ADMIN, "field": "connector.exchange.token_url"},
        )


def _check_client(caller: Caller, place: str, wanted: ClientCredentials | TokenExchange) -> None:
    require_reference(f"{place}.client_secret", wanted.client_secret)
    check_references(
        caller,
        {f"{place}.client_id": wanted.client_id, f"{place}.client_secret": wanted.client_secret},
    )
    check_https(f"{place}.token_url", wanted.token_url)


def _check_tls(caller: Caller, tls: ClientTls) -> None:
    require_reference("connector.tls.key", tls.key)
    texts = {"certificate": tls.certificate, "key": tls.key, "authorities": tls.authorities}
    check_references(caller, {f"connector.tls.{name}": text for name, text in texts.items()})

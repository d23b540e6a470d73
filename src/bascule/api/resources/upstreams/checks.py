"""What must hold of a service's record before it is stored."""

from collections.abc import Mapping

from bascule.api.caller import Caller
from bascule.api.references import (
    SYSTEM_ADMIN,
    check_headers,
    check_references,
    require_reference,
)
from bascule.gateway.connector import ClientCredentials, ClientTls, Connector, Mode
from bascule.gateway.errors import Forbidden, InvalidValue
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.repositories.upstreams import refuse_move
from bascule.upstreams.addresses import Reach, parse_address, reach_of
from bascule.upstreams.egress import parse_networks
from bascule.upstreams.grpc.targets import Target
from bascule.upstreams.http1 import Origin

_AUTHORIZATION = "authorization"


def check_url(upstream: Upstream) -> None:
    """See that requests can be addressed.

    Raises:
        InvalidValue: the URL is unusable.
    """
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


def check_connector(caller: Caller, connector: Connector) -> None:
    """See that `caller` may have a service reached so.

    Raises:
        InvalidValue: a member is unusable, or a secret is written out.
        Forbidden: a member is for a system administrator to set.
    """
    _check_networks(caller, connector)
    if connector.credentials is not None:
        _check_credentials(caller, connector.credentials)
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
    if connector.credentials is not None and _AUTHORIZATION in names:
        raise InvalidValue(
            "headers.Authorization: the connector's credentials set it. Remove one of the two.",
            details={"field": "headers"},
        )


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


def _check_credentials(caller: Caller, wanted: ClientCredentials) -> None:
    place = "connector.credentials"
    require_reference(f"{place}.client_secret", wanted.client_secret)
    check_references(
        caller,
        {f"{place}.client_id": wanted.client_id, f"{place}.client_secret": wanted.client_secret},
    )
    field = f"{place}.token_url"
    try:
        origin, _ = Origin.locate(wanted.token_url)
        is_here = _is_here(origin.host)
    except ValueError as error:
        raise InvalidValue(f"{field}: {error}.", details={"field": field}) from None
    if origin.scheme != "https" and not is_here:
        # RFC 6749, section 3.2: the secret must not travel in clear.
        raise InvalidValue(
            f"{field}: use https, or everybody on the way reads the secret.",
            details={"field": field},
        )


def _check_tls(caller: Caller, tls: ClientTls) -> None:
    require_reference("connector.tls.key", tls.key)
    texts = {"certificate": tls.certificate, "key": tls.key, "authorities": tls.authorities}
    check_references(caller, {f"connector.tls.{name}": text for name, text in texts.items()})


def _is_here(host: str) -> bool:
    address = parse_address(host)
    return host == "localhost" if address is None else reach_of(address) is Reach.LOOPBACK

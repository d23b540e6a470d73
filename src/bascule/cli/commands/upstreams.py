"""`bascule upstreams`: the services behind the tools, and as whom they are called."""

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from bascule.cli.connection import Api, Target, path_of
from bascule.cli.connectors import (
    AudienceOption,
    CaOption,
    CertificateOption,
    Client,
    ClientIdOption,
    ClientSecretOption,
    Exchange,
    ExchangeIssuerOption,
    ExchangeResourceOption,
    ExchangeUrlOption,
    FileOption,
    HealthOption,
    ModeOption,
    NetworkOption,
    ScopeOption,
    SecretInBodyOption,
    TlsKeyOption,
    TokenUrlOption,
    one_way,
    read_connector,
    token_changes,
    with_changes,
)
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value
from bascule.gateway.errors import ErrorCode

app = typer.Typer(no_args_is_help=True, help="Services behind the tools: how they are reached.")

_COLUMNS = ("name", "kind", "url", "mode", "credentials", "header_names", "updated_at")

NameArgument = Annotated[str, typer.Argument(help="Name of the service.")]


@app.command("list")
def list_upstreams(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List the services; secrets are shown as the references they are."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("upstreams")))
    print_rows([_row(one) for one in found["upstreams"]], _COLUMNS, output, found)


@app.command()
def show(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show one service with its connector."""
    path = path_of("upstreams", name)
    print_value(with_api(Target(data, url, key), lambda api: api.get(path)), output)


@app.command("set")
def set_upstream(
    name: NameArgument,
    address: Annotated[str | None, typer.Option(help="URL that its paths begin with.")] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(help="Sent with each request, as 'Name: value'; repeatable, replaces all."),
    ] = None,
    mode: ModeOption = None,
    token_url: TokenUrlOption = None,
    exchange_url: ExchangeUrlOption = None,
    exchange_issuer: ExchangeIssuerOption = None,
    exchange_resource: ExchangeResourceOption = None,
    client_id: ClientIdOption = None,
    client_secret: ClientSecretOption = None,
    scope: ScopeOption = None,
    audience: AudienceOption = None,
    secret_in_body: SecretInBodyOption = None,
    tls_certificate: CertificateOption = None,
    tls_key: TlsKeyOption = None,
    tls_authorities: CaOption = None,
    network: NetworkOption = None,
    health_path: HealthOption = None,
    file: FileOption = None,
    connect_timeout: Annotated[float | None, typer.Option(help="Seconds; 0: as set.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds; 0: as set.")] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Say how a service is reached; what is not given stays. A new one needs --address.

    Secrets are given as references: ${secret:NAME}, ${vault:mount/path#field}, ${file:/path}.
    """
    client = Client(client_id, client_secret, scope, audience, secret_in_body)
    exchange = Exchange(exchange_url, exchange_issuer, exchange_resource)
    changes: dict[str, Any] = {
        "mode": mode,
        "tls": {"certificate": tls_certificate, "key": tls_key, "authorities": tls_authorities},
        "networks": network,
        "health_path": health_path,
    }
    body: dict[str, Any] = {
        "url": address,
        "headers": None if header is None else dict(_header(one) for one in header),
        "connect_timeout_seconds": connect_timeout,
        "timeout_seconds": timeout,
    }
    connector = None if file is None else read_connector(file)

    async def work(api: Api) -> Any:
        known = await _connector(api, name)
        if known is None and address is None:
            raise CommandFailed(
                f"There is no service {name} yet: give --address URL to add it.",
                Exit.USAGE,
                code=ErrorCode.INVALID_VALUE.code,
            )
        base = (known or {}) if connector is None else connector
        changes.update(token_changes(base, token_url, exchange, client))
        changed = with_changes(base, changes)
        body["connector"] = connector if changed is None else one_way(changed, changes)
        given = {member: value for member, value in body.items() if value is not None}
        return await api.put(path_of("upstreams", name), json=given)

    print_value(with_api(Target(data, url, key), work), output)


@app.command("test")
def try_upstream(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Reach a service now: secrets, address, connection, token, and its health path."""
    path = path_of("upstreams", name, "test")
    found = with_api(Target(data, url, key), lambda api: api.post(path))
    print_rows(found["steps"], ("step", "ok", "detail"), output, found)
    if not found["ok"]:
        sys.stdout.flush()
        raise typer.Exit(Exit.UNREACHABLE)


@app.command()
def remove(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Remove a service that no tool calls any more."""
    path = path_of("upstreams", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)


async def _connector(api: Api, name: str) -> dict[str, Any] | None:
    """The connector as it is; None for a service that is not there yet."""
    found = await api.get(path_of("upstreams"))
    known = {one["name"]: one["connector"] for one in found["upstreams"]}
    return known.get(name)


def _row(upstream: Mapping[str, Any]) -> dict[str, Any]:
    connector = upstream["connector"]
    kinds = [
        word
        for word, present in (
            ("token", connector["credentials"]),
            ("each caller's grant", connector.get("user_grants")),
            ("each caller's token", connector.get("exchange")),
            ("certificate", connector["tls"]),
        )
        if present
    ]
    return {**upstream, "mode": connector["mode"], "credentials": kinds}


def _header(given: str) -> tuple[str, str]:
    name, colon, value = given.partition(":")
    if not colon or not name.strip():
        raise CommandFailed("A header is written as 'Name: value'.", Exit.USAGE)
    return name.strip(), value.strip()

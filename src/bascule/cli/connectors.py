"""The options that make up a connector, and the file that may hold it whole."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, cast

import typer
import yaml

from bascule.cli.failures import CommandFailed, Exit

ModeOption = Annotated[
    str | None,
    typer.Option(help="live calls the service; mock answers from the output schemas."),
]
TokenUrlOption = Annotated[str | None, typer.Option(help="Token endpoint (client credentials).")]
ClientIdOption = Annotated[str | None, typer.Option(help="Client id there.")]
ClientSecretOption = Annotated[str | None, typer.Option(help="Reference to the client secret.")]
ScopeOption = Annotated[str | None, typer.Option(help="Scopes to ask for, apart by spaces.")]
AudienceOption = Annotated[str | None, typer.Option(help="Audience to ask for.")]
SecretInBodyOption = Annotated[
    bool | None,
    typer.Option(
        "--secret-in-body/--secret-in-header",
        help="Where the client secret travels.",
    ),
]
CertificateOption = Annotated[
    str | None, typer.Option(help="Client certificate: PEM, or a reference to it.")
]
TlsKeyOption = Annotated[str | None, typer.Option(help="Reference to its private key (PEM).")]
CaOption = Annotated[
    str | None, typer.Option(help="Authorities to trust instead of the system's; or a reference.")
]
ExchangeUrlOption = Annotated[
    str | None,
    typer.Option(
        help="Token endpoint where each caller's token is exchanged (RFC 8693), in place of "
        "--token-url; the other options of the client are for it then."
    ),
]
ExchangeIssuerOption = Annotated[
    str | None,
    typer.Option(help="Issuer whose tokens are; left out: the one on the endpoint's host."),
]
ExchangeResourceOption = Annotated[
    str | None, typer.Option(help="Resource (URI) to ask for in the exchange.")
]
UserOauthOption = Annotated[
    bool,
    typer.Option(
        "--user-oauth",
        help="Call it on behalf of each caller, who consents once in a browser (OAuth).",
    ),
]
OauthClientIdOption = Annotated[
    str | None, typer.Option(help="Client id, where this gateway was registered by hand.")
]
OauthClientSecretOption = Annotated[
    str | None, typer.Option(help="Reference to the secret of that client.")
]
OauthIssuerOption = Annotated[
    str | None, typer.Option(help="Authorization server where it was registered by hand.")
]
OauthScopeOption = Annotated[
    list[str] | None,
    typer.Option(help="Scope to ask for where the server names none; repeatable."),
]
NetworkOption = Annotated[
    list[str] | None,
    typer.Option(help="Address range its name may lead to, as 10.0.0.0/8; repeatable."),
]
HealthOption = Annotated[str | None, typer.Option(help="Path that tells whether it is up.")]
FileOption = Annotated[
    Path | None, typer.Option(help="The whole connector, as YAML or JSON; options go before it.")
]

MOST_BYTES = 1_048_576


def read_connector(path: Path) -> dict[str, Any]:
    """The connector in a file.

    Raises:
        CommandFailed: there is none in it.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode()
        found: object = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is neither YAML nor JSON"
        raise CommandFailed(f"{path} cannot be read: {reason}.", Exit.USAGE) from None
    if not isinstance(found, dict):
        raise CommandFailed(f"{path} holds no connector: its members are missing.", Exit.USAGE)
    return cast("dict[str, Any]", found)


def with_changes(connector: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any] | None:
    """`connector` with what is not None in `changes`, one level deep; None where nothing is."""
    changed = dict(connector)
    is_changed = False
    for member, value in changes.items():
        if isinstance(value, Mapping):
            part = _given(cast("Mapping[str, Any]", value))
            if part:
                changed[member] = {**(changed.get(member) or {}), **part}
                is_changed = True
        elif value is not None:
            changed[member] = value
            is_changed = True
    return changed if is_changed else None


class Client(NamedTuple):
    """What was said of this gateway as a client of a token endpoint."""

    client_id: str | None
    client_secret: str | None
    scope: str | None
    audience: str | None
    secret_in_body: bool | None


class Exchange(NamedTuple):
    """What was said of an exchange of tokens."""

    token_url: str | None
    issuer: str | None
    resource: str | None


def token_changes(
    known: Mapping[str, Any], token_url: str | None, exchange: Exchange, client: Client
) -> dict[str, Any]:
    """What to change about how tokens are got; the other way, where there is one, ends.

    Raises:
        CommandFailed: both ways are named.
    """
    if token_url is not None and exchange.token_url is not None:
        raise CommandFailed("Say which: --token-url, or --exchange-url.", Exit.USAGE)
    exchanges = any(exchange) or (token_url is None and bool(known.get("exchange")))
    if not exchanges:
        return {"credentials": {"token_url": token_url, **client._asdict()}}
    return {"exchange": {**client._asdict(), **exchange._asdict()}}


def one_way(connector: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`connector` with the way that was just set, and no other."""
    ways = ("credentials", "exchange", "user_grants")
    chosen = [one for one in ways if _given(changes.get(one) or {})]
    if not chosen:
        return connector
    return {name: one for name, one in connector.items() if name not in ways or name in chosen}


def user_grants_of(
    client_id: str | None, client_secret: str | None, issuer: str | None, scopes: list[str] | None
) -> dict[str, Any]:
    """The member `user_grants` of a server's record."""
    whole = {
        "client_id": client_id,
        "client_secret": client_secret,
        "issuer": issuer,
        "scopes": scopes,
    }
    return _given(whole)


def _given(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}

"""The options that make up a connector, and the file that may hold it whole."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, cast

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


def _given(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}

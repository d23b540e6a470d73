"""Whom commands believe over TLS, and the certificate that they show of themselves.

Every command that takes `--url` takes these options, too; they are added here, in one place.
"""

import os
import ssl
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bascule.cli.failures import CommandFailed, Exit


@dataclass(frozen=True, slots=True)
class Trust:
    """Files in PEM form. Without `ca`, the authorities that come with this program count."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


_CHOSEN: Final[ContextVar[Trust]] = ContextVar("bascule.cli.trust", default=Trust())  # noqa: B039 - frozen
_FIELDS: Final = {"ca": "ca", "client_certificate": "certificate", "client_key": "key"}

_REFUSED: Final = {
    "CERTIFICATE_VERIFY_FAILED": " Is it the right one? Name the authority that issued its "
    "certificate with --ca FILE.",
    "CERTIFICATE_REQUIRED": " It wants a client certificate: give --client-certificate FILE.",
}


def hint_for(error: Exception) -> str:
    """What to try where a connection fails with `error`; empty where nothing is known."""
    text = str(error).upper().replace(" ", "_")
    return next((hint for reason, hint in _REFUSED.items() if reason in text), "")


def tls_of(address: str, own: str | None = None) -> ssl.SSLContext | None:
    """How to speak TLS to `address`; None where it is not spoken there.

    `own` is the file with the certificate of an instance on this machine: it is known by that, and
    by no name.

    Raises:
        CommandFailed: usage; a file cannot be used.
    """
    if not address.lower().startswith(("https:", "wss:")):
        return None
    chosen = _CHOSEN.get()
    authority = own or chosen.ca
    try:
        context = ssl.create_default_context(cafile=authority)
        if chosen.certificate is not None:
            context.load_cert_chain(chosen.certificate, chosen.key, password=_no_password)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        files = ", ".join(str(one) for one in (authority, chosen.certificate, chosen.key) if one)
        raise CommandFailed(f"{files}: not to be used for TLS: {reason}.", Exit.USAGE) from None
    if own is not None:
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def accept_trust(command: Any) -> None:
    """Let `command`, and all below it, take these options wherever they take an address."""
    for below in getattr(command, "commands", {}).values():
        accept_trust(below)
    if any(getattr(one, "envvar", None) == "BASCULE_URL" for one in command.params):
        command.params.extend(_options())


def _declared(
    ca: Annotated[
        Path | None,
        typer.Option("--ca", help="Authority of an https:// address (PEM).", envvar="BASCULE_CA"),
    ] = None,
    client_certificate: Annotated[
        Path | None,
        typer.Option(
            "--client-certificate",
            help="Client certificate to show (PEM).",
            envvar="BASCULE_CLIENT_CERTIFICATE",
        ),
    ] = None,
    client_key: Annotated[
        Path | None,
        typer.Option(
            "--client-key",
            help="Its key, where it is in another file.",
            envvar="BASCULE_CLIENT_KEY",
        ),
    ] = None,
) -> None:
    """Only a declaration."""
    del ca, client_certificate, client_key


def _options() -> list[Any]:
    template = typer.Typer(add_completion=False)
    template.command()(_declared)
    found = [one for one in typer.main.get_command(template).params if one.name in _FIELDS]
    for option in found:
        option.expose_value = False
        option.callback = _keep
    return found


def _keep(_: object, option: Any, value: str | Path | None) -> None:
    given = None if value is None else Path(os.fspath(value))
    _CHOSEN.set(replace(_CHOSEN.get(), **{_FIELDS[option.name]: given}))


def _no_password() -> str:
    raise ValueError("the private key is encrypted")

"""The tenant that a system administrator acts in, in place of their own: `--tenant`.

It stands before a command or behind it, wherever a command takes an address.
"""

from contextvars import ContextVar
from typing import Annotated, Any, Final

import typer

from bascule.cli.failures import CommandFailed, Exit

HEADER: Final = "x-bascule-tenant"
_CHOSEN: Final[ContextVar[str | None]] = ContextVar("bascule.cli.acting", default=None)

TenantOption = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        help="Tenant to act in, for system administrators; left out: that of the key.",
        envvar="BASCULE_TENANT",
    ),
]


def act_in(tenant: str | None) -> None:
    """Let what this command asks of an instance be asked in `tenant`; None: the caller's own.

    Raises:
        CommandFailed: usage; no tenant has such a name.
    """
    if tenant is not None and (not tenant or not tenant.isascii() or not tenant.isprintable()):
        raise CommandFailed(f"No tenant is named {tenant!r}.", Exit.USAGE)
    _CHOSEN.set(tenant)


def acting_in() -> str | None:
    """The tenant that was chosen, if one was."""
    return _CHOSEN.get()


def accept_tenant(command: Any) -> None:
    """Let `command`, and all below it, take the option wherever they take an address."""
    for below in getattr(command, "commands", {}).values():
        accept_tenant(below)
    takes_address = any(getattr(one, "envvar", None) == "BASCULE_URL" for one in command.params)
    if takes_address and not any("--tenant" in one.opts for one in command.params):
        command.params.append(_option())


def _declared(
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="As before the command: tenant to act in.")
    ] = None,
) -> None:
    """Only a declaration."""
    del tenant


def _option() -> Any:
    template = typer.Typer(add_completion=False)
    template.command()(_declared)
    (option,) = [one for one in typer.main.get_command(template).params if one.name == "tenant"]
    option.expose_value = False
    option.callback = _keep
    return option


def _keep(_: object, __: object, value: str | None) -> None:
    if value is not None:
        act_in(value)

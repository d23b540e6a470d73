"""The command: its subcommands, and how every failure becomes an exit code."""

import os
import sys
from collections.abc import Sequence
from contextvars import copy_context
from functools import cache
from typing import Annotated, Any, Final

import typer

from bascule import __version__
from bascule.cli.acting import TenantOption, accept_tenant, act_in
from bascule.cli.commands import (
    audit,
    breakers,
    bundles,
    call,
    certificate_rules,
    config,
    doctor,
    elevation,
    grants,
    groups,
    imports,
    issuers,
    keys,
    pins,
    plugins,
    policy,
    proxy,
    roles,
    secrets,
    servers,
    stdio,
    tenants,
    tools,
    up,
    upstreams,
    users,
    whoami,
)
from bascule.cli.commands import serve as serving
from bascule.cli.failures import Exit, explain, report
from bascule.cli.trust import accept_trust
from bascule.telemetry.logs import LogFormat, configure_logging

_INTERRUPTED: Final = 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The gateway between AI agents and the tools they may use.",
)
app.command()(up.up)
app.command()(serving.serve)
app.command(context_settings={"ignore_unknown_options": True})(proxy.proxy)
app.command()(stdio.stdio)
app.command()(call.call)
app.add_typer(tools.app, name="tools")
app.add_typer(bundles.app, name="bundles")
app.add_typer(imports.app, name="import")
app.add_typer(servers.app, name="servers")
app.add_typer(upstreams.app, name="upstreams")
app.add_typer(secrets.app, name="secrets")
app.add_typer(breakers.app, name="breakers")
app.add_typer(pins.app, name="pins")
app.add_typer(plugins.app, name="plugins")
app.add_typer(policy.app, name="policy")
app.add_typer(users.app, name="users")
app.add_typer(roles.app, name="roles")
app.add_typer(groups.app, name="groups")
app.add_typer(keys.app, name="keys")
app.add_typer(tenants.app, name="tenants")
app.command()(whoami.whoami)
app.add_typer(elevation.app, name="elevation")
app.add_typer(grants.app, name="grants")
app.add_typer(issuers.app, name="issuers")
app.add_typer(certificate_rules.app, name="certificate-rules")
app.add_typer(audit.app, name="audit")
app.add_typer(config.app, name="config")
app.command()(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bascule {__version__}")
        raise typer.Exit


@app.callback()
def bascule(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
    tenant: TenantOption = None,
) -> None:
    """The gateway between AI agents and the tools they may use."""
    del version
    act_in(tenant)


def main() -> None:
    """Run the command line; never shows a traceback for a failure that has a name."""
    # A person may want to see why; a program gets the error that the command reports, alone.
    configure_logging("error" if sys.stderr.isatty() else "critical", LogFormat.CONSOLE)
    # In a context of its own: what one command chooses is no other's in the same process.
    code = copy_context().run(_run, sys.argv[1:])
    sys.exit(_deliver(code))


@cache
def _command() -> Any:  # of a class that typer does not export
    command = typer.main.get_command(app)
    accept_trust(command)
    accept_tenant(command)
    return command


def _run(arguments: Sequence[str]) -> int:
    command = _command()
    try:
        with command.make_context("bascule", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED
    except BrokenPipeError:
        return _let_go()
    except Exception as failure:  # noqa: BLE001 - the edge: a script gets one error, always
        if type(failure).__name__ == "NoArgsIsHelpError":  # typer exports no such name
            return Exit.USAGE
        return report(explain(failure))
    return Exit.OK


def _deliver(code: int) -> int:
    """Flush the output, which may be the first to learn that nobody takes it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go()
    except OSError as error:
        _let_go()
        return report(explain(error))
    return code


def _let_go() -> int:
    """Whoever read our output has seen enough. Python would complain once more at its exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return Exit.OK

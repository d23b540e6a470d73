"""The command: its subcommands, and how every failure becomes an exit code."""

import sys
from typing import Annotated

import typer

from bascule import __version__
from bascule.cli.commands import (
    audit,
    call,
    config,
    doctor,
    imports,
    keys,
    policy,
    proxy,
    tools,
    up,
)
from bascule.cli.commands import serve as serving
from bascule.cli.failures import CommandFailed, Exit, from_gateway_error, report
from bascule.gateway.errors import GatewayError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The gateway between AI agents and the tools they may use.",
)
app.command()(up.up)
app.command()(serving.serve)
app.command(context_settings={"ignore_unknown_options": True})(proxy.proxy)
app.command()(call.call)
app.add_typer(tools.app, name="tools")
app.add_typer(imports.app, name="import")
app.add_typer(policy.app, name="policy")
app.add_typer(keys.app, name="keys")
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
) -> None:
    """The gateway between AI agents and the tools they may use."""


def main() -> None:
    """Run the command line; never shows a traceback for a failure that has a name."""
    try:
        app()
    except CommandFailed as failure:
        report(failure)
    except GatewayError as failure:
        report(from_gateway_error(failure))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(Exit.OK)

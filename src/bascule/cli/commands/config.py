"""`bascule config`: what can be set, what is set, and by whom."""

from typing import Annotated

import typer

from bascule.cli.context import DEFAULT_DATA, DataOption, load_settings
from bascule.cli.output import Format, OutputOption, print_rows, print_structured
from bascule.settings.description import describe
from bascule.settings.schema import json_schema

app = typer.Typer(no_args_is_help=True, help="Settings of an instance.")

_COLUMNS = ("key", "value", "source", "needs_restart")


@app.command()
def schema(
    output: Annotated[Format, typer.Option("--output", "-o", help="json or yaml.")] = Format.JSON,
) -> None:
    """Print the JSON Schema of `bascule.yaml`, for editors and checks."""
    print_structured(json_schema(), Format.JSON if output is Format.TABLE else output)


@app.command()
def check(output: OutputOption = Format.TABLE, data: DataOption = DEFAULT_DATA) -> None:
    """See whether an instance would start with the settings, and with the files they name."""
    loaded = load_settings(data)
    from bascule.app.tls import certificate_standing

    certificate = certificate_standing(loaded.settings.server)
    print_rows(
        [
            {"check": "settings", "detail": ", ".join(map(str, loaded.files)) or "defaults only"},
            {"check": "tls", "detail": certificate.detail},
        ],
        ("check", "detail"),
        output,
    )


@app.command()
def show(output: OutputOption = Format.TABLE, data: DataOption = DEFAULT_DATA) -> None:
    """Show every setting in force and where it came from; secrets are masked."""
    rows = [
        {column: getattr(row, column) for column in _COLUMNS}
        for row in describe(load_settings(data))
    ]
    print_rows(rows, _COLUMNS, output)

"""`bascule plugins`: code of others that is part of the gateway."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_rows
from bascule.plugins.loading import installed_plugins

app = typer.Typer(no_args_is_help=True, help="Plugins: what is installed, what is in use.")

_COLUMNS = ("name", "package", "version", "adds")
_INSTALLED = ("name", "package", "version", "entry_point")


@app.command("list")
def list_plugins(
    installed: Annotated[
        bool,
        typer.Option(
            "--installed", help="What is installed beside this command, in use or not; runs none."
        ),
    ] = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List the plugins that the gateway uses, and what each adds."""
    if installed:
        rows = [
            {
                "name": one.name,
                "package": one.package,
                "version": one.version,
                "entry_point": one.entry.value,
            }
            for one in installed_plugins()
        ]
        print_rows(rows, _INSTALLED, output, {"plugins": rows, "total": len(rows)})
        return
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("plugins")))
    print_rows([_row(one) for one in found["plugins"]], _COLUMNS, output, found)


def _row(plugin: Mapping[str, Any]) -> dict[str, Any]:
    adds = [f"stage {one['name']} ({one['slot']})" for one in plugin["stages"]]
    adds += [f"guard {name}" for name in plugin["guards"]]
    adds += [f"connector {name}" for name in plugin["connectors"]]
    if plugin["observers"]:
        adds.append(f"{plugin['observers']} observer{'s' if plugin['observers'] > 1 else ''}")
    return {**plugin, "adds": ", ".join(adds)}

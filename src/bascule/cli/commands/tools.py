"""`bascule tools`: what the gateway offers."""

from typing import Annotated, Any

import typer

from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_rows, print_structured
from bascule.gateway.tool import ToolStatus

app = typer.Typer(no_args_is_help=True, help="The tools of an instance.")

_COLUMNS = ("name", "bundle", "risk_level", "version", "status", "title")
_PAGE = 100


@app.command("list")
def list_tools(
    bundle: Annotated[str | None, typer.Option(help="Only this bundle.")] = None,
    status: Annotated[ToolStatus | None, typer.Option(help="Only this status.")] = None,
    search: Annotated[str | None, typer.Option(help="Text in name or description.")] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List tools, drafts included."""

    async def work(api: Api) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        filters = {"bundle_id": bundle, "status": status, "search": search, "limit": _PAGE}
        while True:
            page = await api.get(path_of("tools"), {**filters, "page": len(found) // _PAGE + 1})
            found += page["tools"]
            if len(found) >= page["total"] or not page["tools"]:
                return found

    print_rows(with_api(Target(data, url, key), work), _COLUMNS, output)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of the tool.")],
    output: OutputOption = Format.YAML,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show one tool with its schemas."""
    tool = with_api(Target(data, url, key), lambda api: api.get(path_of("tools", name)))
    print_structured(tool, Format.YAML if output is Format.TABLE else output)


@app.command()
def publish(
    name: Annotated[str, typer.Argument(help="Name of the tool.")],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Publish a draft, so that agents can see it."""
    path = path_of("tools", name, "publish")
    print_rows([with_api(Target(data, url, key), lambda api: api.post(path))], _COLUMNS, output)

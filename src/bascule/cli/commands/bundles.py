"""`bascule bundles`: virtual MCP servers, put together from tools."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from bascule.cli.arguments import parse_arguments
from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, Rows, print_rows, print_value

app = typer.Typer(
    no_args_is_help=True, help="Bundles: selections of tools, each a virtual MCP server."
)

_NOTHING: Mapping[str, Any] = {}
_COLUMNS: Final = ("name", "version", "serves", "status", "owner", "borrows", "description")
_MEMBERS: Final = ("name", "tool", "version", "fixes", "problem")
_RELEASES: Final = ("version", "is_served", "tools", "created_by", "created_at")

NameArgument = Annotated[str, typer.Argument(help="Name of the bundle.")]


@app.command("list")
def list_bundles(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List bundles."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("bundles")))
    print_rows([_row(one) for one in found["bundles"]], _COLUMNS, output, found)


@app.command()
def show(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show one bundle, what it borrows, and its releases."""

    async def work(api: Api) -> dict[str, Any]:
        bundle = await api.get(path_of("bundles", name))
        releases = await api.get(path_of("bundles", name, "releases"))
        return {**bundle, "releases": releases["releases"]}

    _print(with_api(Target(data, url, key), work), output)


@app.command()
def create(
    name: NameArgument,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Make a bundle, empty at first."""
    body = {"name": name, "description": description, "owner": owner}
    _print(
        with_api(Target(data, url, key), lambda api: api.post(path_of("bundles"), json=body)),
        output,
    )


@app.command()
def add(
    name: NameArgument,
    tool: Annotated[str, typer.Argument(help="Name of the tool; TOOL@1.2 keeps to a version.")],
    fixed: Annotated[
        list[str] | None,
        typer.Argument(help="Arguments to fix: key=value, or key:=JSON.", metavar="KEY=VALUE"),
    ] = None,
    shown_as: Annotated[str | None, typer.Option("--as", help="Its name in the bundle.")] = None,
    description: Annotated[str, typer.Option(help="Its description in the bundle.")] = "",
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Borrow a tool: under another name, in other words, with some arguments fixed."""
    inner, _, version = tool.partition("@")

    async def work(api: Api) -> Any:
        schema = await _schema(api, inner) if fixed else _NOTHING
        body = {
            "tool": inner,
            "version": version,
            "name": shown_as,
            "description": description,
            "defaults": parse_arguments(fixed or [], None, schema),
        }
        return await api.post(path_of("bundles", name, "members"), json=body)

    _print(with_api(Target(data, url, key), work), output)


@app.command()
def remove(
    name: NameArgument,
    tool: Annotated[str, typer.Argument(help="What the bundle calls the tool.")],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Borrow a tool no more."""
    path = path_of("bundles", name, "members", tool)
    _print(with_api(Target(data, url, key), lambda api: api.delete(path)), output)


@app.command()
def release(
    name: NameArgument,
    version: Annotated[str, typer.Argument(help="Version of the release, as in 1.2.0.")],
    serve: Annotated[
        bool, typer.Option(help="Serve it from now on to all who pin nothing.")
    ] = True,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Freeze what the bundle shows, each tool in its version."""
    path, body = path_of("bundles", name, "release"), {"version": version, "serve": serve}
    made = with_api(Target(data, url, key), lambda api: api.post(path, json=body))
    print_rows([_release(made)], _RELEASES, output, made)


@app.command()
def rollback(
    name: NameArgument,
    version: Annotated[str | None, typer.Argument(help="Release to serve.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Serve no release, but what is.")] = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Serve an earlier release, or a later one again."""
    if live is (version is not None):
        raise CommandFailed("Say which: a version, or --live.", Exit.USAGE)
    path, body = path_of("bundles", name, "rollback"), {"version": version or ""}
    _print(with_api(Target(data, url, key), lambda api: api.post(path, json=body)), output)


@app.command()
def delete(
    name: Annotated[str, typer.Argument(help="Name of the bundle; NAME@1.0.0: that release.")],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Delete a bundle that has no tools of its own, or a release that is not served."""
    bundle, _, version = name.partition("@")
    parts = (bundle, "releases", version) if version else (bundle,)
    path = path_of("bundles", *parts)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)


async def _schema(api: Api, tool: str) -> Mapping[str, Any]:
    """What the tool takes, for the types of what is fixed; empty where it is not to be seen."""
    found = await api.tools()
    return next((one["inputSchema"] for one in found if one["name"] == tool), _NOTHING)


def _print(bundle: dict[str, Any], output: Format) -> None:
    if output is not Format.TABLE:
        print_value(bundle, output)
        return
    releases: list[Any] = bundle["releases"]
    members = [_member(one) for one in bundle["members"]]
    tables: list[tuple[str, Rows, tuple[str, ...]]] = [("borrows", members, _MEMBERS)]
    shown = {key: value for key, value in bundle.items() if key != "members"}
    shown["serves"] = bundle["serves"] or "its tools as they are now"
    if releases and isinstance(releases[0], dict):
        del shown["releases"]
        tables.append(("releases", [_release(one) for one in releases], _RELEASES))
    print_value(shown, output)
    for title, rows, columns in tables:
        if rows:
            print(f"\n{title}:")
            print_rows(rows, columns, output)


def _row(bundle: Mapping[str, Any]) -> dict[str, Any]:
    borrows = [one["name"] for one in bundle["members"]]
    return {**bundle, "serves": bundle["serves"] or "live", "borrows": borrows}


def _member(member: Mapping[str, Any]) -> dict[str, Any]:
    source = f"{member['server']}/{member['tool']}" if member["server"] else member["tool"]
    return {
        "name": member["name"],
        "tool": source,
        "version": member["version"] or "in force",
        "fixes": [f"{key}={value}" for key, value in member["defaults"].items()],
        "problem": member["problem"],
    }


def _release(release: Mapping[str, Any]) -> dict[str, Any]:
    tools = [f"{one['name']} {one['version']}" for one in release["tools"]]
    return {**release, "tools": tools}

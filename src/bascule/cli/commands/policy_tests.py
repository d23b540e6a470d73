"""`bascule policy tests`: what every change of policies has to pass."""

from typing import Annotated, Any, cast

import typer

from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_rows, print_value
from bascule.cli.policy_files import read_named

app = typer.Typer(no_args_is_help=True, help="Tests that every change of policies has to pass.")

_COLUMNS = ("name", "expect", "rule", "case", "description")

NameArgument = Annotated[str, typer.Argument(help="Name of the test.")]


@app.command("list")
def list_tests(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List tests."""
    path = path_of("policy", "tests")
    found = with_api(Target(data, url, key), lambda api: api.get(path))
    print_rows(found["tests"], _COLUMNS, output, found)


@app.command()
def show(
    name: NameArgument,
    output: OutputOption = Format.YAML,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show a test."""
    path = path_of("policy", "tests", name)
    print_value(with_api(Target(data, url, key), lambda api: api.get(path)), output)


@app.command()
def apply(
    file: Annotated[
        str, typer.Argument(help="Tests in YAML or JSON, each with its name; - for the input.")
    ],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Keep the tests of a file, in place of those of their names."""
    tests = read_named(file, "tests")

    async def put(api: Api) -> list[dict[str, Any]]:
        return [
            cast("dict[str, Any]", await api.put(path_of("policy", "tests", name), json=body))
            for name, body in tests.items()
        ]

    kept = with_api(Target(data, url, key), put)
    print_rows(kept, _COLUMNS, output, {"tests": kept, "total": len(kept)})


@app.command()
def remove(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Remove a test."""
    path = path_of("policy", "tests", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)

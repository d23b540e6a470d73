"""`bascule breakers`: which upstreams calls are kept from, and letting them through again."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_rows, print_value

app = typer.Typer(
    no_args_is_help=True, help="Breakers and health of the services behind the tools."
)

_COLUMNS = ("upstream", "breaker", "failures", "health", "reason")


@app.command("list")
def list_breakers(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List every upstream with its breaker, its health, and what is not well."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("conditions")))
    print_rows([_row(one) for one in found["conditions"]], _COLUMNS, output, found)


@app.command()
def reset(
    name: Annotated[str, typer.Argument(help="Name of the upstream.")],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Close the breaker of an upstream: calls are sent to it again at once."""
    path = path_of("upstreams", name, "breaker", "reset")
    print_value(with_api(Target(data, url, key), lambda api: api.post(path)), output)


def _row(condition: Mapping[str, Any]) -> dict[str, Any]:
    breaker, health = condition["breaker"], condition["health"]
    wait = breaker["retry_after_seconds"]
    return {
        "upstream": condition["upstream"],
        "breaker": f"{breaker['state']}, {wait:g} s left" if wait else breaker["state"],
        "failures": breaker["failures"],
        "health": health["health"] or "not known yet",
        "reason": health["reason"],
    }

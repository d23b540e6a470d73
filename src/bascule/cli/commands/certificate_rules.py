"""`bascule certificate-rules`: which client certificates are known, and as whom."""

from typing import Annotated

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_rows, print_value

app = typer.Typer(
    no_args_is_help=True, help="Which client certificates are known, with which roles."
)

_COLUMNS = ("name", "pattern", "roles", "issuer", "updated_at", "updated_by")

NameArgument = Annotated[
    str, typer.Argument(help="Name of the rule; the first by name that fits decides.")
]


@app.command("list")
def list_rules(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List the rules whose certificates belong to the tenant."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("certificate-rules")))
    print_rows(found["certificate_rules"], _COLUMNS, output, found)


@app.command("set")
def set_rule(
    name: NameArgument,
    pattern: Annotated[
        str,
        typer.Argument(
            help="What a name of the certificate must be, after its kind: "
            "URI:spiffe://example.org/agents/*, DNS:*.example.org, SUBJECT:CN=desk, SHA256:ab12…"
        ),
    ],
    roles: Annotated[list[str], typer.Argument(help="All roles of whoever has such a one.")],
    issuer: Annotated[
        str, typer.Option(help="The authority's subject as in RFC 4514; default: any of client_ca.")
    ] = "",
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Make a rule, or replace the one of that name."""
    body = {"pattern": pattern, "roles": roles, "issuer": issuer}
    path = path_of("certificate-rules", name)
    print_value(with_api(Target(data, url, key), lambda api: api.put(path, json=body)), output)


@app.command()
def remove(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Remove a rule; its certificates are not known any more, from the next call on."""
    path = path_of("certificate-rules", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)

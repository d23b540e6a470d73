"""`bascule grants`: what servers let this gateway do on behalf of its callers."""

import sys
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value

app = typer.Typer(
    no_args_is_help=True, help="What callers let this gateway do for them at servers."
)

_OWN = "/api/me/grants"
_COLUMNS = ("grant_id", "upstream", "account", "issuer_host", "scopes", "since", "expires_at")
_OWN_COLUMNS = tuple(one for one in _COLUMNS if one != "account")

OwnOption = Annotated[
    bool, typer.Option("--own", help="Of the key in use only; needs no permission.")
]


@app.command("list")
def list_grants(
    own: OwnOption = False,
    user: Annotated[str | None, typer.Option(help="Of this person.")] = None,
    upstream: Annotated[str | None, typer.Option(help="At this server.")] = None,
    page: Annotated[int, typer.Option(min=1, help="Page of the list.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Grants on a page.")] = 100,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List grants; tokens are never shown."""
    target = Target(data, url, key)
    if own:
        found = with_api(target, lambda api: api.get(_OWN))
        print_rows(found["grants"], _OWN_COLUMNS, output, found)
        return
    params = {"user": user, "upstream": upstream, "page": page, "limit": limit}
    found = with_api(target, lambda api: api.get(path_of("grants"), params))
    print_rows(found["grants"], _COLUMNS, output, found)


@app.command()
def connect(
    server: Annotated[str, typer.Argument(help="Name of the server.")],
    gateway: Annotated[
        bool,
        typer.Option(
            "--gateway", help="For the gateway itself, which lists what the server offers."
        ),
    ] = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Get the address to open in a browser, where you let this gateway use a server for you."""
    path = path_of("grants") if gateway else _OWN
    body = {"upstream": server}
    print_value(with_api(Target(data, url, key), lambda api: api.post(path, json=body)), output)
    print("Open it in a browser within ten minutes; it works once.", file=sys.stderr)


@app.command()
def revoke(
    grant_id: Annotated[str, typer.Argument(help="The grant_id, as `grants list` shows it.")],
    own: OwnOption = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Take a grant back; its account is asked for consent again."""
    try:
        UUID(grant_id)
    except ValueError:
        sentence = f"{grant_id} is no grant_id; `bascule grants list` shows them."
        raise CommandFailed(sentence, Exit.USAGE) from None
    path = f"{_OWN}/{quote(grant_id, safe='')}" if own else path_of("grants", grant_id)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)

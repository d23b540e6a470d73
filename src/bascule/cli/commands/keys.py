"""`bascule keys`: API keys."""

from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

import typer

from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value
from bascule.gateway.errors import ErrorCode
from bascule.storage.suggestion import did_you_mean

app = typer.Typer(no_args_is_help=True, help="API keys: made, listed, rotated, revoked.")

_COLUMNS = (
    *("name", "roles", "revoked_at", "expires_at", "user", "scopes", "last_used_at", "key_id"),
    *("created_at", "prefix"),
)

KeyArgument = Annotated[str, typer.Argument(help="Its name, or the key_id that `keys list` shows.")]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Whose key it is, or what for.")],
    role: Annotated[list[str] | None, typer.Option(help="A role; may be repeated.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A permission it is limited to; may be repeated. Default no limit."),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(help="Whom it acts for; without --role it has all of their roles."),
    ] = None,
    expires_in_days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it expires; default never.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Make a key. It is shown now and never again."""
    if not role and user is None:
        raise CommandFailed("Give it a --role, or a --user whose roles it has.", Exit.USAGE)
    body = {
        "name": name,
        "roles": role or [],
        "scopes": scope or None,
        "user": user,
        "expires_in_days": expires_in_days,
    }
    made = with_api(Target(data, url, key), lambda api: api.post(path_of("keys"), json=body))
    print_value(made, output)


@app.command("list")
def list_keys(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List keys; their secrets are not known here."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("keys")))
    print_rows(found["keys"], _COLUMNS, output, found)


@app.command()
def rotate(
    key_id: KeyArgument,
    grace_seconds: Annotated[
        int,
        typer.Option(
            min=0, max=2_592_000, help="How long the secret before is accepted, too; default not."
        ),
    ] = 0,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Give a key another secret, which is shown now and never again; all else stays."""
    body = {"grace_seconds": grace_seconds}

    async def work(api: Api) -> Any:
        path = path_of("keys", await _id_of(api, key_id), "rotate")
        return await api.post(path, json=body)

    print_value(with_api(Target(data, url, key), work), output)


@app.command()
def revoke(
    key_id: KeyArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Revoke a key; it is refused from the next call on."""

    async def work(api: Api) -> Any:
        return await api.delete(path_of("keys", await _id_of(api, key_id)))

    print_value(with_api(Target(data, url, key), work), output)


async def _id_of(api: Api, given: str) -> str:
    """The id of a key; of those with a name, at most one is not revoked."""
    with suppress(ValueError):
        return str(UUID(given))
    found = await api.get(path_of("keys"))
    in_force = {one["name"]: one["key_id"] for one in found["keys"] if one["revoked_at"] is None}
    if given not in in_force:
        guess = did_you_mean(given, in_force)
        sentence = f"There is no key with this id or name: {given}.{guess}"
        raise CommandFailed(sentence, Exit.USAGE, code=ErrorCode.NOT_FOUND.code)
    return in_force[given]

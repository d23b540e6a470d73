"""`bascule users`: people."""

from typing import Annotated

import typer

from bascule.cli.asking import ask_password
from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value

app = typer.Typer(no_args_is_help=True, help="People: added, given roles, let in and kept out.")

_COLUMNS = ("name", "roles", "is_active", "display_name", "email", "last_sign_in_at")
_IDENTITY_COLUMNS = ("issuer", "subject", "issuer_name", "linked_at")

NameArgument = Annotated[str, typer.Argument(help="Name of the user.")]
DisplayOption = Annotated[str | None, typer.Option(help="How people call them.")]
EmailOption = Annotated[str | None, typer.Option(help="E-mail address.")]
IssuerOption = Annotated[str, typer.Option(help="The issuer, as its tokens have it in iss.")]
SubjectOption = Annotated[str, typer.Option(help="How the issuer calls them: the sub of tokens.")]


@app.command("list")
def list_users(
    search: Annotated[
        str | None, typer.Option(help="Part of a name, display name or e-mail address.")
    ] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Only those who are, or are not.")
    ] = None,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many on a page.")] = 50,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List people."""
    params = {"search": search, "active": active, "page": page, "limit": limit}
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("users"), params))
    print_rows(found["users"], _COLUMNS, output, found)


@app.command()
def add(
    name: NameArgument,
    role: Annotated[list[str] | None, typer.Option(help="A role; may be repeated.")] = None,
    display_name: DisplayOption = None,
    email: EmailOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Add a person. Let them in with `users set-password`, or through an issuer."""
    body = {
        "name": name,
        "roles": role or [],
        "display_name": display_name or "",
        "email": email or "",
    }
    made = with_api(Target(data, url, key), lambda api: api.post(path_of("users"), json=body))
    print_value(made, output)


@app.command()
def show(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show a person."""
    path = path_of("users", name)
    print_value(with_api(Target(data, url, key), lambda api: api.get(path)), output)


@app.command("set")
def set_user(
    name: NameArgument,
    display_name: DisplayOption = None,
    email: EmailOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Change what is said of a person."""
    given = {"display_name": display_name, "email": email}
    body: dict[str, object] = {
        member: value for member, value in given.items() if value is not None
    }
    if not body:
        raise CommandFailed("Say what to change: --display-name, --email.", Exit.USAGE)
    _change(Target(data, url, key), name, body, output)


@app.command("set-roles")
def set_roles(
    name: NameArgument,
    roles: Annotated[list[str] | None, typer.Argument(help="All roles they shall have.")] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Give a person these roles and no others; without any, all are taken away."""
    _change(Target(data, url, key), name, {"roles": roles or []}, output)


@app.command("set-password")
def set_password(
    name: NameArgument,
    generate: Annotated[
        bool, typer.Option("--generate", help="Have one made up, and shown once.")
    ] = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Set a password: it is asked for, or read from standard input. Ends the person's sessions."""
    body = {} if generate else {"password": ask_password(f"Password for {name}")}
    path = path_of("users", name, "password")
    done = with_api(Target(data, url, key), lambda api: api.post(path, json=body))
    print_value({member: value for member, value in done.items() if value is not None}, output)


@app.command()
def deactivate(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Keep a person out; their sessions, tokens and personal keys are refused at once."""
    _do(Target(data, url, key), name, "deactivate", output)


@app.command()
def activate(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Let a person in again."""
    _do(Target(data, url, key), name, "activate", output)


@app.command("sign-out")
def sign_out(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """End a person's sessions; they may sign in again."""
    _do(Target(data, url, key), name, "sign-out", output)


@app.command()
def remove(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Remove a person with sessions and personal keys; to keep them out, deactivate them."""
    path = path_of("users", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)


@app.command()
def identities(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List how issuers call a person; each is a way to come in as them."""
    path = path_of("users", name, "identities")
    found = with_api(Target(data, url, key), lambda api: api.get(path))
    print_rows(found["identities"], _IDENTITY_COLUMNS, output, found)


@app.command()
def link(
    name: NameArgument,
    issuer: IssuerOption,
    subject: SubjectOption,
    from_user: Annotated[
        str | None, typer.Option("--from", help="Who has it now, to take it from them.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Let whom an issuer calls so come in as this person, with their roles."""
    body = {"issuer": issuer, "subject": subject, "from_user": from_user}
    path = path_of("users", name, "identities")
    print_value(with_api(Target(data, url, key), lambda api: api.post(path, json=body)), output)


@app.command()
def unlink(
    name: NameArgument,
    issuer: IssuerOption,
    subject: SubjectOption,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Let nobody come in as this person by that identity any more; ends their sessions."""
    path, params = path_of("users", name, "identities"), {"issuer": issuer, "subject": subject}
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path, params)), output)


def _change(target: Target, name: str, body: dict[str, object], output: Format) -> None:
    path = path_of("users", name)
    print_value(with_api(target, lambda api: api.patch(path, json=body)), output)


def _do(target: Target, name: str, deed: str, output: Format) -> None:
    path = path_of("users", name, deed)
    print_value(with_api(target, lambda api: api.post(path)), output)

"""`bascule policy draft`: changes of policies that are not in force yet."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value
from bascule.cli.policy_changes import (
    ReasonOption,
    change,
    print_diffs,
    print_made,
    report_tests,
)
from bascule.cli.policy_files import Body, read_policies

app = typer.Typer(no_args_is_help=True, help="Drafts: changes of policies, tested, then published.")

_COLUMNS = ("name", "base", "policies", "conflicts", "reason", "updated_by", "updated_at")

NameArgument = Annotated[str, typer.Argument(help="Name of the draft.")]
FileArgument = Annotated[
    str | None,
    typer.Argument(help="Policies in YAML or JSON, a folder of .rego files, or - for the input."),
]
RemoveOption = Annotated[
    list[str] | None, typer.Option("--remove", help="A policy that is to go; repeatable.")
]


@app.command("list")
def list_drafts(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List drafts, and policies of theirs that were changed since."""
    path = path_of("policy", "drafts")
    found = with_api(Target(data, url, key), lambda api: api.get(path))
    print_rows(found["drafts"], _COLUMNS, output, found)


@app.command()
def show(
    name: NameArgument,
    output: OutputOption = Format.YAML,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show a draft with all its changes."""
    path = _path(name)
    print_value(with_api(Target(data, url, key), lambda api: api.get(path)), output)


@app.command()
def put(
    name: NameArgument,
    file: FileArgument = None,
    remove: RemoveOption = None,
    reason: ReasonOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Write a draft, in place of the one of that name."""
    body = {"changes": changes_in(file, remove or ()), "reason": reason or ""}
    path = _path(name)
    made = with_api(Target(data, url, key), lambda api: api.put(path, json=body))
    _print(made, output)


@app.command()
def patch(
    name: NameArgument,
    file: FileArgument = None,
    remove: RemoveOption = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="A policy whose change leaves the draft; repeatable.")
    ] = None,
    base: Annotated[
        int | None, typer.Option(help="The version that you looked at: the draft is right on it.")
    ] = None,
    reason: ReasonOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Put more changes into a draft, take some out, or give it another base."""
    given = {"base": base, "reason": reason}
    body: dict[str, Any] = {member: one for member, one in given.items() if one is not None}
    if file is not None or remove:
        body["changes"] = changes_in(file, remove or ())
    if drop:
        body["drop"] = drop
    path = _path(name)
    made = with_api(Target(data, url, key), lambda api: api.patch(path, json=body))
    _print(made, output)


@app.command()
def diff(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what a draft would change."""
    path = _path(name, "diff")
    print_diffs(with_api(Target(data, url, key), lambda api: api.get(path)), output)


@app.command("test")
def run_tests(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Run the tests with the policies as a draft would have them. Exit code 7 where one fails."""
    path = _path(name, "test")
    report_tests(with_api(Target(data, url, key), lambda api: api.post(path)), output)


@app.command()
def publish(
    name: NameArgument,
    reason: ReasonOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Put a draft in force as a new version. Exit code 7 where a test fails."""
    path = _path(name, "publish")
    body = {"reason": reason or ""}
    print_made(change(Target(data, url, key), lambda api: api.post(path, json=body)), output)


@app.command()
def delete(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Throw a draft away."""
    path = _path(name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)


def changes_in(file: str | None, remove: Sequence[str]) -> dict[str, Body | None]:
    """What policies are to say, by name: those in `file`, and None for those to `remove`.

    Raises:
        CommandFailed: there is nothing, or a policy is to be changed and to go.
    """
    changes: dict[str, Body | None] = {} if file is None else {**read_policies(file)}
    for name in remove:
        if name in changes:
            raise CommandFailed(f"{name} is in {file}, and to be removed.", Exit.USAGE)
        changes[name] = None
    if not changes:
        raise CommandFailed("Say what to change: a file, or --remove.", Exit.USAGE)
    return changes


def _path(name: str, *more: str) -> str:
    if "/" in name:  # the API has a draft in one segment of its address
        raise CommandFailed(f"The name of a draft has no slash, as {name} has.", Exit.USAGE)
    return path_of("policy", "drafts", name, *more)


def _print(draft: dict[str, Any], output: Format) -> None:
    if output is Format.TABLE:
        draft = {name: draft[name] for name in _COLUMNS}
    print_value(draft, output)

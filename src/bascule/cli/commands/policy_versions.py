"""`bascule policy versions`, `diff`, `revert`, `restore`, `apply` and `test`."""

from typing import Annotated

import typer

from bascule.cli.commands.policy_drafts import FileArgument, RemoveOption, changes_in
from bascule.cli.commands.policy_drafts import publish as publish_draft
from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_rows
from bascule.cli.policy_changes import (
    ReasonOption,
    change,
    print_diffs,
    print_made,
    report_tests,
)

_COLUMNS = ("number", "author", "created_at", "reason", "origin", "policies")

NumberArgument = Annotated[int, typer.Argument(help="Number of the version.")]


def register(app: typer.Typer) -> None:
    """Give `bascule policy` these commands."""
    for name, command in (
        ("apply", apply),
        ("versions", versions),
        ("diff", diff),
        ("revert", revert),
        ("restore", restore),
        ("test", run_tests),
        ("publish", publish_draft),
    ):
        app.command(name)(command)


def apply(
    file: FileArgument = None,
    remove: RemoveOption = None,
    reason: ReasonOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Make or replace the policies of a file at once: all as one version, or none.

    Exit code 7 where a test fails.
    """
    body = {"changes": changes_in(file, remove or ()), "reason": reason or ""}
    path = path_of("policy", "versions")
    print_made(change(Target(data, url, key), lambda api: api.post(path, json=body)), output)


def versions(
    page: Annotated[int, typer.Option(min=1)] = 1,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List what was changed about policies, by whom and why; the newest first."""
    path, params = path_of("policy", "versions"), {"page": page, "limit": limit}
    found = with_api(Target(data, url, key), lambda api: api.get(path, params))
    rows = [
        {**one, "policies": [f"{each['policy']} {each['change']}" for each in one["changes"]]}
        for one in found["versions"]
    ]
    print_rows(rows, _COLUMNS, output, found)


def diff(
    number: NumberArgument,
    to: Annotated[
        int | None, typer.Option(help="Another version; left out: what the version changed.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what a version changed, or what leads from it to another."""
    path = path_of("policy", "versions", str(number))
    asked = path if to is None else f"{path}/diff"
    found = with_api(Target(data, url, key), lambda api: api.get(asked, {"to": to}))
    print_diffs(found, output)


def revert(
    number: NumberArgument,
    reason: ReasonOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Undo what a version changed, unless that was changed since. Makes a new version."""
    path, body = path_of("policy", "versions", str(number), "revert"), {"reason": reason or ""}
    print_made(change(Target(data, url, key), lambda api: api.post(path, json=body)), output)


def restore(
    number: NumberArgument,
    reason: ReasonOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Go back to what all policies said in a version. Makes a new version."""
    path, body = path_of("policy", "versions", str(number), "restore"), {"reason": reason or ""}
    print_made(change(Target(data, url, key), lambda api: api.post(path, json=body)), output)


def run_tests(
    draft: Annotated[
        str | None, typer.Option(help="With the changes of this draft, instead of those in force.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Run all tests of policies. Exit code 7 where one fails."""
    path, body = path_of("policy", "test"), {"draft": draft}
    report_tests(with_api(Target(data, url, key), lambda api: api.post(path, json=body)), output)

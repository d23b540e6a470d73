"""`bascule elevation`: ask for leave to do what needs more than a rule, and decide about it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from bascule.cli.arguments import parse_arguments
from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value
from bascule.gateway.elevation import ScopeKind
from bascule.gateway.errors import ErrorCode
from bascule.policy.elevation import ElevationStatus

app = typer.Typer(
    no_args_is_help=True,
    help="Leave for what needs more than a rule: ask for it, decide about it, end it.",
)

_OWN: Final = "/api/elevations"
_COLUMNS: Final = (
    "elevation_id", "status", "user", "scope", "name", "minutes", "reason", "requested_at",
    "expires_at",
)  # fmt: skip

IdArgument = Annotated[
    str, typer.Argument(help="The elevation_id, as `elevation list` shows it.", metavar="ID")
]
OwnOption = Annotated[
    bool, typer.Option("--own", help="Yours only; needs no permission to approve.")
]
CommentOption = Annotated[str, typer.Option(help="What is said with it; who asked reads it.")]


@app.command()
def request(
    name: Annotated[
        str,
        typer.Argument(help="Name of a tool, or the address that a refused call named."),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            help="key=value, or key:=JSON: for one call with exactly these.", metavar="KEY=VALUE"
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why; who decides reads it, and it goes on record.")
    ] = None,
    ticket: Annotated[str, typer.Option(help="Number of a ticket, if there is one.")] = "",
    minutes: Annotated[
        int | None, typer.Option(min=1, help="For how long; usually what the installation grants.")
    ] = None,
    scope: Annotated[
        ScopeKind | None,
        typer.Option(
            help="What for: one `call`, a `tool` with any arguments, or a whole `bundle` (then "
            "NAME is the bundle's). Without it: the call, where there are arguments or an address."
        ),
    ] = None,
    given_json: Annotated[
        str | None, typer.Option("--json", help="All arguments as one JSON object.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Ask for leave. Somebody else decides about it."""
    if not reason:
        raise CommandFailed(
            "Say why, for who decides about it: --reason 'a customer paid twice'.", Exit.USAGE
        )
    body = {"reason": reason, "ticket": ticket, "minutes": minutes}
    wanted = _Wanted(name, arguments or [], given_json, scope, body)
    made = with_api(Target(data, url, key), lambda api: _request(api, wanted))
    print_value(made, output)
    found = made["elevation_id"]
    print(
        f"Somebody else decides about it: `bascule elevation approve {found}`, or the page "
        f"/elevations/{found}. How it stands: `bascule elevation show {found}`.",
        file=sys.stderr,
    )


@app.command("list")
def list_elevations(
    own: OwnOption = False,
    status: Annotated[ElevationStatus | None, typer.Option(help="Those that stand so.")] = None,
    user: Annotated[str | None, typer.Option(help="Of this person or key.")] = None,
    tool: Annotated[str | None, typer.Option(help="About this tool.")] = None,
    page: Annotated[int, typer.Option(min=1, help="Page of the list.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Requests on a page.")] = 100,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List requests and grants, the newest first."""
    filters = {"status": status, "user": user, "tool": tool}
    if own and any(filters.values()):
        raise CommandFailed("With --own there is nothing to choose from: leave it out.", Exit.USAGE)
    pages = {"page": page, "limit": limit}
    path = _OWN if own else path_of("elevations")

    async def work(api: Api) -> Any:
        try:
            return await api.get(path, pages if own else {**filters, **pages})
        except CommandFailed as failure:
            if failure.code == ErrorCode.FORBIDDEN.code:
                failure.message += " Yours are shown by `bascule elevation list --own`."
            raise

    found = with_api(Target(data, url, key), work)
    print_rows(found["elevations"], _COLUMNS, output, found)


@app.command()
def show(
    elevation_id: IdArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show one request, and what became of it."""
    wanted = _checked(elevation_id)

    async def work(api: Api) -> Any:
        return await _as_approver_or_owner(api, "", wanted)

    print_value(with_api(Target(data, url, key), work), output)


@app.command()
def approve(
    elevation_id: IdArgument,
    minutes: Annotated[int | None, typer.Option(min=1, help="Less time than asked for.")] = None,
    scope: Annotated[
        ScopeKind | None, typer.Option(help="Less than asked for: `tool`, or the one `call`.")
    ] = None,
    tool: Annotated[str, typer.Option(help="The tool, where a bundle was asked for.")] = "",
    comment: CommentOption = "",
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Grant a request of somebody else. Look at it first: `bascule elevation show`."""
    body = {"minutes": minutes, "scope": scope, "tool": tool, "comment": comment}
    path = path_of("elevations", _checked(elevation_id), "approve")
    print_value(with_api(Target(data, url, key), lambda api: api.post(path, json=body)), output)


@app.command()
def deny(
    elevation_id: IdArgument,
    comment: CommentOption = "",
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Refuse a request."""
    path = path_of("elevations", _checked(elevation_id), "deny")
    body = {"comment": comment}
    print_value(with_api(Target(data, url, key), lambda api: api.post(path, json=body)), output)


@app.command()
def revoke(
    elevation_id: IdArgument,
    comment: CommentOption = "",
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """End a live grant at once: anybody's for who may approve, else yours."""
    wanted = _checked(elevation_id)

    async def work(api: Api) -> Any:
        return await _as_approver_or_owner(api, "revoke", wanted, {"comment": comment})

    print_value(with_api(Target(data, url, key), work), output)


@app.command()
def cancel(
    elevation_id: IdArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Take back a request of yours that nobody decided about."""
    path = f"{_OWN}/{_checked(elevation_id)}/cancel"
    print_value(with_api(Target(data, url, key), lambda api: api.post(path)), output)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was typed; `body` is the rest of the request."""

    name: str
    arguments: Sequence[str]
    given_json: str | None
    scope: ScopeKind | None
    body: Mapping[str, Any]


async def _request(api: Api, wanted: _Wanted) -> dict[str, Any]:
    has_arguments = bool(wanted.arguments) or wanted.given_json is not None
    if wanted.name.startswith(("http://", "https://")):
        if has_arguments:
            message = "The address says which call it was: leave the arguments out."
            raise CommandFailed(message, Exit.USAGE)
        about: dict[str, Any] = {"link": wanted.name, "scope": wanted.scope or ScopeKind.CALL}
        return await api.post(_OWN, json={**wanted.body, **about})
    scope = wanted.scope or (ScopeKind.CALL if has_arguments else ScopeKind.TOOL)
    if scope is not ScopeKind.CALL and has_arguments:
        raise CommandFailed(
            f"A request for a {scope} covers any arguments: leave them out, or ask for the one "
            "call with --scope call.",
            Exit.USAGE,
        )
    about = {"name": wanted.name, "scope": scope}
    if scope is ScopeKind.CALL:
        schemas = {one["name"]: one["inputSchema"] for one in await api.tools()}
        schema = schemas.get(wanted.name, {})
        about["arguments"] = parse_arguments(wanted.arguments, wanted.given_json, schema)
    return await api.post(_OWN, json={**wanted.body, **about})


async def _as_approver_or_owner(
    api: Api, action: str, elevation_id: str, body: Mapping[str, Any] | None = None
) -> Any:
    """What may be done to any request by approvers, and to their own by all others."""
    try:
        return await _send(api, path_of("elevations", elevation_id), action, body)
    except CommandFailed as failure:
        if failure.code != ErrorCode.FORBIDDEN.code:
            raise
    return await _send(api, f"{_OWN}/{elevation_id}", action, None)


async def _send(api: Api, path: str, action: str, body: Mapping[str, Any] | None) -> Any:
    if not action:
        return await api.get(path)
    return await api.post(f"{path}/{action}", **({} if body is None else {"json": body}))


def _checked(elevation_id: str) -> str:
    try:
        return str(UUID(elevation_id))
    except ValueError:
        sentence = f"{elevation_id} is no elevation_id; `bascule elevation list` shows them."
        raise CommandFailed(sentence, Exit.USAGE) from None

"""`bascule policy explain`, `who-can`, `simulate` and `replay`: what policies decide, and why."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from bascule.cli.arguments import parse_arguments
from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_structured, print_value
from bascule.cli.spans import moment_of
from bascule.gateway.errors import ErrorCode
from bascule.gateway.rule import Action

_FINDINGS: Final = ("policy", "type", "applied", "why")
_CELLS: Final = ("tool", "caller", "discover", "invoke", "depends_on", "rule")
_PAGE: Final = 500
_NO_SCHEMA: Final[Mapping[str, Any]] = {}


class Sort(StrEnum):
    """What a name is the name of."""

    TOOL = "tool"
    PROMPT = "prompt"
    TEMPLATE = "template"


ToolArgument = Annotated[str, typer.Argument(help="Name of the tool; name@1.2 for a version.")]
PairsArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Arguments: key=value, or key:=JSON.", metavar="KEY=VALUE"),
]
JsonOption = Annotated[str | None, typer.Option("--json", help="All arguments as one JSON object.")]
UserOption = Annotated[str | None, typer.Option(help="The user it is about.")]
OfKeyOption = Annotated[
    str | None, typer.Option("--of-key", help="The API key it is about, by name or id.")
]
RoleOption = Annotated[list[str] | None, typer.Option(help="A role to have; repeatable.")]
GroupOption = Annotated[list[str] | None, typer.Option(help="A group to be in; repeatable.")]
AgentOption = Annotated[str | None, typer.Option(help="The agent that acts for the caller.")]
BundleOption = Annotated[str, typer.Option(help="Only what this bundle serves.")]
SortOption = Annotated[
    Sort, typer.Option(help="What NAME is of: a tool, a prompt, or the URI template of resources.")
]
ActionOption = Annotated[Action, typer.Option(help="To see it, or to call it.")]
AtOption = Annotated[
    str | None, typer.Option("--at", help="When, as in 2026-11-22T22:00:00Z; left out: now.")
]
AddressOption = Annotated[str | None, typer.Option("--ip", help="The caller's address.")]
DraftOption = Annotated[
    str | None, typer.Option(help="A draft, in place of the policies in force.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command()(explain)
    app.command("who-can")(who_can)
    app.command()(simulate)
    app.command()(replay)


def explain(
    tool: ToolArgument,
    arguments: PairsArgument = None,
    given_json: JsonOption = None,
    user: UserOption = None,
    of_key: OfKeyOption = None,
    role: RoleOption = None,
    group: GroupOption = None,
    agent: AgentOption = None,
    bundle: BundleOption = "",
    kind: SortOption = Sort.TOOL,
    action: ActionOption = Action.INVOKE,
    at: AtOption = None,
    ip: AddressOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Say why a caller may use a tool, or may not; exits with 6 for a denial.

    Without a caller it is about yourself: who may not read policies is told whether, but not why.
    """
    body = {
        **_whom(user, of_key, role, group, agent),
        **_circumstances(at, ip),
        "tool": tool,
        "kind": kind.value,
        "bundle": bundle,
        "action": action.value,
    }
    target = Target(data, url, key)
    found = with_api(target, lambda api: _explain(api, body, arguments, given_json))
    if output is Format.TABLE:
        _print_decision(found)
    else:
        print_structured(found, output)
    _end(found["effect"])


def simulate(
    tool: ToolArgument,
    arguments: PairsArgument = None,
    given_json: JsonOption = None,
    draft: DraftOption = None,
    user: UserOption = None,
    of_key: OfKeyOption = None,
    role: RoleOption = None,
    group: GroupOption = None,
    agent: AgentOption = None,
    bundle: BundleOption = "",
    kind: SortOption = Sort.TOOL,
    action: ActionOption = Action.INVOKE,
    at: AtOption = None,
    ip: AddressOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Try a use by a caller who need not exist, also with a draft; exits with 6 for a denial."""
    body = {
        **_whom(user, of_key, role, group, agent),
        **_circumstances(at, ip),
        "tool": tool,
        "kind": kind.value,
        "bundle": bundle,
        "action": action.value,
        "draft": draft,
    }
    target = Target(data, url, key)
    found = with_api(target, lambda api: _ask(api, "simulate", body, arguments, given_json))
    if output is Format.TABLE:
        _print_decision(found["decision"])
        if found["in_force"] is not None:
            _print_difference(found, draft or "")
    else:
        print_structured(found, output)
    _end(found["decision"]["effect"])


def who_can(
    tool: Annotated[str, typer.Argument(help="Name of a tool, or a pattern (get_*).")] = "*",
    user: UserOption = None,
    of_key: OfKeyOption = None,
    role: RoleOption = None,
    group: GroupOption = None,
    agent: AgentOption = None,
    bundle: BundleOption = "",
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only role, group, user or key; repeatable."),
    ] = None,
    only: Annotated[
        str, typer.Option(help="Whom to list: all, or who can discover, invoke, or elevate.")
    ] = "discover",
    at: AtOption = None,
    ip: AddressOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most rows.")] = 1000,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List who sees and calls which tools; with a caller, which tools that one does."""
    body = {
        **_whom(user, of_key, role, group, agent),
        **_circumstances(at, ip),
        "tool": tool,
        "bundle": bundle,
        "kinds": kind or [],
        "only": only,
    }
    target = Target(data, url, key)
    found = with_api(target, lambda api: _all_cells(api, body, limit))
    print_rows([_row(cell) for cell in found["cells"]], _CELLS, output, found)
    if not found["cells"] and at is None:
        typer.echo("That is so at this moment: --at asks about another.", err=True)
    if found["next"] is not None and output is Format.TABLE:
        typer.echo("There may be more: narrow it, or give a larger --limit.", err=True)


def replay(
    draft: DraftOption = None,
    since: Annotated[str, typer.Option(help="From when: 7d, 12h, or a date (and time).")] = "7d",
    until: Annotated[str | None, typer.Option(help="To when; left out: now.")] = None,
    tool: Annotated[str | None, typer.Option(help="Only calls of this tool.")] = None,
    user: Annotated[str | None, typer.Option(help="Only calls of this user.")] = None,
    examples: Annotated[
        int, typer.Option(min=0, max=200, help="Most examples of what changes.")
    ] = 20,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Decide recorded calls again, by a draft, and count what would change.

    Without a draft, what was recorded is held against the policies in force.
    """
    now = datetime.now(UTC)
    body = {
        "draft": draft,
        "since": moment_of(since, now).isoformat(),
        "until": None if until is None else moment_of(until, now).isoformat(),
        "tool": tool,
        "user": user,
        "examples": examples,
    }
    path = path_of("policy", "replay")
    found = with_api(Target(data, url, key), lambda api: api.post(path, json=body))
    if output is not Format.TABLE:
        print_structured(found, output)
        return
    _print_replay(found)


def _whom(
    user: str | None,
    of_key: str | None,
    roles: Sequence[str] | None,
    groups: Sequence[str] | None,
    agent: str | None,
) -> dict[str, object]:
    return {
        "user": user,
        "key": of_key,
        "roles": list(roles or ()),
        "groups": list(groups or ()),
        "agent": agent,
    }


def _circumstances(at: str | None, ip: str | None) -> dict[str, object]:
    when = None if at is None else moment_of(at, datetime.now(UTC)).isoformat()
    return {"time": when, "ip": ip}


async def _ask(
    api: Api,
    question: str,
    body: Mapping[str, object],
    pairs: Sequence[str] | None,
    given_json: str | None,
) -> Any:
    """The answer about arguments that were given; where none were, they are not known."""
    arguments = None
    if pairs or given_json is not None:
        schema = await _schema(api, str(body["tool"])) if pairs else _NO_SCHEMA
        arguments = parse_arguments(pairs or [], given_json, schema)
    return await api.post(path_of("policy", question), json={**body, "arguments": arguments})


async def _explain(
    api: Api,
    body: Mapping[str, object],
    pairs: Sequence[str] | None,
    given_json: str | None,
) -> Any:
    """The explanation; where policies may not be read, what everybody is told of themselves."""
    try:
        return await _ask(api, "explain", body, pairs, given_json)
    except CommandFailed as failure:
        if failure.code != ErrorCode.FORBIDDEN.code:
            raise
        if pairs or given_json is not None or not _is_plain(body):
            failure.message += " Without it, give the name of the tool alone: about yourself."
            raise
    return await api.get("/api/mcp/explain", {"tool": str(body["tool"])})


def _is_plain(body: Mapping[str, object]) -> bool:
    """Whether it is only asked whether the caller may call a tool, here and now."""
    usual = {"tool": body["tool"], "kind": Sort.TOOL.value, "action": Action.INVOKE.value}
    return all(not value or value == usual.get(member) for member, value in body.items())


async def _schema(api: Api, tool: str) -> Mapping[str, Any]:
    """What types the arguments of `tool` have, as far as who asks may see it."""
    name = tool.partition("@")[0]
    try:
        found = await api.get("/api/mcp/tools", {"search": name, "limit": _PAGE})
    except CommandFailed:
        return _NO_SCHEMA
    schemas = (one["input_schema"] for one in found["tools"] if one["name"] == name)
    return next(schemas, _NO_SCHEMA)


async def _all_cells(api: Api, body: Mapping[str, object], limit: int) -> dict[str, Any]:
    path = path_of("policy", "who-can")
    cells: list[Any] = []
    after: int | None = 0
    found: dict[str, Any] = {}
    while after is not None and len(cells) < limit:
        page = {**body, "after": after, "limit": min(_PAGE, limit - len(cells))}
        found = await api.post(path, json=page)
        cells += found["cells"]
        after = found["next"]
    return {**found, "cells": cells}


def _row(cell: Mapping[str, Any]) -> dict[str, Any]:
    is_caller = cell["kind"] == "caller"
    return {
        **cell,
        "caller": cell["name"] if is_caller else f"{cell['kind']} {cell['name']}",
        "discover": cell["discover"]["effect"],
        "invoke": cell["invoke"]["effect"],
        "rule": cell["invoke"]["rule"],
    }


def _print_decision(found: Mapping[str, Any]) -> None:
    _say(found["reason"])
    if "policies" not in found:
        if found["depends_on"]:
            _say(f"It depends on what a call brings: {', '.join(found['depends_on'])}.")
        return
    if found["policies"]:
        _say("")
        print_rows(found["policies"], _FINDINGS, Format.TABLE)
    if found["left_out"]:
        _say(f"{found['left_out']} more policies did not apply.")
    if found["needed"]:
        _say("\nWhat would be needed:")
        for one in found["needed"]:
            _say(f"- {one}")


def _print_difference(found: Mapping[str, Any], draft: str) -> None:
    _say("")
    if not found["changes"]:
        _say(f"The draft {draft} makes no difference here.")
        return
    _say(f"Without the draft {draft}: {found['in_force']['reason']}")


def _say(text: str) -> None:
    """Print a sentence, whatever characters the names in it have."""
    print_value(text, Format.TABLE)


def _end(effect: str) -> None:
    """Exit as what was denied would."""
    if effect == "deny":
        raise typer.Exit(Exit.NOT_PERMITTED)


def _print_replay(found: Mapping[str, Any]) -> None:
    calls = found["looked_at"]
    span = f"{found['since'][:19]}Z to {found['until'][:19]}Z"
    _say(f"{calls} recorded calls from {span}.")
    if not found["is_complete"]:
        _say("There were more: only the newest were looked at.")
    gone = found["gone"]
    if gone["calls"]:
        names = ", ".join(one["name"] for one in gone["tools"][:5])
        _say(f"{gone['calls']} were of {gone['names']} tools that there are not: {names}.")
    for comparison in found["comparisons"]:
        _print_comparison(comparison)


def _print_comparison(found: Mapping[str, Any]) -> None:
    _say(f"\n{found['before']} -> {found['after']}:")
    _say(f"  {found['unchanged']} are decided alike, {found['changed']} are not.")
    for change, count in sorted(found["by_change"].items()):
        _say(f"  {count:>8}  {change.replace('_', ' ')}")
    for why, count in sorted(found["uncertain"].items()):
        _say(f"  {count:>8}  uncertain: {_DOUBTS.get(why, why)}")
    for title, rows in (("tools", found["tools"]), ("users", found["users"])):
        if rows:
            _say(f"\nChanged, by {title}:")
            shown = [
                {"name": one["name"], "calls": one["total"], **one["by_change"]} for one in rows
            ]
            columns = dict.fromkeys(name for one in shown for name in one)
            print_rows(shown, list(columns), Format.TABLE)
    if found["examples"]:
        _say("\nExamples:")
        columns = ("tool", "user", "change", "after", "before", "correlation_id")
        print_rows([_example(one) for one in found["examples"]], columns, Format.TABLE)


_DOUBTS: Final = {
    "arguments": "a policy looks at arguments that are masked in the record",
    "roles": "the record does not say which roles the caller had",
    "outcome": "the call was over before a policy was asked",
}


def _example(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **one,
        "change": one["change"].replace("_", " "),
        "before": one["before"]["rule"] or one["before"]["effect"],
        "after": one["after"]["rule"] or one["after"]["effect"],
    }

"""`bascule policy`: who may use what."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bascule.cli.commands import (
    policy_drafts,
    policy_questions,
    policy_tests,
    policy_versions,
)
from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_rows, print_structured, print_value
from bascule.cli.policy_changes import ReasonOption, because, change
from bascule.cli.policy_files import body_of, write_rego
from bascule.cli.policy_words import COLUMNS, row_of
from bascule.gateway.rule import RuleKind
from bascule.gateway.tool import RiskLevel

app = typer.Typer(no_args_is_help=True, help="Policies. Without one nothing is callable.")
app.add_typer(policy_drafts.app, name="draft")
app.add_typer(policy_tests.app, name="tests")

NameArgument = Annotated[str, typer.Argument(help="Name of the policy.")]
RoleOption = Annotated[list[str], typer.Option(help="A role the rule is about; repeatable.")]
BundleOption = Annotated[list[str] | None, typer.Option(help="Only this bundle; repeatable.")]
ToolOption = Annotated[
    list[str] | None, typer.Option(help="Only this tool or pattern (get_*); repeatable.")
]
PromptOption = Annotated[
    list[str] | None, typer.Option(help="Only this prompt or pattern; repeatable.")
]
ResourceOption = Annotated[
    list[str] | None, typer.Option(help="Only this URI or pattern (file:///docs/*); repeatable.")
]
RiskOption = Annotated[
    list[RiskLevel] | None, typer.Option(help="Only this risk level; repeatable.")
]


@app.command("list")
def list_rules(
    type: Annotated[RuleKind | None, typer.Option(help="Only those of this type.")] = None,  # noqa: A002
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List policies, the highest priority first: what each does, to whom, about what, when."""
    path, params = path_of("policies"), {"type": type and type.value}
    found = with_api(Target(data, url, key), lambda api: api.get(path, params))
    print_rows([row_of(one) for one in found["policies"]], COLUMNS, output, found)


@app.command()
def show(
    name: NameArgument,
    output: OutputOption = Format.YAML,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show all of a policy, in the form that `policy apply` takes."""
    path = path_of("policies", name)
    print_value(with_api(Target(data, url, key), lambda api: api.get(path)), output)


@app.command()
def allow(
    name: NameArgument,
    role: RoleOption,
    bundle: BundleOption = None,
    tool: ToolOption = None,
    prompt: PromptOption = None,
    resource: ResourceOption = None,
    risk: RiskOption = None,
    reason: ReasonOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Let a role see and call tools."""
    named = {"tools": tool, "prompts": prompt, "resources": resource}
    body = _rule(name, "allow", role, {"bundles": bundle, "risks": risk, **named})
    _make(Target(data, url, key), body, reason, output)


@app.command()
def deny(
    name: NameArgument,
    role: RoleOption,
    bundle: BundleOption = None,
    tool: ToolOption = None,
    prompt: PromptOption = None,
    resource: ResourceOption = None,
    risk: RiskOption = None,
    reason: ReasonOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Keep a role from tools; deny wins over allow."""
    named = {"tools": tool, "prompts": prompt, "resources": resource}
    body = _rule(name, "deny", role, {"bundles": bundle, "risks": risk, **named})
    _make(Target(data, url, key), body, reason, output)


@app.command()
def remove(
    name: NameArgument,
    reason: ReasonOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Remove a policy."""
    path, headers = path_of("policies", name), because(reason)
    removed = change(Target(data, url, key), lambda api: api.delete(path, headers=headers))
    print_value(removed, output)


@app.command()
def export(
    rego: Annotated[
        Path | None,
        typer.Option(help="Write what is in Rego to folders in this one, for an OPA server."),
    ] = None,
    output: OutputOption = Format.YAML,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Print all policies in the form that `policy apply` takes, or write those in Rego to files."""
    kind = RuleKind.REGO if rego is not None else None
    found = with_api(Target(data, url, key), lambda api: _whole(api, kind))
    if rego is None:
        policies = [{"name": one["name"], **body_of(one)} for one in found]
        wanted = Format.YAML if output is Format.TABLE else output
        print_structured({"policies": policies}, wanted)
        return
    files = [{"file": path} for path in write_rego(rego, found)]
    print_rows(files, ("file",), Format.TABLE if output is Format.YAML else output)


async def _whole(api: Api, kind: RuleKind | None) -> list[dict[str, Any]]:
    """Every policy of a kind, Rego included, which lists leave out."""
    listed = await api.get(path_of("policies"), {"type": kind and kind.value})
    return [
        await api.get(path_of("policies", one["name"])) if one["rego"] else one
        for one in listed["policies"]
    ]


def _make(target: Target, body: Mapping[str, object], reason: str | None, output: Format) -> None:
    path, headers = path_of("policies"), because(reason)
    made = change(target, lambda api: api.post(path, json=body, headers=headers))
    print_value(made, output)


def _rule(
    name: str, effect: str, roles: list[str], about: Mapping[str, Sequence[str] | None]
) -> dict[str, object]:
    narrowed = {member: list(names or ()) for member, names in about.items()}
    return {"name": name, "effect": effect, "roles": roles, **narrowed}


policy_versions.register(app)
policy_questions.register(app)

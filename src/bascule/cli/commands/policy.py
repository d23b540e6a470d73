"""`bascule policy`: who may use what."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_rows, print_value
from bascule.gateway.tool import RiskLevel

app = typer.Typer(no_args_is_help=True, help="Access rules. Without a rule nothing is callable.")

_COLUMNS = (
    *("name", "effect", "roles", "actions", "bundles", "tools", "prompts", "resources", "risks"),
    "priority",
)

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
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List the rules in force."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("policies")))
    print_rows(found["policies"], _COLUMNS, output, found)


@app.command()
def allow(
    name: Annotated[str, typer.Argument(help="Name of the new rule.")],
    role: RoleOption,
    bundle: BundleOption = None,
    tool: ToolOption = None,
    prompt: PromptOption = None,
    resource: ResourceOption = None,
    risk: RiskOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Let a role see and call tools."""
    named = {"tools": tool, "prompts": prompt, "resources": resource}
    body = _rule(name, "allow", role, {"bundles": bundle, "risks": risk, **named})
    target = Target(data, url, key)
    print_value(with_api(target, lambda api: api.post(path_of("policies"), json=body)), output)


@app.command()
def deny(
    name: Annotated[str, typer.Argument(help="Name of the new rule.")],
    role: RoleOption,
    bundle: BundleOption = None,
    tool: ToolOption = None,
    prompt: PromptOption = None,
    resource: ResourceOption = None,
    risk: RiskOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Keep a role from tools; deny wins over allow."""
    named = {"tools": tool, "prompts": prompt, "resources": resource}
    body = _rule(name, "deny", role, {"bundles": bundle, "risks": risk, **named})
    target = Target(data, url, key)
    print_value(with_api(target, lambda api: api.post(path_of("policies"), json=body)), output)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Name of the rule.")],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Remove a rule."""
    path = path_of("policies", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)


def _rule(
    name: str, effect: str, roles: list[str], about: Mapping[str, Sequence[str] | None]
) -> dict[str, object]:
    narrowed = {member: list(names or ()) for member, names in about.items()}
    return {"name": name, "effect": effect, "roles": roles, **narrowed}

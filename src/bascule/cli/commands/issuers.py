"""`bascule issuers`: whose access tokens are accepted, and what comes of them."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value
from bascule.identity.presets import Preset

app = typer.Typer(no_args_is_help=True, help="Issuers of access tokens: added, tried, removed.")

_COLUMNS = ("name", "issuer", "tenant", "is_active", "audiences", "default_roles", "updated_at")
_STATUS_COLUMNS = (
    "name", "is_active", "keys", "is_stale", "age_seconds", "failures", "last_error",
    "fetched_at", "usable_until", "last_error_at",
)  # fmt: skip
_MOST_BYTES = 20_000
_FORMS = {
    "--role-map": "CLAIMED=ROLE",
    "--scope": "SCOPE=PERMISSION",
    "--tenant-map": "VALUE=TENANT",
}

NameArgument = Annotated[str, typer.Argument(help="Name of the issuer here.")]


@app.command("list")
def list_issuers(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List the issuers of all tenants."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("issuers")))
    print_rows(found["issuers"], _COLUMNS, output, found)


@app.command()
def status(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Say for each issuer when its keys were fetched, how many there are, and what failed last."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("issuers")))
    members = ("name", "issuer", "is_active", "key_set")
    issuers: list[dict[str, Any]] = found["issuers"]
    rows = [{member: one[member] for member in members} for one in issuers]
    flat: list[dict[str, Any]] = [row | (row["key_set"] or {}) for row in rows]
    print_rows(flat, _STATUS_COLUMNS, output, {"issuers": rows, "total": found["total"]})


@app.command()
def show(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show an issuer, with what its preset added."""
    path = path_of("issuers", name)
    print_value(with_api(Target(data, url, key), lambda api: api.get(path)), output)


@app.command()
def add(
    name: NameArgument,
    issuer: Annotated[str, typer.Option(help="The iss of its tokens, as they have it.")],
    preset: Annotated[Preset, typer.Option(help="The product, for its claims.")] = Preset.GENERIC,
    audience: Annotated[
        list[str] | None,
        typer.Option(help="What aud must name; repeatable. Default: this gateway's address."),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Where its subjects belong.")] = "",
    role_map: Annotated[
        list[str] | None,
        typer.Option(help="CLAIMED=ROLE: what a claimed role brings; repeatable."),
    ] = None,
    default_role: Annotated[
        list[str] | None, typer.Option(help="A role for each of its subjects; repeatable.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="SCOPE=PERMISSION; repeatable. Limits tokens to what scopes bring."),
    ] = None,
    role_claim: Annotated[
        list[str] | None, typer.Option(help="Claim with roles; repeatable, replaces the preset's.")
    ] = None,
    group_claim: Annotated[
        list[str] | None, typer.Option(help="Claim with groups; repeatable, replaces the preset's.")
    ] = None,
    subject_claim: Annotated[str | None, typer.Option(help="Claim with the subject.")] = None,
    require: Annotated[
        list[str] | None,
        typer.Option(help="CLAIM or CLAIM=VALUE that tokens must have; replaces the preset's."),
    ] = None,
    namespace: Annotated[
        str, typer.Option(help="What is before your own claims in Auth0, a URL.")
    ] = "",
    tenant_claim: Annotated[str, typer.Option(help="Claim that says the tenant.")] = "",
    tenant_map: Annotated[
        list[str] | None, typer.Option(help="VALUE=TENANT of that claim; repeatable.")
    ] = None,
    jwks_url: Annotated[str, typer.Option(help="Where its keys are; default: discovered.")] = "",
    algorithm: Annotated[
        list[str] | None, typer.Option(help="Accepted signatures; default RS256 and ES256.")
    ] = None,
    shared_secret: Annotated[
        str, typer.Option(help="Reference to a secret for HS256; development only.")
    ] = "",
    client_id: Annotated[str, typer.Option(help="This gateway's own id there, to sign in.")] = "",
    client_secret: Annotated[str, typer.Option(help="Reference to its secret.")] = "",
    replace: Annotated[bool, typer.Option(help="Replace the issuer of that name.")] = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Accept the access tokens of an issuer. `test` it next, and `explain` a token of it."""
    body: dict[str, Any] = {
        "name": name,
        "issuer": issuer,
        "tenant": tenant,
        "preset": preset.value,
        "namespace": namespace,
        "audiences": audience or [],
        "role_map": _gathered("--role-map", role_map),
        "default_roles": default_role or [],
        "scopes": _gathered("--scope", scope),
        "roles_claims": role_claim,
        "groups_claims": group_claim,
        "subject_claim": subject_claim,
        "required_claims": None if require is None else _required(require),
        "tenant_claim": tenant_claim,
        "tenants": dict(_pair("--tenant-map", one) for one in tenant_map or ()),
        "jwks_url": jwks_url,
        "algorithms": algorithm,
        "shared_secret": shared_secret,
        "client_id": client_id,
        "client_secret": client_secret,
    }
    target = Target(data, url, key)
    if replace:
        stored = with_api(target, lambda api: api.put(path_of("issuers", name), json=body))
    else:
        stored = with_api(target, lambda api: api.post(path_of("issuers"), json=body))
    print_value(stored, output)


@app.command()
def remove(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Remove an issuer; none of its tokens is accepted from the next call on."""
    path = path_of("issuers", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)


@app.command("test")
def try_issuer(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Ask an issuer for its document and keys now, read its secrets, and say what is wrong."""
    path = path_of("issuers", name, "test")
    found = with_api(Target(data, url, key), lambda api: api.post(path))
    print_value(found, output)
    if not found["ok"]:
        raise typer.Exit(Exit.UNREACHABLE)


@app.command()
def explain(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Say what becomes of a token: it is asked for, or read from standard input."""
    body = {"token": _token()}
    path = path_of("issuers", name, "explain")
    found = with_api(Target(data, url, key), lambda api: api.post(path, json=body))
    print_value(_flat(found) if output is Format.TABLE else found, output)


def _flat(found: dict[str, Any]) -> dict[str, Any]:
    """What people look for first: who it is; then the claims."""
    shown = {name: one for name, one in found.items() if name not in {"claims", "bearer"}}
    return {**shown, **(found["bearer"] or {}), "claims": found["claims"]}


def _gathered(option: str, pairs: Sequence[str] | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in pairs or ():
        claimed, brought = _pair(option, pair)
        found.setdefault(claimed, []).append(brought)
    return found


def _required(claims: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for claim in claims:
        name, given, value = claim.partition("=")
        found.setdefault(name, []).extend([value] if given else [])
    return found


def _pair(option: str, text: str) -> tuple[str, str]:
    # A claimed role may hold a = itself, as names out of LDAP do; what it stands for never does.
    before, _, after = text.rpartition("=")
    if not before or not after:
        raise CommandFailed(f"{option} {text!r} is not of the form {_FORMS[option]}.", Exit.USAGE)
    return before, after


def _is_asked() -> bool:
    return sys.stdin.isatty()


def _token() -> str:
    """The token, from a place that no list of processes and no history shows."""
    if _is_asked():
        return typer.prompt("token", hide_input=True, err=True).strip()
    content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    try:
        token = content.decode("ascii").strip()
    except UnicodeDecodeError:
        token = ""
    if not token or len(content) > _MOST_BYTES:
        raise CommandFailed("Give the token on standard input, and nothing else.", Exit.USAGE)
    return token

"""`bascule import`: API documents become tools."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.differences import print_diff
from bascule.cli.documents import Upload, read_document
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_structured
from bascule.cli.preview import is_nowhere, preview_here
from bascule.gateway.errors import ErrorCode
from bascule.gateway.tool import ToolStatus

app = typer.Typer(no_args_is_help=True, help="Turn API documents into tools.")

_TOOLS: Final = ("name", "version", "change", "method", "path", "risk_level", "title")
_IMPORTS: Final = ("id", "status", "bundle", "name", "version", "uploaded_at", "uploaded_by")
_PAGE: Final = 100
_MOST_ROWS: Final = 1_000
_MOST_NAMED: Final = 5

Id = Annotated[
    str, typer.Argument(help="Id of the import, or how no other begins; see `bascule import list`.")
]

PublishOption = Annotated[
    bool, typer.Option("--publish", help="Publish at once; otherwise they are drafts.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
]
OwnerOption = Annotated[
    str | None, typer.Option(help="Owner of the tools that have none in the document.")
]
DomainOption = Annotated[
    str | None, typer.Option(help="Domain of the tools that have none in the document.")
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(help="Tag of the tools that have none in the document; may be given again."),
]


@app.callback()
def imports() -> None:
    """Turn API documents into tools."""


@app.command("openapi")
def import_openapi(
    source: Annotated[
        str,
        typer.Argument(
            help="File, folder, archive (ARCHIVE#main.yaml names the document in it) or http(s) "
            "URL; - for standard input."
        ),
    ],
    bundle: Annotated[str, typer.Option(help="Bundle to put the tools in; made if missing.")],
    publish: PublishOption = False,
    dry_run: DryRunOption = False,
    base_url: Annotated[
        str | None, typer.Option(help="Address of the API, if the document's is not right.")
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Host whose files the document may refer to; may be given again."),
    ] = None,
    remove_missing: Annotated[
        bool,
        typer.Option("--remove-missing", help="Switch off tools that the document has no more."),
    ] = False,
    owner: OwnerOption = None,
    domain: DomainOption = None,
    tag: TagOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Import an OpenAPI document: one operation, one tool. Says what that changes."""
    upload = read_document(source)
    labels = _labels(owner, domain, tag)
    target = Target(data, url, key)
    if dry_run and is_nowhere(target):
        wanted = preview_here(
            upload, bundle, base_url, allow_host or [], labels=labels, will_publish=publish
        )
        _print_report(wanted, upload, output)
        return
    fields: dict[str, Any] = {
        "bundle_id": bundle,
        "auto_publish": str(publish),
        "dry_run": str(dry_run),
        "remove_missing": str(remove_missing),
        "allow_hosts": allow_host or [],
        **({"base_url": base_url} if base_url is not None else {}),
        **({"url": upload.url} if upload.url else {}),
        **labels,
    }

    async def work(api: Api) -> dict[str, Any]:
        files = {"file": (upload.name, upload.content)}
        return await api.post(path_of("openapi"), data=fields, files=files)

    _print_report(with_api(target, work), upload, output)


@app.command("grpc")
def import_grpc(
    target: Annotated[
        str, typer.Argument(help="Where the service is: grpc://HOST:PORT, or grpcs:// for TLS.")
    ],
    bundle: Annotated[str, typer.Option(help="Bundle to put the tools in; made if missing.")],
    descriptors: Annotated[
        Path | None,
        typer.Option(help="A FileDescriptorSet; without it the service is asked (reflection)."),
    ] = None,
    service: Annotated[
        list[str] | None, typer.Option(help="Full name of a service; may be given again.")
    ] = None,
    publish: PublishOption = False,
    dry_run: DryRunOption = False,
    remove_missing: Annotated[
        bool,
        typer.Option("--remove-missing", help="Switch off tools that the service has no more."),
    ] = False,
    owner: OwnerOption = None,
    domain: DomainOption = None,
    tag: TagOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Import a gRPC service: one unary method, one tool."""
    fields: dict[str, Any] = {
        "bundle_id": bundle,
        "target": target,
        "services": service or [],
        "auto_publish": str(publish),
        "dry_run": str(dry_run),
        "remove_missing": str(remove_missing),
        **_labels(owner, domain, tag),
    }
    given = None if descriptors is None else (descriptors.name, descriptors.read_bytes())

    async def work(api: Api) -> dict[str, Any]:
        # As a form with files in any case, so that it is one.
        files = {} if given is None else {"file": given}
        return await api.post(path_of("grpc"), data=fields, files=files)

    report = with_api(Target(data, url, key), work)
    _print_report(report, Upload(name=target, content=b""), output)


@app.command("wasm")
def import_module(
    module: Annotated[Path, typer.Argument(help="A WebAssembly module, in its binary form.")],
    bundle: Annotated[str, typer.Option(help="Bundle to put the tools in; made if missing.")],
    manifest: Annotated[
        Path | None,
        typer.Option(help="What its tools are (JSON or YAML); else its section bascule.tools."),
    ] = None,
    publish: PublishOption = False,
    dry_run: DryRunOption = False,
    remove_missing: Annotated[
        bool,
        typer.Option("--remove-missing", help="Switch off tools that the module has no more."),
    ] = False,
    owner: OwnerOption = None,
    domain: DomainOption = None,
    tag: TagOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Import a WebAssembly module: its functions become tools, which run in a sandbox."""
    fields: dict[str, Any] = {
        "bundle_id": bundle,
        "auto_publish": str(publish),
        "dry_run": str(dry_run),
        "remove_missing": str(remove_missing),
        **_labels(owner, domain, tag),
    }
    files = {"file": _file(module)}
    if manifest is not None:
        files["manifest"] = _file(manifest)

    async def work(api: Api) -> dict[str, Any]:
        return await api.post(path_of("modules"), data=fields, files=files)

    report = with_api(Target(data, url, key), work)
    _print_report(report, Upload(name=module.name, content=b""), output)


def _file(path: Path) -> tuple[str, bytes]:
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}.", Exit.USAGE) from None


@app.command("connector")
def import_connector(
    name: Annotated[str, typer.Argument(help="Connector; see `bascule plugins list`.")],
    address: Annotated[str, typer.Argument(help="What it is to connect to, in its own words.")],
    bundle: Annotated[str, typer.Option(help="Bundle to put the tools in; made if missing.")],
    publish: PublishOption = False,
    dry_run: DryRunOption = False,
    remove_missing: Annotated[
        bool,
        typer.Option("--remove-missing", help="Switch off tools that it finds no more."),
    ] = False,
    owner: OwnerOption = None,
    domain: DomainOption = None,
    tag: TagOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Import what a connector of a plugin finds at an address."""
    wanted = {
        "bundle_id": bundle,
        "address": address,
        "auto_publish": publish,
        "dry_run": dry_run,
        "remove_missing": remove_missing,
        "owner": owner,
        "domain": domain,
        "tags": tag or [],
    }
    path = path_of("connectors", name)
    report = with_api(Target(data, url, key), lambda api: api.post(path, json=wanted))
    _print_report(report, Upload(name=f"{name}:{address}", content=b""), output)


@app.command("list")
def list_imports(
    bundle: Annotated[str | None, typer.Option(help="Only this bundle.")] = None,
    status: Annotated[
        str | None,
        typer.Option(help="Only draft, published, superseded, rolled_back or discarded ones."),
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List imports, the latest first."""

    filters = {"bundle_id": bundle, "status": status}
    found = with_api(Target(data, url, key), lambda api: _pages(api, filters, most_rows=_MOST_ROWS))
    print_rows(found["imports"], _IMPORTS, output, found)


@app.command()
def show(
    import_id: Id,
    output: OutputOption = Format.YAML,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show an import: its remarks, its tools, and what it changes."""
    found = with_api(Target(data, url, key), lambda api: _read(api, import_id))
    print_structured(found, Format.YAML if output is Format.TABLE else output)


@app.command()
def diff(
    import_id: Id,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what an import changed, or would change: breaking, risky, safe."""
    found = with_api(Target(data, url, key), lambda api: _read(api, import_id, "diff"))
    if output is not Format.TABLE:
        print_structured(found, output)
        return
    print_diff(found)
    typer.echo(f"{_counts(found)}.", err=True)


@app.command()
def publish(
    import_id: Id,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Put a draft in force, all of its tools at once."""
    _decide(import_id, "publish", Target(data, url, key), output)


@app.command()
def discard(
    import_id: Id,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Give a draft up."""
    _decide(import_id, "discard", Target(data, url, key), output)


@app.command()
def rollback(
    import_id: Id,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Put in force what was before an import: the versions of its tools, and the address."""
    _decide(import_id, "rollback", Target(data, url, key), output)


def _labels(owner: str | None, domain: str | None, tags: list[str] | None) -> dict[str, Any]:
    """What is said of the tools' metadata, as fields of the form."""
    given = {"owner": owner, "domain": domain, "tags": tags}
    return {field: value for field, value in given.items() if value}


def _decide(import_id: str, action: str, target: Target, output: Format) -> None:
    async def work(api: Api) -> dict[str, Any]:
        return await api.post(path_of("openapi", await _whole_id(api, import_id), action))

    print_rows([with_api(target, work)], _IMPORTS, output)


async def _read(api: Api, import_id: str, *parts: str) -> dict[str, Any]:
    return await api.get(path_of("openapi", await _whole_id(api, import_id), *parts))


async def _pages(
    api: Api, filters: Mapping[str, Any], *, most_rows: int | None = None
) -> dict[str, Any]:
    """Imports, the latest first, and how many there are: all, or about the latest `most_rows`."""
    found: list[dict[str, Any]] = []
    while True:
        page = {**filters, "limit": _PAGE, "page": len(found) // _PAGE + 1}
        answer = await api.get(path_of("openapi"), page)
        found += answer["imports"]
        is_enough = most_rows is not None and len(found) >= most_rows
        if is_enough or len(found) >= answer["total"] or not answer["imports"]:
            return {"imports": found, "total": answer["total"]}


async def _whole_id(api: Api, given: str) -> str:
    """The id that `given` is, or that alone begins so.

    Raises:
        CommandFailed: usage; there is none, or there are several.
    """
    try:
        return str(UUID(given))
    except ValueError:
        every = (await _pages(api, {}))["imports"]
    found = [one["id"] for one in every if given and one["id"].startswith(given.lower())]
    if not found:
        raise CommandFailed(
            f"No import {given}; see `bascule import list`.",
            Exit.USAGE,
            code=ErrorCode.NOT_FOUND.code,
        )
    if len(found) > 1:
        named = ", ".join(found[:_MOST_NAMED])
        raise CommandFailed(
            f"{len(found)} imports begin with {given}: {named}. Give more of the id.",
            Exit.USAGE,
            code=ErrorCode.INVALID_VALUE.code,
        )
    return found[0]


def _print_report(report: dict[str, Any], upload: Upload, output: Format) -> None:
    if output is not Format.TABLE:
        print_structured(report, output)
        return
    actions = {one["tool"]: one["action"] for one in report["diff"]["tools"]}
    rows = [{**tool, "change": actions.get(tool["name"], "")} for tool in report["tools"]]
    print_rows(rows, _TOOLS, output)
    print_diff(report["diff"])
    for warning in report["warnings"]:
        line = f":{warning['line']}" if warning["line"] else ""
        place = f"{upload.name.partition('#')[0]}{line}"
        typer.echo(f"warning: {place}: {warning['location']}: {warning['message']}", err=True)
    typer.echo(_summary(report), err=True)


def _summary(report: dict[str, Any]) -> str:
    count, bundle = report["tools_generated"], report["bundle"]
    noun = "tool" if count == 1 else "tools"
    whole = f"{count} {noun} in bundle {bundle}"
    if not report["changed"]:
        return f"{whole}: everything is already as the document says. Nothing was stored."
    counts = _counts(report["diff"])
    if report["dry_run"]:
        return f"{whole}: {counts}. Nothing was changed."
    if report["published"]:
        return f"{whole}: {counts}. Published."
    drafts = sum(tool["status"] == ToolStatus.DRAFT for tool in report["tools"])
    are = {
        0: "Nothing of it is in force yet: publish it",
        1: "1 of them is a draft: publish it",
    }.get(drafts, f"{drafts} of them are drafts: publish all")
    return f"{whole}: {counts}. {are} with `bascule import publish {report['spec_id']}`."


def _counts(diff: Mapping[str, Any]) -> str:
    """What happens to how many tools, and how bad it is."""
    summary = diff["summary"]
    fates = [one["status"] for one in diff["tools"] if one["action"] == "removed"]
    by_fate = {
        "deprecated": fates.count(ToolStatus.DEPRECATED),
        "switched off": fates.count(ToolStatus.INACTIVE),
    }
    counted = {
        **{name: summary.get(name, 0) for name in ("added", "changed")},
        **by_fate,
        **{name: summary.get(name, 0) for name in ("restored", "unchanged")},
    }
    actions = [f"{count} {name}" for name, count in counted.items() if count]
    changes = [f"{summary[name]} {name}" for name in ("breaking", "risky") if summary.get(name)]
    told = ", ".join(actions) or "no tool"
    return f"{told}; {', '.join(changes)}" if changes else told

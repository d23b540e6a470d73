"""`bascule import`: API documents become tools."""

from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer

from bascule.cli.connection import Api, Target
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_structured

app = typer.Typer(no_args_is_help=True, help="Turn API documents into tools.")

_COLUMNS = ("name", "method", "path", "risk_level", "title")
_MOST_BYTES = 50_000_000


@app.callback()
def imports() -> None:
    """Turn API documents into tools."""


@app.command("openapi")
def import_openapi(
    source: Annotated[str, typer.Argument(help="File or http(s) URL of the document.")],
    bundle: Annotated[str, typer.Option(help="Bundle to put the tools in; made if missing.")],
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish at once; otherwise they are drafts.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be made, and change nothing.")
    ] = False,
    base_url: Annotated[
        str | None, typer.Option(help="Address of the API, if the document's is not right.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Import an OpenAPI document: one operation, one tool."""
    name, content = _read(source)
    fields = {"bundle_id": bundle, "auto_publish": str(publish), "dry_run": str(dry_run)}
    if base_url is not None:
        fields["base_url"] = base_url

    async def work(api: Api) -> dict[str, Any]:
        files = {"file": (name, content)}
        return await api.post("/api/admin/openapi", data=fields, files=files)

    report = with_api(Target(data, url, key), work)
    if output is not Format.TABLE:
        print_structured(report, output)
        return
    print_rows(report["tools"], _COLUMNS, output)
    for warning in report["warnings"]:
        typer.echo(f"warning: {warning['location']}: {warning['message']}", err=True)
    typer.echo(_summary(report), err=True)


def _summary(report: dict[str, Any]) -> str:
    count, bundle = report["tools_generated"], report["bundle"]
    if report["dry_run"]:
        return f"{count} tools would be made in bundle {bundle}; nothing was changed."
    if report["published"]:
        return f"{count} tools published in bundle {bundle}."
    return f"{count} drafts in bundle {bundle}; publish with --publish or `bascule tools publish`."


def _read(source: str) -> tuple[str, bytes]:
    if source.startswith(("http://", "https://")):
        return source.rstrip("/").rsplit("/", 1)[-1] or "openapi", _fetch(source)
    try:
        return Path(source).name, Path(source).read_bytes()
    except OSError as error:
        reason = f"{source} cannot be read: {error.strerror or error}."
        raise CommandFailed(reason, Exit.USAGE) from None


def _fetch(url: str) -> bytes:
    try:
        with httpx2.stream("GET", url, timeout=30.0, trust_env=False) as response:
            response.raise_for_status()
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > _MOST_BYTES:
                    raise CommandFailed(f"{url} is larger than 50 MB.", Exit.USAGE)
            return content
    except httpx2.HTTPStatusError as error:
        reason = f"{url} answered HTTP {error.response.status_code}."
        raise CommandFailed(reason, Exit.UNREACHABLE) from None
    except httpx2.HTTPError as error:
        reason = f"{url} cannot be fetched: {error or type(error).__name__}."
        raise CommandFailed(reason, Exit.UNREACHABLE) from None

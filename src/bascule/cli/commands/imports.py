"""`bascule import`: API documents become tools."""

import sys
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import httpx2
import typer

from bascule.catalogue.openapi.syntax import MAX_DOCUMENT_BYTES
from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_structured
from bascule.cli.terminal import progress
from bascule.gateway.tool import ToolStatus

app = typer.Typer(no_args_is_help=True, help="Turn API documents into tools.")

_COLUMNS = ("name", "method", "path", "risk_level", "title")
_STDIN: Final = "-"


@app.callback()
def imports() -> None:
    """Turn API documents into tools."""


@app.command("openapi")
def import_openapi(
    source: Annotated[
        str, typer.Argument(help="File or http(s) URL of the document; - for standard input.")
    ],
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
        return await api.post(path_of("openapi"), data=fields, files=files)

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
    drafts = sum(tool["status"] == ToolStatus.DRAFT for tool in report["tools"])
    noun = "tool" if count == 1 else "tools"
    if report["dry_run"]:
        return f"{count} {noun} would be made in bundle {bundle}; nothing was changed."
    if report["published"]:
        return f"{count} {noun} published in bundle {bundle}."
    if not drafts:
        return f"{count} {noun} replaced in bundle {bundle}, status kept."
    return (
        f"{count} {noun} in bundle {bundle}, {drafts} of them drafts: publish with --publish or "
        "`bascule tools publish NAME`."
    )


def _read(source: str) -> tuple[str, bytes]:
    if source.startswith(("http://", "https://")):
        return source.rstrip("/").rsplit("/", 1)[-1] or "openapi", _fetch(source)
    if source == _STDIN:
        return "stdin", _at_most(sys.stdin.buffer, "Standard input")
    try:
        with Path(source).open("rb") as file:
            return Path(source).name, _at_most(file, source)
    except OSError as error:
        reason = f"{source} cannot be read: {error.strerror or error}."
        raise CommandFailed(reason, Exit.USAGE) from None


def _at_most(file: BinaryIO, name: str) -> bytes:
    content = file.read(MAX_DOCUMENT_BYTES + 1)
    if len(content) > MAX_DOCUMENT_BYTES:
        raise _too_large(name)
    return content


def _fetch(url: str) -> bytes:
    try:
        with httpx2.stream(
            "GET", url, timeout=30.0, trust_env=False, follow_redirects=True
        ) as response:
            response.raise_for_status()
            return _download(response, url)
    except httpx2.HTTPStatusError as error:
        reason = f"{url} answered HTTP {error.response.status_code}."
        raise CommandFailed(reason, Exit.UNREACHABLE) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        reason = f"{url} cannot be fetched: {error or type(error).__name__}."
        raise CommandFailed(reason, Exit.UNREACHABLE) from None


def _download(response: httpx2.Response, url: str) -> bytes:
    declared = response.headers.get("content-length", "")
    total_bytes = int(declared) if declared.isdigit() and len(declared) < 16 else None
    content = bytearray()
    with progress(f"Fetching {url}", total_bytes) as advance:
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > MAX_DOCUMENT_BYTES:
                raise _too_large(url)
            advance(len(chunk))
    return bytes(content)


def _too_large(name: str) -> CommandFailed:
    return CommandFailed(f"{name} is larger than {MAX_DOCUMENT_BYTES:,} bytes.", Exit.USAGE)

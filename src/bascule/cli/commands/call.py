"""`bascule call`: one tool call through the whole pipeline, like any client's."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bascule.cli.arguments import parse_arguments
from bascule.cli.connection import Api, Target
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit, exit_code_for
from bascule.cli.output import Format, OutputOption, print_value
from bascule.gateway.errors import ErrorCode
from bascule.transports.rendering import ERROR_META

_NOTHING: dict[str, Any] = {}


def call(
    tool: Annotated[str, typer.Argument(help="Name of the tool.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="key=value, or key:=JSON.", metavar="KEY=VALUE")
    ] = None,
    given_json: Annotated[
        str | None, typer.Option("--json", help="All arguments as one JSON object.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Call a tool and print what it gave."""

    async def work(api: Api) -> dict[str, Any]:
        schemas = {one["name"]: one["inputSchema"] for one in await api.tools()}
        values = parse_arguments(arguments or [], given_json, schemas.get(tool, {}))
        return await api.mcp("tools/call", {"name": tool, "arguments": values}, name=tool)

    result = with_api(Target(data, url, key), work)
    if result.get("isError"):
        failure = _tool_failure(tool, result)
        if failure.details.get("elevation_url"):
            failure.message += _how_to_ask([tool, *(arguments or [])], given_json, data, url)
        raise failure
    print_value(_value(result), output)


def _how_to_ask(called: Sequence[str], given_json: str | None, data: Path, url: str | None) -> str:
    """The command that asks for leave for the very same call."""
    words = ["bascule", "elevation", "request", *called]
    if given_json is not None:
        words += ["--json", given_json]
    if url is not None:
        words += ["--url", url]
    elif data != DEFAULT_DATA:
        words += ["--data", str(data)]
    return f"\nOr ask with: {shlex.join(words)} --reason 'why you need it'"


def _value(result: dict[str, Any]) -> object:
    """The structured result where there is one, else the text."""
    if "structuredContent" in result:
        return result["structuredContent"]
    content = result.get("content", [])
    texts = [one["text"] for one in content if one.get("type") == "text"]
    return texts[0] if len(texts) == 1 == len(content) else content


def _tool_failure(tool: str, result: dict[str, Any]) -> CommandFailed:
    meta: dict[str, Any] = (result.get("_meta") or _NOTHING).get(ERROR_META) or _NOTHING
    code = str(meta.get("code", "E3003"))
    text = "\n".join(one["text"] for one in result.get("content", []) if "text" in one)
    message = text.removeprefix(f"{code}: ") or f"{tool} failed."
    is_ours = code.startswith("E2") or code == ErrorCode.ELEVATION_REQUIRED.code
    return CommandFailed(
        message,
        exit_code_for(code) if is_ours else Exit.TOOL_ERROR,
        code=code,
        details=meta.get("details") or _NOTHING,
        correlation_id=meta.get("correlation_id"),
    )

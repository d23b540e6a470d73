"""What `bascule up` prints when it is ready: where it is, and what to try."""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import typer

from bascule import __version__
from bascule.app.private import ADMIN_KEY
from bascule.app.ready import Ready

_CALL = (
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"resolve_customer",'
    '"arguments":{"mobile":"9876543210"},"_meta":{"io.modelcontextprotocol/protocolVersion":'
    '"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}'
)


def announce(
    ready: Ready,
    data: Path,
    *,
    seconds: float,
    setup: str | None = None,
    demo_key: str | None = None,
) -> None:
    """Print the addresses, the keys' places and ready-made lines to try.

    `setup` is the path of the link for the first administrator, while there is none. `demo_key`
    is the key of the demonstration, where there is one.
    """
    option = "" if data == Path(".bascule") else f" --data {shlex.quote(str(data))}"
    me = command()
    lines = [
        f"Bascule {__version__} is ready ({seconds:.1f} s). Stop it with Ctrl-C.",
        "",
        f"  MCP endpoint   {ready.mcp_url}",
        f"  REST API       {ready.api_url}",
        f"  Assistant      {_page(ready, '/chat')}",
        f"  Sign in        {_page(ready, '/sign-in')}",
        f"  Admin key      in {data / ADMIN_KEY}",
    ]
    if demo_key:
        lines.append(f"  Demo key       {demo_key}")
    if setup is not None:
        lines += [
            "",
            "Nobody administers this gateway yet. Make the first account, within an hour and once:",
            f"  {_page(ready, setup)}",
        ]
    lines += _try_demo(ready, demo_key, me, option) if demo_key else _try_empty(me, option)
    lines += ["", "Client configuration", *_snippet(ready, demo_key), ""]
    typer.echo("\n".join(lines))


def _page(ready: Ready, path: str) -> str:
    return f"{ready.api_url.removesuffix('/api')}{path}"


def command() -> str:
    """How to call this program from the shell it was started from."""
    found = shutil.which("bascule")
    started = Path(sys.argv[0])
    if found is not None and Path(found).resolve() == started.resolve():
        return "bascule"
    if started.name == "bascule":
        return shlex.quote(os.path.relpath(started))
    return f"{shlex.quote(os.path.relpath(sys.executable))} -m bascule"


def _try_demo(ready: Ready, key: str, me: str, option: str) -> list[str]:
    return [
        "",
        "Try, in another shell",
        f"  {me} tools list{option}",
        f"  {me} call resolve_customer mobile=9876543210{option}",
        f"  {me} call get_nearby_dealers city=Pune service_type=regular{option}",
        f"  {me} audit tail{option}",
        f"  {me} audit verify{option}",
        "",
        "Or as an MCP client would",
        f"  curl -s {ready.mcp_url} -H 'Authorization: Bearer {key}' \\",
        "    -H 'Content-Type: application/json' \\",
        "    -H 'Accept: application/json, text/event-stream' \\",
        "    -H 'MCP-Protocol-Version: 2026-07-28' \\",
        "    -H 'Mcp-Method: tools/call' -H 'Mcp-Name: resolve_customer' \\",
        f"    -d '{_CALL}'",
    ]


def _try_empty(me: str, option: str) -> list[str]:
    return [
        "",
        "Next, in another shell",
        f"  {me} import openapi FILE --bundle NAME --publish{option}",
        f"  {me} policy allow RULE --role user --bundle NAME{option}",
        f"  {me} keys create --name NAME --role user{option}",
    ]


def _snippet(ready: Ready, key: str | None) -> list[str]:
    server = {
        "type": "http",
        "url": ready.mcp_url,
        "headers": {"Authorization": f"Bearer {key or 'YOUR-KEY'}"},
    }
    text = json.dumps({"mcpServers": {"bascule": server}}, indent=2)
    return [f"  {line}" for line in text.splitlines()]

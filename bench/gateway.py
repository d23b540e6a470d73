"""A Bascule gateway, started and set up the way an operator would, ready for governed calls."""

import asyncio
import shlex
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

import httpx2
import msgspec

from bench.children import STARTUP_SECONDS, Child, running
from bench.operations import Address, Kind, Operation
from bench.registry import MOST_SECONDS_PER_TOOL
from bench.tokens import AUDIENCE, TokenIssuer
from bench.upstream import openapi_document

COMMAND: Final = (sys.executable, "-m", "bascule", "up")
"""What starts the gateway; `--data DIR --port 0 --no-browser` is added."""

BUNDLE: Final = "bench"
_POLL_SECONDS: Final = 0.05
_REQUEST_SECONDS: Final = 30.0


class Ready(msgspec.Struct, frozen=True):
    """What the harness reads of `ready.json`, written by the gateway once it serves."""

    mcp_url: str
    api_url: str
    admin_key_file: str | None = None


class _Admin(NamedTuple):
    """Where the REST API is, and the key of who may change everything there."""

    api_url: str
    key: str


@dataclass(frozen=True, slots=True)
class Start:
    """How to start the gateway, and how many tools and rules its registry has from the start.

    `policies` are made besides the one that lets the callers in. `name` is that of its folder.
    """

    command: Sequence[str] = COMMAND
    tools: int = 0
    rules: int = 0
    policies: Sequence[Mapping[str, Any]] = ()
    name: str = "data"


@asynccontextmanager
async def governed(
    start: Start, scratch: Path, upstream_url: str, operation: Operation, issuer: TokenIssuer
) -> AsyncGenerator[tuple[Child, Address]]:
    """Run a gateway in front of the upstream; yields it and where the tool is called.

    The caller behind the address has the role `user`, and a policy lets that role call the
    imported bundle: nothing is open by default. So has the bearer of the token of `issuer`.

    Raises:
        ChildFailed: it did not start, or refused a step of the set-up.
    """
    data = scratch / start.name
    data.mkdir()
    if start.tools or start.rules:
        await _fill(data, start, scratch)
    arguments = [*start.command, "--data", str(data), "--port", "0", "--no-browser"]
    async with running(
        "gateway", arguments, scratch=scratch, directory=scratch, piped=False
    ) as child:
        ready = await _wait_until_ready(child, data / "ready.json")
        around = (upstream_url, operation, issuer)
        admin = _Admin(ready.api_url, _admin_key(child, data, ready))
        tool, key = await _set_up(child, admin, around, start.policies)
        url = urlsplit(ready.mcp_url)
        if url.hostname is None or url.port is None:
            raise child.failed(f"gave an MCP address without host and port: {ready.mcp_url}")
        yield child, Address(Kind.MCP, url.hostname, url.port, url.path, key, tool)


async def _fill(data: Path, start: Start, scratch: Path) -> None:
    filling = ["-m", "bench.registry", "--data", str(data)]
    filling += ["--tools", str(start.tools), "--rules", str(start.rules)]
    async with running("registry", [sys.executable, *filling], scratch=scratch) as child:
        most_seconds = STARTUP_SECONDS + (start.tools + start.rules) * MOST_SECONDS_PER_TOOL
        await child.answer(b"", seconds=most_seconds)


def parse_command(text: str) -> list[str]:
    """Split a command line as a shell would.

    Raises:
        ValueError: empty, or a quotation that does not end.
    """
    command = shlex.split(text)
    if not command:
        raise ValueError("the command is empty")
    return command


async def _wait_until_ready(child: Child, path: Path) -> Ready:
    try:
        async with asyncio.timeout(STARTUP_SECONDS):
            while True:
                ready = _read(path)
                if ready is not None:
                    return ready
                if child.process.returncode is not None:
                    raise child.failed(f"ended at once (exit status {child.process.returncode})")
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise child.failed(f"wrote no {path.name} in {STARTUP_SECONDS:.0f} s") from None


def _read(path: Path) -> Ready | None:
    """The ready file, or None while it is missing or half written."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ready)
    except (OSError, msgspec.DecodeError):
        return None


def _admin_key(child: Child, data: Path, ready: Ready) -> str:
    if ready.admin_key_file is None:
        raise child.failed("made no admin key, so nothing can be set up")
    return (data / ready.admin_key_file).read_text().strip()


async def _set_up(
    child: Child,
    admin: _Admin,
    around: tuple[str, Operation, TokenIssuer],
    policies: Sequence[Mapping[str, Any]],
) -> tuple[str, str]:
    """Import the tools, allow role `user` to call them, make a key: tool name and key."""
    upstream_url, operation, issuer = around
    base = admin.api_url.rstrip("/").removesuffix("/api")
    async with httpx2.AsyncClient(
        base_url=base,
        headers={"authorization": f"Bearer {admin.key}"},
        timeout=_REQUEST_SECONDS,
        trust_env=False,  # a proxy from the environment has no business on loopback
    ) as client:
        imported = await _post(
            child,
            client,
            "/api/admin/openapi",
            files={"file": ("openapi.json", openapi_document(upstream_url), "application/json")},
            data={"bundle_id": BUNDLE, "auto_publish": "true"},
        )
        policy = {"name": "bench", "effect": "allow", "roles": ["user"], "bundles": [BUNDLE]}
        for one in (policy, *policies):
            await _post(child, client, "/api/admin/policies", json=one)
        caller = {"name": "bench", "roles": ["user"]}
        key = await _post(child, client, "/api/admin/keys", json=caller)
        believed = {
            "name": "bench",
            "issuer": issuer.url,
            "audiences": [AUDIENCE],
            "roles_claims": ["roles"],
            "role_map": {"callers": ["user"]},
        }
        await _post(child, client, "/api/admin/issuers", json=believed)
    return _tool_name(child, imported, operation), str(key["key"])


async def _post(
    child: Child, client: httpx2.AsyncClient, path: str, **content: Any
) -> Mapping[str, Any]:
    try:
        response = await client.post(path, **content)
    except httpx2.HTTPError as error:
        raise child.failed(f"did not answer POST {path}: {error!r}") from error
    if not response.is_success:
        raise child.failed(f"refused POST {path}: {response.status_code} {response.text[:1000]}")
    return cast("Mapping[str, Any]", response.json())


def _tool_name(child: Child, imported: Mapping[str, Any], operation: Operation) -> str:
    names = [str(tool["name"]) for tool in imported.get("tools", ())]
    if operation.value not in names:
        raise child.failed(f"imported no tool {operation.value}, only {', '.join(names) or 'none'}")
    return operation.value

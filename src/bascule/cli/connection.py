"""Reaching an instance: the running one, or the data directory itself where none runs."""

import itertools
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import httpx2

from bascule.app.instance import open_local
from bascule.app.ready import Ready, read_ready
from bascule.cli.failures import CommandFailed, Exit, exit_code_for
from bascule.protocol.headers import encode_value
from bascule.protocol.messages import CAPABILITIES_KEY, CLIENT_INFO_KEY, VERSION_KEY
from bascule.protocol.versions import MODERN_VERSION
from bascule.settings.loading import Loaded

_NOT_FOUND: Final = (
    "No instance runs on {where}. Start one with `bascule up`, or name one with --url and --key."
)


@dataclass(frozen=True, slots=True)
class Target:
    """What the common options said: an address with a key, or a data directory."""

    data: Path
    url: str | None = None
    key: str | None = None


class Api:
    """An instance's REST API and MCP endpoint, with failures as `CommandFailed`."""

    def __init__(self, client: httpx2.AsyncClient, where: str) -> None:
        self._client = client
        self._where = where
        self._ids = itertools.count(1)

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET `path` and decode the answer; parameters that are None are left out."""
        chosen = {key: value for key, value in (params or {}).items() if value is not None}
        return await self._send("GET", path, params=chosen)

    async def post(self, path: str, **body: Any) -> Any:
        """POST `json=` or `data=` and `files=` to `path` and decode the answer."""
        return await self._send("POST", path, **body)

    async def delete(self, path: str) -> Any:
        """DELETE `path`."""
        return await self._send("DELETE", path)

    async def mcp(
        self, method: str, params: Mapping[str, Any] | None = None, name: str | None = None
    ) -> dict[str, Any]:
        """Send one MCP request and give its result; `name` is the tool's, for `Mcp-Name`.

        Raises:
            CommandFailed: the JSON-RPC error, under its E-code.
        """
        meta = {VERSION_KEY: MODERN_VERSION, CAPABILITIES_KEY: {}, CLIENT_INFO_KEY: _CLIENT_INFO}
        message = {
            "jsonrpc": "2.0",
            "id": next(self._ids),
            "method": method,
            "params": {**(params or {}), "_meta": meta},
        }
        headers = {"mcp-protocol-version": MODERN_VERSION, "mcp-method": method}
        if name is not None:
            headers["mcp-name"] = encode_value(name)
        answer = await self._send("POST", "/mcp", json=message, headers=headers)
        if "error" in answer:
            raise _rpc_failure(answer["error"])
        return cast("dict[str, Any]", answer["result"])

    async def tools(self) -> list[dict[str, Any]]:
        """Every tool this caller may see, page after page."""
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {}
        while True:
            page = await self.mcp("tools/list", params)
            found += page["tools"]
            if "nextCursor" not in page:
                return found
            params = {"cursor": page["nextCursor"]}

    async def _send(self, verb: str, path: str, **options: Any) -> Any:
        try:
            response = await self._client.request(verb, path, **options)
        except httpx2.TimeoutException:
            raise CommandFailed(
                f"{self._where} did not answer in time.", Exit.UNREACHABLE
            ) from None
        except httpx2.TransportError as error:
            message = f"{self._where} cannot be reached: {error or type(error).__name__}."
            raise CommandFailed(message, Exit.UNREACHABLE) from None
        try:
            answer: Any = response.json() if response.content else None
        except json.JSONDecodeError:
            message = f"{self._where} answered HTTP {response.status_code} without JSON."
            raise CommandFailed(f"{message} Is it Bascule?", Exit.UNREACHABLE) from None
        members: dict[str, Any] = _members(answer)
        if response.is_success or "jsonrpc" in members:
            return answer
        raise _api_failure(response.status_code, members)


_CLIENT_INFO: Final = {"name": "bascule-cli", "version": "1"}


@asynccontextmanager
async def connect(target: Target, loaded: Loaded) -> AsyncGenerator[Api]:
    """Open the instance `target` means: an address, a running instance, or the directory.

    Raises:
        CommandFailed: nothing is there, or it cannot be opened.
    """
    if target.url is not None:
        async with _remote(target.url.rstrip("/"), target.key) as api:
            yield api
        return
    ready = read_ready(target.data)
    if ready is not None:
        async with _remote(_base_url(ready), target.key or ready.admin_key) as api:
            yield api
        return
    if not target.data.is_dir():
        raise CommandFailed(_NOT_FOUND.format(where=target.data), Exit.UNREACHABLE)
    async with open_local(loaded, target.data) as (app, key):
        transport = httpx2.ASGITransport(app)  # pyright: ignore[reportArgumentType]
        async with _client("http://127.0.0.1", key, transport) as client:
            yield Api(client, str(target.data))


@asynccontextmanager
async def _remote(base_url: str, key: str | None) -> AsyncGenerator[Api]:
    async with _client(base_url, key, None) as client:
        yield Api(client, base_url)


def _client(
    base_url: str, key: str | None, transport: httpx2.AsyncBaseTransport | None
) -> httpx2.AsyncClient:
    headers = {"accept": "application/json, text/event-stream"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    return httpx2.AsyncClient(
        base_url=base_url,
        headers=headers,
        timeout=httpx2.Timeout(60.0, connect=5.0),
        transport=transport,
        trust_env=False,
    )


def _members(answer: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}


def _base_url(ready: Ready) -> str:
    return ready.mcp_url.removesuffix("/mcp")


def _rpc_failure(error: Mapping[str, Any]) -> CommandFailed:
    data: Any = error.get("data")
    found: dict[str, Any] = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    code = str(found.get("code", ""))
    given: Any = found.get("details")
    details = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    details = {**details, "correlation_id": found.get("correlation_id")}
    return CommandFailed(
        str(error.get("message", "unknown error")),
        exit_code_for(code),
        code=code,
        details=details,
    )


def _api_failure(status: int, body: Mapping[str, Any]) -> CommandFailed:
    error = cast("dict[str, Any]", body.get("error") or {})
    code = str(error.get("code", ""))
    message = str(error.get("message") or f"HTTP {status}")
    return CommandFailed(
        message, exit_code_for(code), code=code, details=error.get("details") or {}
    )

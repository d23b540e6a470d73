"""Reaching an instance: the running one, or the data directory itself where none runs."""

import itertools
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

import httpx2

from bascule.app.ready import Ready, admin_key_of, read_ready
from bascule.app.trimming import without_collections
from bascule.cli.acting import HEADER, acting_in
from bascule.cli.failures import CommandFailed, Exit, exit_code_for
from bascule.cli.terminal import warn_of_file
from bascule.cli.trust import hint_for, tls_of
from bascule.gateway.errors import ErrorCode
from bascule.protocol.codes import MISSING_CLIENT_CAPABILITY
from bascule.protocol.headers import encode_value
from bascule.protocol.messages import CAPABILITIES_KEY, CLIENT_INFO_KEY, VERSION_KEY
from bascule.protocol.versions import MODERN_VERSION
from bascule.settings.loading import Loaded

_NOT_FOUND: Final = (
    "No instance runs on {where}. Start one with `bascule up`, or name one with --url and --key."
)
_KEY_WANTED: Final = (
    "{where} asks for an API key. Give one with --key, or in BASCULE_KEY. Is there none yet? Stop "
    "the instance, and run `bascule keys create` on its directory with --data."
)
_AT_HOME: Final = (
    "Tools are listed and called in the tenant of the key; --tenant is for what manages a tenant. "
    "Give a key of that tenant."
)
_ASKS: Final = "This tool asks its caller something; use a client that can be asked."
_PLACE: Final = re.compile(
    r"(?<![^ ])(?:body|path|query)(?:\.(?=[\w.-]+: )|: (?=Value error, ))|(?<=: )Value error, "
)
"""Where in a request a value stands, which who gave a command did not write."""
_READ_SECONDS: Final = 300.0
"""Longer than any instance lets a call take unless told otherwise: it is the one to give up."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the common options said: an address with a key, or a data directory."""

    data: Path
    url: str | None = None
    key: str | None = None


def path_of(*parts: str) -> str:
    """The path of a thing under the REST API's administration; `parts` may hold any characters."""
    return "/".join(["/api/admin", *(quote(part, safe="", errors="replace") for part in parts)])


class Api:
    """An instance's REST API and MCP endpoint, with failures as `CommandFailed`."""

    def __init__(self, client: httpx2.AsyncClient, where: str) -> None:
        self._client = client
        self._where = where
        self._ids = itertools.count(1)

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET `path` and decode the answer; parameters that are None are left out."""
        return await self._send("GET", path, params=_given(params))

    async def post(self, path: str, **body: Any) -> Any:
        """POST `json=` or `data=` and `files=` to `path` and decode the answer."""
        return await self._send("POST", path, **body)

    async def patch(self, path: str, params: Mapping[str, Any] | None = None, **body: Any) -> Any:
        """PATCH `path` with `json=` and decode the answer; parameters that are None are left out.

        What others changed since it was loaded is not overwritten: give `headers=` with If-Match.
        """
        return await self._send("PATCH", path, params=_given(params), **body)

    async def put(self, path: str, **body: Any) -> Any:
        """PUT `json=` to `path` and decode the answer."""
        return await self._send("PUT", path, **body)

    async def delete(
        self, path: str, params: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        """DELETE `path`; parameters that are None are left out. `headers=` as elsewhere."""
        return await self._send("DELETE", path, params=_given(params), **options)

    async def mcp(
        self, method: str, params: Mapping[str, Any] | None = None, name: str | None = None
    ) -> dict[str, Any]:
        """Send one MCP request and give its result; `name` is the tool's, for `Mcp-Name`.

        Raises:
            CommandFailed: the JSON-RPC error, under its E-code; or usage, where another tenant
                was named: calls are made in that of the key.
        """
        if acting_in() is not None:
            raise CommandFailed(_AT_HOME, Exit.USAGE)
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
        except (httpx2.RequestError, ssl.SSLError) as error:  # the latter after the handshake
            reason = f"{error or type(error).__name__}.{hint_for(error)}"
            message = f"{self._where} cannot be reached: {reason}"
            raise CommandFailed(message, Exit.UNREACHABLE) from None
        return self._read(response)

    def _read(self, response: httpx2.Response) -> Any:
        try:
            answer: Any = response.json()
        except ValueError:
            raise self._not_bascule(response) from None
        if error := _object(_object(answer).get("error")):
            raise self._failure(error)
        if not response.is_success or "x-correlation-id" not in response.headers:
            raise self._not_bascule(response)
        return answer

    def _failure(self, error: Mapping[str, Any]) -> CommandFailed:
        """The error of a REST answer, or of a JSON-RPC one, where `data` holds our members."""
        if error.get("code") == MISSING_CLIENT_CAPABILITY:
            return _asks_its_caller(error)
        members = _object(error.get("data")) or error
        code = str(members.get("code", ""))
        message = str(error.get("message") or "It did not say why.")
        if members is error:
            message = _PLACE.sub("", message)
        if code == ErrorCode.AUTH_REQUIRED.code:
            message = _KEY_WANTED.format(where=self._where)
        return CommandFailed(
            message,
            exit_code_for(code),
            code=code,
            details=_object(members.get("details")),
            correlation_id=members.get("correlation_id"),
        )

    def _not_bascule(self, response: httpx2.Response) -> CommandFailed:
        return CommandFailed(
            f"{self._where} answered HTTP {response.status_code}, but not as Bascule does. "
            "Is the address right?",
            Exit.UNREACHABLE,
        )


def _given(params: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (params or {}).items() if value is not None}


def _asks_its_caller(error: Mapping[str, Any]) -> CommandFailed:
    """What needs a client that can be asked; an upstream's own refusal has no E-code."""
    required = _object(_object(error.get("data")).get("requiredCapabilities"))
    details: dict[str, object] = {"reason": error.get("message"), "requiredCapabilities": required}
    code = ErrorCode.MISSING_CAPABILITY.code
    return CommandFailed(_ASKS, exit_code_for(code), code=code, details=details)


def _object(value: object) -> dict[str, Any]:
    """`value` if it is a JSON object, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


_CLIENT_INFO: Final = {"name": "bascule-cli", "version": "1"}


@asynccontextmanager
async def connect(target: Target, settings: Callable[[], Loaded]) -> AsyncGenerator[Api]:
    """Open the instance `target` means: an address, a running instance, or the directory.

    `settings` is asked only where the directory itself is opened.

    Raises:
        CommandFailed: nothing is there, or it cannot be opened.
    """
    if target.url is not None:
        address = _address(target.url)
        async with _remote(address, target.key, tls_of(address)) as api:
            yield api
        return
    ready = read_ready(target.data)
    if ready is not None:
        address = _base_url(ready)
        tls = tls_of(address, ready.certificate)
        key = target.key or admin_key_of(target.data, ready, warn_of_file)
        async with _remote(address, key, tls) as api:
            yield api
        return
    if not target.data.is_dir():
        raise CommandFailed(_NOT_FOUND.format(where=target.data), Exit.UNREACHABLE)
    # Only here: it loads the whole server, which takes longer than most commands.
    with without_collections():
        from bascule.app.instance import open_local

    async with open_local(settings(), target.data) as (app, key):
        transport = httpx2.ASGITransport(app)  # pyright: ignore[reportArgumentType]
        async with _client("http://127.0.0.1", target.key or key, transport) as client:
            yield Api(client, str(target.data))


@asynccontextmanager
async def _remote(
    base_url: str, key: str | None, tls: ssl.SSLContext | None
) -> AsyncGenerator[Api]:
    async with _client(base_url, key, None, tls) as client:
        yield Api(client, base_url)


def _client(
    base_url: str,
    key: str | None,
    transport: httpx2.AsyncBaseTransport | None,
    tls: ssl.SSLContext | None = None,
) -> httpx2.AsyncClient:
    headers = {"accept": "application/json, text/event-stream"}
    if key:
        headers["authorization"] = f"Bearer {_credential(key)}"
    tenant = acting_in()
    if tenant is not None:
        headers[HEADER] = tenant
    return httpx2.AsyncClient(
        base_url=base_url,
        headers=headers,
        timeout=httpx2.Timeout(_READ_SECONDS, connect=5.0),
        transport=transport,
        verify=True if tls is None else tls,
        trust_env=False,
    )


def _address(given: str) -> str:
    """The base URL that `given` means; the addresses of MCP and the REST API will do."""
    try:
        url = httpx2.URL(given)
    except (httpx2.InvalidURL, ValueError):
        url = httpx2.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise CommandFailed(
            f"{given!r} is no address. Give --url as in http://127.0.0.1:8000.", Exit.USAGE
        )
    return given.rstrip("/").removesuffix("/mcp").removesuffix("/api")


def _credential(key: str) -> str:
    plain = key.strip()
    if not plain.isascii() or not plain.isprintable() or " " in plain:
        raise CommandFailed(
            "That is no API key: it holds spaces or characters that none has.",
            Exit.AUTHENTICATION,
            code=ErrorCode.INVALID_TOKEN.code,
        )
    return plain


def _base_url(ready: Ready) -> str:
    return ready.mcp_url.removesuffix("/mcp")

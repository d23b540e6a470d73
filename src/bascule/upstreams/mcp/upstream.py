"""One MCP server behind the gateway: its tools, listed, and calls of them, relayed."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import msgspec
import structlog

from bascule.gateway.call import Call, JsonObject, Result
from bascule.gateway.errors import UpstreamFailed
from bascule.gateway.tool import McpSource, Tool, Upstream, UpstreamKind
from bascule.protocol import codes
from bascule.protocol.headers import encode_value
from bascule.upstreams.http1 import HttpClient
from bascule.upstreams.mcp.failures import UpstreamRpcError, failed
from bascule.upstreams.mcp.http import HttpChannel
from bascule.upstreams.mcp.messages import Outgoing, decode_members, member, valid_traceparent
from bascule.upstreams.mcp.mirroring import (
    InvalidAnnotation,
    Mirror,
    find_mirrors,
    mirrored_headers,
)
from bascule.upstreams.mcp.settings import McpConfig
from bascule.upstreams.mcp.stdio import StdioChannel
from bascule.upstreams.mcp.tools import RelayedTool, read_page, read_tool

_log = structlog.get_logger(__name__)

_INPUT_REQUIRED: Final = "input_required"
_decode_type = msgspec.json.Decoder(str | None).decode


class Channel(Protocol):
    """How one upstream is spoken to: HTTP or a child process."""

    async def exchange(self, request: Outgoing, deadline: float) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response.

        Raises:
            UpstreamRpcError: the server answered with an error.
            GatewayError: it could not be reached, did not answer in time or not usably.
        """
        ...

    async def close(self) -> None:
        """Let go of the server."""
        ...


class McpUpstream:
    """An MCP server of either era. Connects, or starts the child, with the first request.

    Nothing a client sent in a header reaches it: only the headers of the record, and those the
    gateway makes itself.
    """

    def __init__(
        self,
        upstream: Upstream,
        client: HttpClient,
        *,
        config: McpConfig | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`environment` is added to the few variables a child process inherits.

        Raises:
            ValueError: the record cannot be used; says what to change.
        """
        self._upstream = upstream
        self._config = config or McpConfig()
        self._mirrors: dict[str, tuple[Mirror, ...]] = {}
        self._calls_under_way = 0
        self._idle = asyncio.Event()
        self._over_http = upstream.kind is UpstreamKind.MCP_HTTP
        self._channel: Channel
        if self._over_http:
            self._channel = HttpChannel(upstream, client, self._config)
        elif upstream.kind is UpstreamKind.MCP_STDIO:
            self._channel = StdioChannel(upstream, self._config, environment or {})
        else:
            raise ValueError(f"{upstream.name!r} is not an MCP server but {upstream.kind}")

    async def aclose(self) -> None:
        """End sessions and child process; calls under way fail."""
        await self._channel.close()

    async def retire(self, grace_seconds: float) -> None:
        """Close once no call is under way, at the latest after `grace_seconds`, or if cancelled."""
        try:
            async with asyncio.timeout(grace_seconds):
                while self._calls_under_way:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            calls = self._calls_under_way
            _log.warning("upstream.calls_cut_off", upstream=self._upstream.name, calls=calls)
        finally:
            await self.aclose()

    async def list_tools(self) -> list[RelayedTool]:
        """Fetch the whole list, within the upstream's timeout; in its order, byte for byte.

        What is not a tool, listed twice, or breaks the rules of `x-mcp-header` is left out and
        logged.

        Raises:
            GatewayError: the upstream did not give a usable list.
        """
        return await self._list(time.monotonic() + self._upstream.timeout_seconds)

    async def execute(self, call: Call) -> Result:
        """Run `call` under the name the upstream gave the tool.

        The result's members are passed on as they came; `resultType` only where it is
        "input_required".

        Raises:
            UpstreamRpcError: the upstream answered with a JSON-RPC error.
            GatewayError: it could not be reached, did not answer in time or not usably.
        """
        self._calls_under_way += 1
        try:
            return await self._execute(call)
        finally:
            self._calls_under_way -= 1
            if not self._calls_under_way:
                self._idle.set()

    async def _execute(self, call: Call) -> Result:
        tool = call.tool
        if tool is None or not isinstance(tool.source, McpSource):
            raise RuntimeError("an MCP upstream executes MCP tools")
        deadline = self._deadline(call, tool)
        try:
            raw = await self._channel.exchange(self._request(call, tool, tool.source), deadline)
        except UpstreamRpcError as error:
            if error.rpc_code != codes.HEADER_MISMATCH or not self._over_http:
                raise
            # The schema changed since it was listed. The call was refused before it ran.
            await self._list(deadline)
            raw = await self._channel.exchange(self._request(call, tool, tool.source), deadline)
        return self._result(raw)

    def _request(self, call: Call, tool: Tool, source: McpSource) -> Outgoing:
        headers = (
            ("x-correlation-id", encode_value(call.correlation_id)),
            ("x-mcp-tool-name", encode_value(tool.name)),
            ("x-mcp-risk-level", tool.risk.value),
        )
        trace = valid_traceparent(call.traceparent)
        if trace is not None:
            headers += (("traceparent", trace),)
        # Encoded anew: of a key that came twice, only the value that was judged is sent.
        arguments = msgspec.json.encode(call.arguments)
        return Outgoing(
            "tools/call",
            b'%b,"arguments":%b' % (member("name", source.name), arguments),
            name=source.name,
            traceparent=trace,
            headers=headers,
            mirrored=self._mirrored(call, tool, source) if self._over_http else (),
            caller="" if call.principal is None else call.principal.subject,
        )

    def _mirrored(self, call: Call, tool: Tool, source: McpSource) -> tuple[tuple[str, str], ...]:
        mirrors = self._mirrors.get(source.name)
        if mirrors is None:
            try:
                mirrors = find_mirrors(tool.input_schema)
            except InvalidAnnotation:
                mirrors = ()
            self._mirrors[source.name] = mirrors
        return mirrored_headers(mirrors, call.arguments) if mirrors else ()

    def _deadline(self, call: Call, tool: Tool) -> float:
        timeout_seconds = tool.timeout_seconds or self._upstream.timeout_seconds
        deadline = time.monotonic() + timeout_seconds
        return min(call.deadline, deadline) if call.deadline else deadline

    def _result(self, raw: msgspec.Raw | bytes) -> Result:
        members = decode_members(raw)
        if members is None:
            raise self._failed("its result is not a JSON object")
        kind = self._result_type(members)
        body: JsonObject = dict(members)
        if kind == _INPUT_REQUIRED:
            body["resultType"] = kind
        elif kind not in {None, "complete"}:
            raise self._failed("its result is of a type that is not known here")
        is_error = bytes(members.get("isError", b"")).strip() == b"true"
        return Result(body, is_error, "the upstream's tool reported an error" if is_error else None)

    def _result_type(self, members: dict[str, msgspec.Raw]) -> str | None:
        try:
            return _decode_type(members.pop("resultType", b"null"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._failed("the type of its result is not a text") from None

    async def _list(self, deadline: float) -> list[RelayedTool]:
        tools: dict[str, RelayedTool] = {}
        cursors: set[str] = set()
        cursor: str | None = None
        for _ in range(self._config.max_pages):
            request = Outgoing("tools/list", b"" if cursor is None else member("cursor", cursor))
            try:
                page = read_page(await self._channel.exchange(request, deadline))
            except ValueError as error:
                raise self._failed(str(error)) from None
            self._add(page.tools, tools)
            cursor = page.next_cursor
            if cursor is None:
                return list(tools.values())
            if cursor in cursors:
                raise self._failed("its list of tools repeats itself without end")
            cursors.add(cursor)
        raise self._failed(f"its list of tools has more than {self._config.max_pages} pages")

    def _add(self, definitions: Iterable[msgspec.Raw], tools: dict[str, RelayedTool]) -> None:
        for definition in definitions:
            try:
                tool = read_tool(definition)
                mirrors = find_mirrors(tool.input_schema) if self._over_http else ()
            except (ValueError, InvalidAnnotation) as reason:
                self._drop(definition, str(reason))
                continue
            if tool.name in tools:
                self._drop(definition, "another tool of this name is listed before it")
                continue
            tools[tool.name] = tool
            self._mirrors[tool.name] = mirrors
            if len(tools) > self._config.max_tools:
                raise self._failed(f"it lists more than {self._config.max_tools} tools")

    def _drop(self, definition: msgspec.Raw, reason: str) -> None:
        _log.warning(
            "upstream.tool_dropped",
            upstream=self._upstream.name,
            reason=reason,
            definition=bytes(definition)[:100].decode("utf-8", "replace"),
        )

    def _failed(self, reason: str) -> UpstreamFailed:
        return failed(self._upstream.name, reason)

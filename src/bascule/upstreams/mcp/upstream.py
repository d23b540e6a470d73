"""One MCP server behind the gateway: what it offers, listed, and calls of it, relayed."""

import time
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import structlog

from bascule.gateway.call import Call, Result, ResultKind
from bascule.gateway.errors import UpstreamFailed
from bascule.gateway.sealing import Sealer
from bascule.gateway.tasks import TaskIds
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.protocol import codes
from bascule.protocol.mirroring import InvalidAnnotation, find_mirrors
from bascule.protocol.versions import Era
from bascule.upstreams.http1 import HttpSender
from bascule.upstreams.mcp.channel import Channel
from bascule.upstreams.mcp.children import ChildrenChannel
from bascule.upstreams.mcp.described import Described
from bascule.upstreams.mcp.failures import UpstreamRpcError, failed
from bascule.upstreams.mcp.holders import HoldersChannel
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.http import HttpChannel
from bascule.upstreams.mcp.interactions import InteractionLimits
from bascule.upstreams.mcp.interim import notes_to
from bascule.upstreams.mcp.legacy_errors import in_modern_terms
from bascule.upstreams.mcp.listing import (
    FOR_EVER,
    Exchange,
    Freshness,
    Listing,
    ListKind,
    ListRefused,
    Page,
    fetch_all,
    fetch_page,
)
from bascule.upstreams.mcp.messages import Outgoing, member
from bascule.upstreams.mcp.outcomes import Outcomes
from bascule.upstreams.mcp.parked import Parked
from bascule.upstreams.mcp.requests import Requests
from bascule.upstreams.mcp.rounds import FIRST, MULTI_ROUND, Retry, Rounds, Send
from bascule.upstreams.mcp.settings import McpConfig
from bascule.upstreams.mcp.stdio import BeforeFirst
from bascule.upstreams.mcp.tools import RelayedTool, read_page, read_tool
from bascule.upstreams.mcp.under_way import UnderWay
from bascule.upstreams.mcp.wrapping import Wrapping
from bascule.upstreams.oauth.access import Access
from bascule.upstreams.oauth.client import GrantedClients

_log = structlog.get_logger(__name__)


class Bridge(NamedTuple):
    """What it takes to bring an upstream's questions to callers: seals, and where calls wait."""

    sealer: Sealer
    parked: Parked
    limits: InteractionLimits = InteractionLimits()


class McpUpstream:
    """An MCP server of either era. Connects, or starts the child, with the first request.

    Nothing a client sent in a header reaches it: only the headers of the record, and those the
    gateway makes itself.
    """

    def __init__(
        self,
        upstream: Upstream,
        client: HttpSender | GrantedClients,
        *,
        config: McpConfig | None = None,
        lasting: HttpSender | None = None,
        bridge: Bridge | None = None,
        before_first: BeforeFirst | None = None,
    ) -> None:
        """`before_first` is told of a command before it runs for the first time.

        With `GrantedClients`, each caller is served with their own token, over sessions of their
        own.
        `lasting` is for streams without a near end. Without `bridge`, upstreams are told that no
        caller can be asked anything, and their tasks are refused.

        Raises:
            ValueError: the record cannot be used; says what to change.
        """
        self._upstream = upstream
        self._config = config or McpConfig()
        self._under_way = UnderWay()
        self._over_http = upstream.kind is UpstreamKind.MCP_HTTP
        self._requests = Requests(
            over_http=self._over_http, forwards_capabilities=bridge is not None
        )
        self.tools_fresh = Freshness()
        """How long the list of tools holds that was fetched last, and who may share it."""
        task_ids = None if bridge is None else TaskIds(bridge.sealer)
        self._outcomes = Outcomes(upstream.name, task_ids)
        self._rounds: Rounds | None = None
        if bridge is not None:
            wrapping = Wrapping(bridge.sealer, upstream.name)
            read = self._outcomes.read
            self._rounds = Rounds(
                wrapping, bridge.parked, read, notes=notes_to, limits=bridge.limits
            )
        self._channel: Channel
        if isinstance(client, GrantedClients):
            self._channel = HoldersChannel(upstream, client, self._config)
        elif self._over_http:
            self._channel = HttpChannel(upstream, client, self._config, lasting)
        elif upstream.kind is UpstreamKind.MCP_STDIO:
            self._channel = ChildrenChannel(upstream, self._config, {}, before_first)
        else:
            raise ValueError(f"{upstream.name!r} is not an MCP server but {upstream.kind}")

    @property
    def channel(self) -> Channel:
        """How the server is spoken to, for who listens to its changes."""
        return self._channel

    @property
    def access(self) -> Access | None:
        """Who agreed to be served on their behalf; None where everybody is served alike."""
        return self._channel.access if isinstance(self._channel, HoldersChannel) else None

    async def aclose(self) -> None:
        """End sessions and child process; calls under way fail."""
        await self._channel.close()

    async def retire(self, grace_seconds: float) -> None:
        """Close once no call is under way, at the latest after `grace_seconds`, or if cancelled."""
        try:
            if not await self._under_way.over(grace_seconds):
                calls = self._under_way.count
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

    async def describe(self, deadline: float) -> Described:
        """What the server says about itself; asked once for each time its era is found.

        Raises:
            GatewayError: it could not be reached.
        """
        return await self._channel.describe(deadline)

    async def list_items(self, kind: ListKind, deadline: float) -> Listing:
        """Fetch the whole list of `kind`; definitions byte for byte, in the server's order.

        Raises:
            GatewayError: the upstream did not give a usable list.
        """
        try:
            listing = await fetch_all(
                self._exchange_until(deadline),
                kind,
                most_pages=self._config.max_pages,
                most_items=self._config.max_tools,
            )
        except ListRefused as reason:
            raise self._failed(str(reason)) from None
        self._tell_dropped(listing.dropped)
        return listing

    async def list_page(self, kind: ListKind, cursor: str | None, deadline: float) -> Page:
        """Fetch one page of the list of `kind`; `""` is a cursor like any other.

        Raises:
            GatewayError: the upstream did not give a usable page.
        """
        try:
            page = await fetch_page(self._exchange_until(deadline), kind, cursor)
        except ListRefused as reason:
            raise self._failed(str(reason)) from None
        self._tell_dropped(page.dropped)
        return page

    def _exchange_until(self, deadline: float) -> Exchange:
        latest = time.monotonic() + self._upstream.timeout_seconds
        until = min(deadline, latest) if deadline else latest
        return lambda request: self._channel.exchange(request, until)

    def _tell_dropped(self, dropped: tuple[tuple[bytes, str], ...]) -> None:
        for definition, reason in dropped:
            _log.warning(
                "upstream.item_dropped",
                upstream=self._upstream.name,
                reason=reason,
                definition=definition[:100].decode("utf-8", "replace"),
            )

    async def execute(self, call: Call) -> Result:
        """Run `call` under the name the upstream gave the tool, prompt, resource or task.

        The result's members are passed on as they came, but for what is sealed.

        Raises:
            UpstreamRpcError: the upstream answered with a JSON-RPC error.
            GatewayError: it could not be reached, did not answer in time or not usably.
        """
        with self._under_way:
            return await self._execute(call)

    async def _execute(self, call: Call) -> Result:
        deadline = self._deadline(call)
        rounds = self._rounds
        if rounds is None or self._is_plain(call):
            try:
                raw = await self._send(call, FIRST, deadline)
            except UpstreamRpcError as error:
                if call.era is Era.MODERN and self._channel.era is Era.LEGACY:
                    raise in_modern_terms(error) from None
                raise
            result = self._outcomes.read(raw)
            if result.kind is ResultKind.INPUT_REQUIRED:
                if rounds is None:
                    raise self._failed("it asks for input that nobody was said to give")
                result = await rounds.go_on(call, result, self._sender(call, deadline))
        else:
            era = await self._era(deadline)
            result = await rounds.run(call, self._sender(call, deadline), era=era)
        return self._outcomes.named_for_caller(call, result)

    def _is_plain(self, call: Call) -> bool:
        """Nothing but the request goes out at first, and nothing but its result comes back."""
        if call.method not in MULTI_ROUND:
            return True
        more = call.more
        if more.request_state is not None or more.input_responses is not None:
            return False
        return not call.capabilities.can_be_asked or self._channel.era is Era.MODERN

    def _sender(self, call: Call, deadline: float) -> Send:
        async def send(retry: Retry) -> msgspec.Raw | bytes:
            # A parked exchange goes on when its call is over.
            with self._under_way:
                return await self._send(call, retry, deadline + retry.waited_seconds)

        return send

    async def _era(self, deadline: float) -> Era:
        return self._channel.era or (await self._channel.describe(deadline)).era

    async def _send(self, call: Call, retry: Retry, deadline: float) -> msgspec.Raw | bytes:
        hooks = retry.hooks
        if hooks is None and call.back is not None:
            hooks = Hooks(notes_to(call), None, call.back.drained)
        try:
            return await self._channel.exchange(self._requests.make(call, retry), deadline, hooks)
        except UpstreamRpcError as error:
            if error.rpc_code != codes.HEADER_MISMATCH or not self._over_http:
                raise
            # The schema changed since it was listed. The call was refused before it ran.
            await self._list(deadline)
            return await self._channel.exchange(self._requests.make(call, retry), deadline, hooks)

    def _deadline(self, call: Call) -> float:
        tool = call.tool
        own_seconds = None if tool is None else tool.timeout_seconds
        deadline = time.monotonic() + (own_seconds or self._upstream.timeout_seconds)
        return min(call.deadline, deadline) if call.deadline else deadline

    async def _list(self, deadline: float) -> list[RelayedTool]:
        tools: dict[str, RelayedTool] = {}
        cursors: set[str] = set()
        cursor: str | None = None
        fresh = FOR_EVER
        for _ in range(self._config.max_pages):
            request = Outgoing("tools/list", b"" if cursor is None else member("cursor", cursor))
            try:
                page = read_page(await self._channel.exchange(request, deadline))
            except ValueError as error:
                raise self._failed(str(error)) from None
            self._add(page.tools, tools)
            fresh = fresh.and_of(page.freshness)
            cursor = page.next_cursor
            if cursor is None:
                self.tools_fresh = fresh
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
            self._requests.mirror(tool.name, mirrors)
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

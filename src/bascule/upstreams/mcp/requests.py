"""The requests that calls become at their upstream, under the names the upstream knows."""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from bascule.gateway.call import NOTHING_MORE, Call, Method
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from bascule.gateway.tool import McpSource, Tool
from bascule.protocol.headers import encode_value
from bascule.protocol.mirroring import InvalidAnnotation, Mirror, find_mirrors, mirrored_headers
from bascule.upstreams.http1 import prepare_headers
from bascule.upstreams.mcp.messages import (
    NOBODY,
    Outgoing,
    SessionKey,
    decode_members,
    member,
    valid_traceparent,
)
from bascule.upstreams.mcp.rounds import FIRST, Retry

_NOTHING_DECLARED: Final = b"{}"
_encode = msgspec.json.Encoder().encode


class _Ready(NamedTuple):
    """A tool made ready: `prepared` are the header lines of each of its calls."""

    tool: Tool
    name: bytes
    prepared: bytes


class Requests:
    """Makes the requests of one upstream."""

    def __init__(self, *, over_http: bool, forwards_capabilities: bool) -> None:
        """Over HTTP, arguments are repeated in headers where a tool asks for it.

        Without `forwards_capabilities` no caller can be asked for anything.
        """
        self._over_http = over_http
        self._forwards = forwards_capabilities
        self._tokens = Identifiers()
        self._mirrors: dict[str, tuple[Mirror, ...]] = {}
        self._ready: dict[str, _Ready] = {}

    def mirror(self, name: str, mirrors: tuple[Mirror, ...]) -> None:
        """Remember what the upstream's tool `name` wants repeated, as of its last list."""
        self._mirrors[name] = mirrors

    def make(self, call: Call, retry: Retry) -> Outgoing:
        """The request for one round of `call`.

        Raises:
            RuntimeError: the call was not prepared for an upstream.
        """
        capabilities = call.capabilities.raw if self._forwards else _NOTHING_DECLARED
        trace = valid_traceparent(call.traceparent)
        headers = (("x-correlation-id", encode_value(call.correlation_id)),)
        if trace is not None:
            headers += (("traceparent", trace),)
        session = _session_of(call.principal, capabilities)
        token = level = None
        if call.back is not None and call.more is not NOTHING_MORE:
            level = call.more.log_level
            token = self._tokens.next() if call.more.progress_token is not None else None
        if call.method is not Method.TOOLS_CALL:
            members, name = _BUILDERS[call.method](call, _target_of(call))
            members += _retried(retry)
            return Outgoing(
                call.method, members, name, trace, headers, (), b"",
                session, capabilities, token, level,
            )  # fmt: skip
        ready, source = self._tool_of(call)
        # Encoded anew: of a key that came twice, only the value that was judged is sent.
        members = b'%b,"arguments":%b' % (ready.name, _encode(call.arguments))
        mirrored = self._mirrored(call, ready.tool, source) if self._over_http else ()
        return Outgoing(
            "tools/call", members + _retried(retry), source.name, trace, headers, mirrored,
            ready.prepared, session, capabilities, token, level,
        )  # fmt: skip

    def _tool_of(self, call: Call) -> tuple[_Ready, McpSource]:
        tool = call.tool
        if tool is None or not isinstance(tool.source, McpSource):
            raise RuntimeError("an MCP upstream executes MCP tools")
        ready = self._ready.get(tool.name)
        if ready is None or ready.tool is not tool:
            home = tool.home
            lines = (
                ("x-mcp-tool-name", encode_value(tool.name if home is None else home.name)),
                ("x-mcp-risk-level", tool.risk.value),
            )
            ready = _Ready(tool, member("name", tool.source.name), prepare_headers(lines))
            self._ready[tool.name] = ready
        return ready, tool.source

    def _mirrored(self, call: Call, tool: Tool, source: McpSource) -> tuple[tuple[str, str], ...]:
        mirrors = self._mirrors.get(source.name)
        if mirrors is None:
            try:
                # A bundle's showing may lack arguments that the server wants repeated.
                home = tool.home
                mirrors = find_mirrors(tool.input_schema if home is None else home.input_schema)
            except InvalidAnnotation:
                mirrors = ()
            self._mirrors[source.name] = mirrors
        return mirrored_headers(mirrors, call.arguments) if mirrors else ()


def _session_of(principal: Principal | None, capabilities: bytes) -> SessionKey:
    if principal is None:
        return NOBODY
    return SessionKey(principal.tenant, principal.owner, capabilities)


def _target_of(call: Call) -> Target:
    if call.target is None:
        raise RuntimeError(f"{call.method} needs a target")
    return call.target


def _retried(retry: Retry) -> bytes:
    if retry is FIRST:
        return b""
    members = b""
    if retry.input_responses is not None:
        members += b',"inputResponses":' + retry.input_responses
    if retry.request_state is not None:
        members += b"," + member("requestState", retry.request_state)
    return members


Build = Callable[[Call, Target], tuple[bytes, str | None]]
"""Gives the members of `params`, and what Mcp-Name says."""


def _get_prompt(call: Call, target: Target) -> tuple[bytes, str | None]:
    members = member("name", target.inner)
    if call.arguments:
        members += b"," + member("arguments", call.arguments)
    return members, target.inner


def _read_resource(_: Call, target: Target) -> tuple[bytes, str | None]:
    return member("uri", target.inner), target.inner


def _subscribe(_: Call, target: Target) -> tuple[bytes, str | None]:
    return member("uri", target.inner), None


def _complete(call: Call, target: Target) -> tuple[bytes, str | None]:
    more = call.more
    ref: dict[str, object] = dict(decode_members(more.ref or b"{}") or {})
    ref["name" if target.kind is ItemKind.PROMPT else "uri"] = target.inner
    members = member("ref", ref) + b"," + member("argument", msgspec.Raw(more.argument or b"{}"))
    if more.context is not None:
        members += b"," + member("context", msgspec.Raw(more.context))
    return members, None


def _of_task(call: Call, target: Target) -> tuple[bytes, str | None]:
    members = member("taskId", target.inner)
    if call.method is Method.TASKS_UPDATE and call.more.input_responses is not None:
        members += b',"inputResponses":' + call.more.input_responses
    return members, target.inner


_BUILDERS: Final[dict[Method, Build]] = {
    Method.PROMPTS_GET: _get_prompt,
    Method.RESOURCES_READ: _read_resource,
    Method.COMPLETE: _complete,
    Method.SUBSCRIBE: _subscribe,
    Method.UNSUBSCRIBE: _subscribe,
    Method.TASKS_GET: _of_task,
    Method.TASKS_UPDATE: _of_task,
    Method.TASKS_CANCEL: _of_task,
}

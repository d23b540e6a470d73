"""A client in front of the gateway, while a server of the suite stands behind it.

The suite starts `python -m conformance.client URL`. This starts `bascule proxy URL`, and plays a
client of the era in MCP_CONFORMANCE_PROTOCOL_VERSION that leaves headers, filtering and schemas
to the gateway: what is right on the suite's side is the gateway's doing.
"""

import base64
import itertools
import json
import os
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.cells import CLIENT_DOCUMENT, MODERN
from conformance.processes import free_port, listening

_PREFIX = "io.modelcontextprotocol/"
_CAPABILITIES = {"elicitation": {"form": {}}, "sampling": {}, "roots": {}}
_INFO = {"name": "conformance-client", "version": "1"}
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_STUBS: dict[str, Any] = {
    "string": "x", "integer": 0, "number": 0, "boolean": False, "object": {}, "array": [],
}  # fmt: skip


def header_value(value: Any) -> str:
    """A value as a header has it: base64 between sentinels where it is not plain."""
    text = json.dumps(value) if isinstance(value, bool | int | float) else str(value)
    sentinel = text.startswith("=?base64?") and text.endswith("?=")
    if text.isascii() and text.isprintable() and text == text.strip() and not sentinel:
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def mirrored(schema: Any, arguments: Any) -> Iterator[tuple[str, str]]:
    """The headers for arguments that the schema wants repeated there."""
    properties = (schema or {}).get("properties") or {}
    for key, member in properties.items():
        value = arguments.get(key) if isinstance(arguments, dict) else None
        if not isinstance(member, dict) or value is None:
            continue
        if member.get("x-mcp-header") and isinstance(value, str | bool | int):
            yield f"Mcp-Param-{member['x-mcp-header']}", header_value(value)
        elif isinstance(value, dict):
            yield from mirrored(member, value)


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """What a user, or a model, would say."""
    params = question.get("params") or {}
    if question["method"] == "sampling/createMessage":
        content = {"type": "text", "text": "ok"}
        return {"role": "assistant", "content": content, "model": "m", "stopReason": "endTurn"}
    if question["method"] == "roots/list":
        return {"roots": []}
    schema = params.get("requestedSchema") or {}
    properties = schema.get("properties") or {}
    wanted = schema.get("required") or list(properties)
    content = {
        name: one.get("default", _STUBS.get(one.get("type"), "x"))
        for name, one in properties.items()
        if "default" in one or name in wanted
    }
    return {"action": "accept", "content": content}


class Client:
    """One conversation over Streamable HTTP."""

    def __init__(self, url: str, version: str) -> None:
        self._url = url
        self._version = version
        self._modern = version >= MODERN
        self._ids = itertools.count(1)
        self._session: str | None = None
        self.schemas: dict[str, Any] = {}
        if not self._modern:
            offer = {"protocolVersion": version, "capabilities": _CAPABILITIES, "clientInfo": _INFO}
            self.request("initialize", offer)
            self._post({"jsonrpc": "2.0", "method": "notifications/initialized"}, {})

    def request(
        self, method: str, params: Mapping[str, Any], more: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Send a request; gives its result, empty for an error."""
        members, headers = dict(params), dict(more or {})
        if self._modern:
            members["_meta"] = {
                f"{_PREFIX}protocolVersion": self._version,
                f"{_PREFIX}clientInfo": _INFO,
                f"{_PREFIX}clientCapabilities": _CAPABILITIES,
            }
            if method in _NAMED:
                headers["Mcp-Name"] = header_value(members[_NAMED[method]])
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": members}
        found = self._post(message, headers) or {}
        print(f"{method} {members.get('name', '')} -> {json.dumps(found)[:300]}", file=sys.stderr)
        return found.get("result") or {}

    def tools(self) -> list[dict[str, Any]]:
        """Every tool, page after page."""
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {}
        while True:
            page = self.request("tools/list", params)
            found += page.get("tools") or []
            if page.get("nextCursor") is None:
                break
            params = {"cursor": page["nextCursor"]}
        self.schemas = {tool["name"]: tool.get("inputSchema") for tool in found}
        return found

    def call(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Call a tool, and answer what it asks."""
        params: dict[str, Any] = {"name": name, "arguments": arguments}
        headers = dict(mirrored(self.schemas.get(name), arguments)) if self._modern else {}
        for _ in range(8):
            result = self.request("tools/call", params, headers)
            if result.get("resultType") != "input_required":
                return
            questions = result.get("inputRequests") or {}
            answers = {key: answer(question) for key, question in questions.items()}
            params = {"name": name, "arguments": arguments, "inputResponses": answers}
            if "requestState" in result:
                params["requestState"] = result["requestState"]

    def _post(self, message: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, Any] | None:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **more,
        }
        if self._modern:
            headers |= {"MCP-Protocol-Version": self._version, "Mcp-Method": message["method"]}
        elif message.get("method") != "initialize":
            headers["MCP-Protocol-Version"] = self._version
            if self._session:
                headers["Mcp-Session-Id"] = self._session
        request = urllib.request.Request(self._url, json.dumps(message).encode(), headers)
        try:
            response = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as refused:
            response = refused
        with response:
            self._session = response.headers.get("mcp-session-id") or self._session
            if "text/event-stream" in (response.headers.get("content-type") or ""):
                return self._follow(response, message)
            raw = response.read()
            return json.loads(raw) if raw.strip() else None

    def _follow(self, lines: Any, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """Read a stream to the answer, and answer what is asked on the way."""
        for line in lines:
            if not line.startswith(b"data:") or not line[5:].strip():
                continue
            event = json.loads(line[5:])
            if "method" in event and "id" in event:
                said = {"jsonrpc": "2.0", "id": event["id"], "result": answer(event)}
                self._post(said, {})
            elif event.get("id") == message.get("id"):
                return event
        return None


def stub(schema: Any) -> dict[str, Any]:
    """Arguments that fit a schema, if it is a simple one."""
    properties = (schema or {}).get("properties") or {}
    required = (schema or {}).get("required") or []
    return {name: _STUBS.get((properties.get(name) or {}).get("type"), "x") for name in required}


def play(client: Client, scenario: str, context: Mapping[str, Any]) -> None:
    """Do what the scenario is about."""
    names = [tool["name"] for tool in client.tools()]
    if scenario in ("initialize", "json-schema-ref-no-deref"):
        return
    if scenario == "http-custom-headers":
        for one in context.get("toolCalls", []):
            if one["name"] in names:
                client.call(one["name"], one.get("arguments") or {})
        return
    if scenario == "json-schema-2020-12-preservation":
        client.call("json_schema_echo", {"schema": client.schemas["json_schema_2020_12_tool"]})
        return
    if scenario in ("tools_call", "request-metadata"):
        client.call("add_numbers", {"a": 5, "b": 3})
        return
    for name in names:
        client.call(name, stub(client.schemas[name]))
    if scenario == "http-standard-headers":
        read_everything(client)


def read_everything(client: Client) -> None:
    """Read each resource, and get each prompt."""
    for resource in client.request("resources/list", {}).get("resources") or []:
        client.request("resources/read", {"uri": resource["uri"]})
    for prompt in client.request("prompts/list", {}).get("prompts") or []:
        given = {one["name"]: "x" for one in prompt.get("arguments") or []}
        client.request("prompts/get", {"name": prompt["name"], "arguments": given})


def signing_in(scenario: str, context: Mapping[str, Any]) -> list[str]:
    """The options by which the gateway signs in at the suite's server; sets what they refer to."""
    if not scenario.startswith("auth/"):
        return []
    options = ["--oauth-headless"]
    if scenario == "auth/basic-cimd":
        options += ["--oauth-client-document", CLIENT_DOCUMENT]
    if "issuer" in context:
        os.environ["BASCULE_OAUTH_CLIENT_SECRET"] = context["client_secret"]
        options += ["--oauth-client-id", context["client_id"], "--oauth-issuer", context["issuer"]]
    return options


def main() -> None:
    """Play the scenario that the suite names in the environment."""
    scenario = os.environ.get("MCP_CONFORMANCE_SCENARIO", "tools_call")
    version = os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION", MODERN)
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "bascule", "proxy", "--port", str(port), "--data", data]
        command += signing_in(scenario, context)
        with listening([*command, sys.argv[-1]], port):
            play(Client(f"http://127.0.0.1:{port}/mcp", version), scenario, context)


main()

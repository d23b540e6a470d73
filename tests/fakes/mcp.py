"""MCP requests as clients of either era send them, and an endpoint that answers them."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from bascule.app.pipeline import Parts, build_pipeline
from bascule.gateway.call import EVERYTHING, Endpoint, Method
from bascule.gateway.dispatch import ByMethod, Wellformed
from bascule.gateway.handshake import Handshake
from bascule.gateway.kernel import Edition, Gateway
from bascule.gateway.pipeline import Pipeline
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Executor
from bascule.guards.schemas import InputSchemas
from bascule.identity.api_keys import ApiKeys, RevokedKeys
from bascule.identity.authenticate import Authenticate
from bascule.protocol.headers import encode_value
from bascule.protocol.messages import CAPABILITIES_KEY, VERSION_KEY
from bascule.protocol.results import Identity
from bascule.protocol.versions import MODERN_VERSION
from bascule.transports.access import Door, DoorConfig
from bascule.transports.sessions import Sessions
from bascule.transports.streamable_http import HttpConfig, StreamableHttp
from fakes.asgi import FakeExchange
from fakes.catalogue import KEY, TENANT, make_snapshot, make_tool
from fakes.executor import FakeExecutor
from fakes.recorder import FakeRecorder

IDENTITY = Identity("bascule", "1.0")
META: dict[str, object] = {VERSION_KEY: MODERN_VERSION, CAPABILITIES_KEY: {}}


def legacy(method: str = "tools/call", params: object = None, **members: object) -> dict[str, Any]:
    """A request of the handshake era."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, **members}
    if params is None and method == "tools/call":
        params = {"name": "get_slots", "arguments": {}}
    return message if params is None else {**message, "params": params}


def modern(
    method: str = "tools/call", params: Mapping[str, object] | None = None, **members: object
) -> dict[str, Any]:
    """A request of the stateless era, `_meta` and all."""
    if params is None:
        params = {"name": "get_slots", "arguments": {}} if method == "tools/call" else {}
    return legacy(method, {"_meta": META, **params}, **members)


def headers_of(message: Mapping[str, Any]) -> dict[str, str]:
    """The headers the specification asks for with `message`, and a key."""
    headers = {
        "Host": "localhost:8080",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {KEY}",
    }
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    if isinstance(meta, dict) and VERSION_KEY in meta:
        headers["MCP-Protocol-Version"] = str(meta[VERSION_KEY])
        headers["Mcp-Method"] = message["method"]
        named = next((key for key in ("name", "uri", "taskId") if key in params), None)
        if named is not None:
            headers["Mcp-Name"] = encode_value(str(params[named]))
    return headers


class FakeSite:
    """A real endpoint, gateway and pipeline, between a fake recorder and a fake upstream."""

    def __init__(
        self,
        snapshot: Snapshot | None = None,
        *,
        upstream: FakeExecutor | None = None,
        recorder: FakeRecorder | None = None,
        config: HttpConfig | None = None,
        sessions: Sessions | None = None,
        executors: Mapping[Method, Executor] | None = None,
    ) -> None:
        """With `executors`, those methods are executed by them; all others as in a real one."""
        self.upstream = upstream or FakeExecutor()
        self.recorder = recorder or FakeRecorder()
        snapshot = snapshot or make_snapshot([make_tool()])
        handshake = Handshake(IDENTITY, "Be kind.")
        parts = Parts(Authenticate(ApiKeys(RevokedKeys())), InputSchemas(), handshake, page_size=2)
        edition = build_pipeline(snapshot, parts, {(TENANT, "dealers"): self.upstream})
        if executors is not None:
            stages = [parts.authenticate, Wellformed()]
            pipeline = Pipeline(stages, ByMethod({**_introduced(handshake), **executors}))
            edition = Edition(snapshot, pipeline)
        self.http = StreamableHttp(
            Gateway(edition, self.recorder),
            Door(DoorConfig()),
            IDENTITY,
            config or HttpConfig(),
            sessions,
        )

    async def play(self, exchange: FakeExchange, endpoint: Endpoint = EVERYTHING) -> FakeExchange:
        """Serve `exchange` to its end."""
        async with asyncio.timeout(5):
            await self.http.serve(endpoint, exchange.scope, exchange.receive, exchange.send)
        return exchange

    async def post(
        self,
        message: Mapping[str, Any] | bytes,
        headers: Mapping[str, str | None] | None = None,
        endpoint: Endpoint = EVERYTHING,
    ) -> FakeExchange:
        """POST `message` with the headers it needs; `headers` adds, changes, or removes (None)."""
        return await self.play(exchange_of(message, headers), endpoint)


def _introduced(handshake: Handshake) -> dict[Method, Executor]:
    return dict.fromkeys((Method.INITIALIZE, Method.PING, Method.DISCOVER), handshake)


def exchange_of(
    message: Mapping[str, Any] | bytes, headers: Mapping[str, str | None] | None = None
) -> FakeExchange:
    """The exchange that sends `message`."""
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    wanted: dict[str, str | None] = {
        **headers_of({} if isinstance(message, bytes) else message),
        **(headers or {}),
    }
    pairs = [(name, value) for name, value in wanted.items() if value is not None]
    return FakeExchange(raw, headers=pairs)

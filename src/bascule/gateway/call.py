"""One call on its way through the pipeline, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import msgspec

from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import EMPTY_SNAPSHOT, Snapshot
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import Challenge, Refuse
from bascule.protocol.versions import MODERN_VERSION, Era

JsonObject: TypeAlias = dict[str, object]
"""A JSON object; values may be `msgspec.Raw`, bytes that are passed on as they came."""


class Method(StrEnum):
    """The MCP methods that enter the pipeline."""

    TOOLS_LIST = "tools/list"
    TOOLS_CALL = "tools/call"
    DISCOVER = "server/discover"
    INITIALIZE = "initialize"
    PING = "ping"
    NOTIFICATION = "notification"
    """Not a method: any message without an id. Its sender is identified, then it is dropped."""
    MALFORMED = "malformed"
    """Not a method: a message nobody could make sense of, on its way to a recorded refusal."""


class EndpointKind(StrEnum):
    """Which slice of the catalogue an endpoint serves."""

    ALL = "all"
    BUNDLE = "bundle"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`/mcp`, `/mcp/bundles/{name}` or `/mcp/servers/{name}`."""

    kind: EndpointKind = EndpointKind.ALL
    name: str = ""


EVERYTHING = Endpoint()


class Call(msgspec.Struct, eq=False):
    """A request as the stages see it. Stages fill the fields below `arrived`.

    `credential` is the bearer secret and never leaves `identity`; `authenticate` clears it.
    `deadline` and `arrived` are in seconds of `time.monotonic`. `arguments` are decoded,
    `raw_arguments` are the same as they came, for digests only.
    """

    method: Method
    correlation_id: str
    message_id: int | float | str | None = None
    """The JSON-RPC id, echoed in the answer; None where the transport has none."""
    era: Era = Era.MODERN
    version: str = MODERN_VERSION
    fault: Refuse | None = None
    """What the transport found wrong with the message; told only to callers who are identified."""
    endpoint: Endpoint = EVERYTHING
    credential: str | None = None
    peer: str = ""
    tool_name: str = ""
    arguments: JsonObject = msgspec.field(default_factory=dict[str, object])
    raw_arguments: bytes = b"{}"
    cursor: str | None = None
    idempotency_key: str | None = None
    traceparent: str | None = None
    agent: str | None = None
    request_bytes: int = 0
    deadline: float = 0.0
    arrived: float = 0.0

    snapshot: Snapshot = EMPTY_SNAPSHOT
    principal: Principal | None = None
    tool: Tool | None = None
    rule: str | None = None


class Result(msgspec.Struct, frozen=True):
    """What an executed call gave: the members of the JSON-RPC `result`, era-neutral.

    `is_error` mirrors `isError`: the call ran and the tool said no.
    """

    body: JsonObject
    is_error: bool = False
    failure: str | None = None
    """Private cause for the audit record where `is_error` is set."""


Outcome = Result | Refuse | Challenge

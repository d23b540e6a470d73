"""One call on its way through the pipeline, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import msgspec

from bascule.gateway.backchannel import Backchannel
from bascule.gateway.bearer import Bearer
from bascule.gateway.capabilities import NO_CAPABILITIES, Capabilities
from bascule.gateway.feed import Feed, ListenFilter
from bascule.gateway.inventory import Target
from bascule.gateway.principal import Certificate, Principal
from bascule.gateway.session import Session
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
    RESOURCES_LIST = "resources/list"
    TEMPLATES_LIST = "resources/templates/list"
    RESOURCES_READ = "resources/read"
    SUBSCRIBE = "resources/subscribe"
    UNSUBSCRIBE = "resources/unsubscribe"
    PROMPTS_LIST = "prompts/list"
    PROMPTS_GET = "prompts/get"
    COMPLETE = "completion/complete"
    SET_LEVEL = "logging/setLevel"
    LISTEN = "subscriptions/listen"
    TASKS_GET = "tasks/get"
    TASKS_UPDATE = "tasks/update"
    TASKS_CANCEL = "tasks/cancel"
    STREAM = "stream"
    """Not a method: a legacy client opens, or takes up again, a stream by GET."""
    END = "end"
    """Not a method: a legacy client ends its session by DELETE."""
    RESPONSE = "response"
    """Not a method: a client's answer to a question."""
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


class More(msgspec.Struct, frozen=True):
    """What only some requests carry; members of JSON as they came, None where absent.

    `request_state` is sealed; `session` is opened, and its owner not yet compared.
    """

    uri: str = ""
    task_id: str = ""
    level: str = ""
    ref: bytes | None = None
    argument: bytes | None = None
    context: bytes | None = None
    wanted: ListenFilter | None = None
    input_responses: bytes | None = None
    request_state: str | None = None
    progress_token: int | str | None = None
    log_level: str | None = None
    session: Session | None = None


NOTHING_MORE = More()


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
    certificate: Certificate | None = None
    """Of the client, where the connection or a trusted proxy brought a verified one."""
    host: str = ""
    """The name the request was sent to, in lower case, without a port."""
    resource: str = ""
    """The URI of what was called, as RFC 8707 knows it; empty where the transport has none."""
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
    bearer: Bearer | None = None
    """The caller's verified token, for exchange at its issuer; nothing else may open it."""
    tool: Tool | None = None
    rule: str | None = None
    lacks_grant: str = ""
    """Set while a person must have agreed to the call: the words for who has no grant for it."""
    target: Target | None = None
    """What the call is about, where that is no tool."""

    capabilities: Capabilities = NO_CAPABILITIES
    more: More = NOTHING_MORE
    back: Backchannel | None = None
    """None where nothing but the result can be sent."""
    headers: Mapping[bytes, bytes] | None = None
    """Of a modern HTTP request, for the arguments repeated in them; None for all others."""
    notes: JsonObject | None = None
    """What its audit record says besides: how it came to its result."""
    vouched: Principal | None = None
    """Who calls, as a door inside this process found out before; judged anew by `authenticate`.

    For calls that come without a credential because a person is there, such as the assistant's. No
    transport sets it: nothing that was sent may say who sent it."""


class ResultKind(StrEnum):
    """The `resultType` of a result (specification 2026-07-28, basic/index "ResultType")."""

    COMPLETE = "complete"
    INPUT_REQUIRED = "input_required"
    TASK = "task"


class Result(msgspec.Struct, frozen=True):
    """What an executed call gave: the members of the JSON-RPC `result`, era-neutral.

    `is_error` mirrors `isError`: the call ran and the tool said no.
    """

    body: JsonObject
    is_error: bool = False
    failure: str | None = None
    """Private cause for the audit record where `is_error` is set."""
    kind: ResultKind = ResultKind.COMPLETE
    upstream_status: int = 0
    """The HTTP status that the upstream answered with; 0 where there is none."""
    feed: Feed | None = None
    """What follows the record of a subscription; belongs to who answers the caller."""
    storable: bool = True
    """False where the upstream says that its answer must not be kept (Cache-Control)."""
    is_empty: bool = False
    """The upstream answered with success, and without content."""


Outcome = Result | Refuse | Challenge

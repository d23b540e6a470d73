"""What can be called: tools, their sources, and the bundles that select them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bascule.protocol.mirroring import Mirror


class RiskLevel(StrEnum):
    """What a call may do to the world; assigned at import, editable by operators."""

    READ = "read"
    WRITE = "write"
    PRIVILEGED = "privileged"


class ToolStatus(StrEnum):
    """Only `active` and `deprecated` tools are listed and callable."""

    DRAFT = "draft"
    ACTIVE = "active"
    INACTIVE = "inactive"
    DEPRECATED = "deprecated"
    QUARANTINED = "quarantined"


class ParameterLocation(StrEnum):
    """Where an argument travels in the HTTP request."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class RestParameter:
    """One argument of a REST tool and its place on the wire (OpenAPI Parameter Object).

    `argument` is the tool's input property, `name` the wire name; they differ only where two
    locations share a name. `style` and `explode` are already resolved to their defaults; the style
    `json` is a parameter that OpenAPI describes by `content`: one JSON text.
    """

    argument: str
    name: str
    location: ParameterLocation
    style: str
    explode: bool
    required: bool = False


@dataclass(frozen=True, slots=True)
class RestBody:
    """The request body of a REST tool.

    `properties` maps tool argument to body property. Empty `properties` with `argument` set
    means the whole body is that one argument.
    """

    media_type: str
    properties: Mapping[str, str] = field(default_factory=dict[str, str])
    argument: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class RestSource:
    """A tool backed by one HTTP operation of a REST upstream."""

    upstream: str
    method: str
    path: str
    parameters: tuple[RestParameter, ...] = ()
    body: RestBody | None = None
    wraps_result: bool = False
    """The output schema describes `{"result": <the JSON body>}`, not the body itself."""


@dataclass(frozen=True, slots=True)
class McpSource:
    """A tool relayed to an MCP upstream under the name the upstream gave it."""

    upstream: str
    name: str


@dataclass(frozen=True, slots=True)
class Tool:
    """One callable tool, as compiled into a snapshot. Immutable; a change is a new snapshot."""

    name: str
    description: str
    bundle: str
    source: RestSource | McpSource
    input_schema: Mapping[str, object]
    output_schema: Mapping[str, object] | None = None
    title: str | None = None
    version: str = "1.0.0"
    risk: RiskLevel = RiskLevel.READ
    status: ToolStatus = ToolStatus.ACTIVE
    tags: tuple[str, ...] = ()
    domain: str | None = None
    owner: str | None = None
    examples: tuple[Mapping[str, object], ...] = ()
    idempotent: bool = False
    timeout_seconds: float | None = None
    definition: bytes = b""
    """The MCP Tool object as listed: JSON, encoded once (verbatim for a relayed tool)."""
    mirrors: tuple[Mirror, ...] = ()
    """Arguments that modern HTTP requests repeat in headers (`x-mcp-header`)."""
    own_definition: bytes = b""
    """As the upstream lists it, where `definition` bears another name; b"" where it does not."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A virtual MCP server: a named selection of tools, at `/mcp/bundles/{name}`."""

    name: str
    description: str = ""
    version: str = "1.0.0"
    owner: str = ""


class UpstreamKind(StrEnum):
    """How an upstream is spoken to."""

    REST = "rest"
    MCP_HTTP = "mcp_http"
    MCP_STDIO = "mcp_stdio"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service behind the gateway. `url` for the HTTP kinds, `command` (argv) for stdio.

    A time-out of 0 means what the installation's settings say.
    """

    name: str
    kind: UpstreamKind
    url: str = ""
    command: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    connect_timeout_seconds: float = 5.0
    timeout_seconds: float = 30.0

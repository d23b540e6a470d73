"""What can be called: tools, their sources, and the bundles that select them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from bascule.gateway.connector import DIRECT, Connector, Pinning
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
    QUERYSTRING = "querystring"
    """The whole query string is the value of one argument (OpenAPI 3.2)."""


class BodyKind(StrEnum):
    """How a request body is built from arguments."""

    JSON = "json"
    LINES = "lines"
    """One JSON text after the other, from an array."""
    FORM = "form"
    MULTIPART = "multipart"
    TEXT = "text"
    BYTES = "bytes"
    """The content of a file."""


@dataclass(frozen=True, slots=True)
class PartHeader:
    """A header of a part; `key` is the body property whose argument is its value."""

    name: str
    key: str
    explode: bool = False


@dataclass(frozen=True, slots=True)
class RestPart:
    """How one property of a form, or one part of a multipart body, is written.

    The Encoding Object of OpenAPI. With a `style` the value is written as a query parameter is;
    without one by the first of `content_types`, or as its own type asks for. A file is an object
    with `text` or `data`, and perhaps `filename` and `content_type`. `transfer_encoding` says that
    the argument is text in that encoding. `parts`, `items` and `rest` are as in `RestBody`.
    """

    content_types: tuple[str, ...] = ()
    style: str = ""
    explode: bool = False
    allow_reserved: bool = False
    is_file: bool = False
    transfer_encoding: str = ""
    headers: tuple[PartHeader, ...] = ()
    parts: "Mapping[str, RestPart]" = field(default_factory=dict[str, "RestPart"])
    items: "tuple[RestPart, ...]" = ()
    rest: "RestPart | None" = None


@dataclass(frozen=True, slots=True)
class RestParameter:
    """One argument of a REST tool and its place on the wire (OpenAPI Parameter Object).

    `argument` is the tool's input property, `name` the wire name; they differ only where two
    locations share a name. `style` and `explode` are already resolved to their defaults. Styles of
    our own are `json` and `text` for a parameter that OpenAPI describes by `content`, and
    `tabDelimited` for the `tsv` of Swagger 2.0. `parts` belong to a query string that is a form.
    """

    argument: str
    name: str
    location: ParameterLocation
    style: str
    explode: bool
    required: bool = False
    allow_reserved: bool = False
    allow_empty: bool = False
    parts: Mapping[str, RestPart] | None = None


@dataclass(frozen=True, slots=True)
class RestBody:
    """The request body of a REST tool.

    `properties` maps tool argument to body property. Empty `properties` with `argument` set
    means the whole body is that one argument. Without `kind` the media type tells: JSON, a form
    or text. `parts` says how properties of a form or a multipart body are written, `items` and
    `rest` how the parts of a multipart body that is an array are: the first ones, and all others.
    `content_types` are those that a file may have, `order` that of the body properties.
    """

    media_type: str
    properties: Mapping[str, str] = field(default_factory=dict[str, str])
    argument: str | None = None
    required: bool = False
    kind: BodyKind | None = None
    parts: Mapping[str, RestPart] = field(default_factory=dict[str, RestPart])
    items: tuple[RestPart, ...] = ()
    rest: RestPart | None = None
    content_types: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


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
    server: str = ""
    """Where this operation is, if not at the upstream's URL."""
    accept: str = ""
    """The media types that are asked for; "" for JSON."""
    streams: bool = False
    """Whether answers may come piece by piece, as events or lines."""


@dataclass(frozen=True, slots=True)
class McpSource:
    """A tool relayed to an MCP upstream under the name the upstream gave it."""

    upstream: str
    name: str


@dataclass(frozen=True, slots=True)
class GrpcSource:
    """A tool backed by one unary method of a gRPC service; `service` is its full name."""

    upstream: str
    service: str
    method: str


@dataclass(frozen=True, slots=True)
class PluginSource:
    """A tool that a connector of a plugin carries out; `operation` is the connector's word."""

    upstream: str
    operation: str


@dataclass(frozen=True, slots=True)
class WasmSource:
    """A tool that a WebAssembly module carries out.

    `module` is the SHA-256 of its bytes in hex, `export` the function of it that is called.
    """

    upstream: str
    module: str
    export: str


Source: TypeAlias = RestSource | McpSource | GrpcSource | PluginSource | WasmSource


@dataclass(frozen=True, slots=True)
class Home:
    """What a tool that a bundle borrows is where it comes from.

    `input_schema` has all its arguments, those that the bundle fixes included.
    """

    name: str
    bundle: str
    input_schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Tool:
    """One callable tool, as compiled into a snapshot. Immutable; a change is a new snapshot."""

    name: str
    description: str
    bundle: str
    source: Source
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
    cache_seconds: float = 0.0
    """How long an answer may be given again to an equal call; 0: never. For reads only."""
    definition: bytes = b""
    """The MCP Tool object as listed: JSON, encoded once (verbatim for a relayed tool)."""
    mirrors: tuple[Mirror, ...] = ()
    """Arguments that modern HTTP requests repeat in headers (`x-mcp-header`)."""
    own_definition: bytes = b""
    """As the upstream lists it, where `definition` bears another name; b"" where it does not."""
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    """Arguments that a bundle fixes: not in `input_schema`, and not for a caller to set."""
    home: Home | None = None
    """Set where this is a bundle's showing of a tool: then `name` and `bundle` are those there."""


@dataclass(frozen=True, slots=True)
class Member:
    """A tool that a bundle borrows from another one, and what it changes about it.

    `tool` is its name in the registry, or, where `server` names an MCP server, its name there.
    `version` pins one ("" for the one in force); `name` and `description` replace those of the
    tool where they are not empty; `defaults` are arguments that the bundle sets itself.
    """

    tool: str
    version: str = ""
    name: str = ""
    description: str = ""
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    server: str = ""

    @property
    def shown_name(self) -> str:
        """What the bundle calls it."""
        return self.name or self.tool


@dataclass(frozen=True, slots=True)
class Release:
    """A bundle's selection as it was frozen: every tool with its version, own ones included."""

    version: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A virtual MCP server, at `/mcp/bundles/{name}`: tools of its own, and `members`.

    Where `served` names one of its `releases`, that is served in place of the two.
    """

    name: str
    description: str = ""
    version: str = "1.0.0"
    owner: str = ""
    members: tuple[Member, ...] = ()
    releases: tuple[Release, ...] = ()
    served: str = ""


class UpstreamKind(StrEnum):
    """How an upstream is spoken to."""

    REST = "rest"
    MCP_HTTP = "mcp_http"
    MCP_STDIO = "mcp_stdio"
    GRPC = "grpc"
    PLUGIN = "plugin"
    """`url` is the connector's name, a colon, and an address that the connector understands."""
    WASM = "wasm"


MCP_KINDS: Final = frozenset({UpstreamKind.MCP_HTTP, UpstreamKind.MCP_STDIO})
"""Those that list their tools themselves."""


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
    connector: Connector = DIRECT
    pinning: Pinning = Pinning.FIRST_SEEN

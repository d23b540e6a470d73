"""Everything an operator can set, with its default, its bounds and its meaning.

Each setting is read by something in this release, so that no line in a file is silently without
effect.
"""

from typing import Annotated, Literal

from pydantic import Field

from bascule.settings.assistant import Chat, Llm
from bascule.settings.extensions import Plugins, Sandbox
from bascule.settings.identity import Identity, Security
from bascule.settings.policy import Elevation, Policy
from bascule.settings.secret import ConnectionUrl
from bascule.settings.section import Section, setting
from bascule.settings.values import (
    DatabaseUrl,
    Environment,
    Host,
    LogFormat,
    LogLevel,
    Name,
    Network,
    RedisUrl,
    Seconds,
    ServiceUrl,
    WebOrigin,
)


class App(Section):
    """What this installation is called and where it stands."""

    name: Name = setting(
        "Bascule",
        "Name under which the gateway introduces itself to clients.",
        accepts="1 to 100 printable characters",
    )
    environment: Environment = setting(
        "development",
        "Which overlay is read after `bascule.yaml`: `bascule.<environment>.yaml` beside it, "
        "where that file exists.",
        accepts="up to 32 lower-case letters, digits and dashes",
    )


class Server(Section):
    """The HTTP listener."""

    host: Host = setting(
        "127.0.0.1",
        "Address to listen on. Anything but a loopback address also needs `server.allow_remote`.",
        accepts="an IP address or a host name",
    )
    port: Annotated[int, Field(ge=0, le=65535)] = setting(
        8000, "Port to listen on; 0 takes any free port."
    )
    public_url: ServiceUrl = setting(
        "",
        "Address under which clients reach this gateway, without a path: what tokens for it name "
        "as their audience, and where people are sent back to when they signed in elsewhere. "
        "Empty means the address it listens on.",
        accepts="an https:// URL (or http:// on loopback), or nothing",
    )
    trusted_proxies: Annotated[tuple[Network, ...], Field(max_length=256)] = setting(
        (),
        "Addresses of the proxies in front of this gateway. Only they are believed when they say "
        "for whom they call (`X-Forwarded-For`), and by which client certificate.",
        accepts="ranges such as 10.0.1.0/24, or single addresses",
    )
    certificate_header: Literal[
        "",
        "client-cert",
        "x-forwarded-client-cert",
        "x-amzn-mtls-clientcert",
        "x-amzn-mtls-clientcert-leaf",
        "ssl-client-cert",
    ] = setting(
        "",
        "Header in which a trusted proxy hands on the client certificate that it verified: RFC "
        "9440 (`client-cert`), Envoy and Istio, AWS load balancers that verify (`…-leaf`), nginx. "
        "`x-amzn-mtls-clientcert` is of AWS load balancers that pass certificates through without "
        "a look: they are verified here, with `server.client_ca`. Empty for none.",
    )
    tls_certificate: str = setting(
        "",
        "PEM file with the certificate chain of this gateway; empty to speak plain HTTP, as "
        "behind a proxy. Read anew when it changes.",
        accepts="a path, or nothing",
    )
    tls_key: str = setting(
        "", "PEM file with the private key of the certificate.", accepts="a path, or nothing"
    )
    client_ca: str = setting(
        "",
        "PEM file with the authorities whose client certificates are accepted; empty to ask for "
        "none. Read anew when it changes.",
        accepts="a path, or nothing",
    )
    client_certificates: Literal["optional", "required"] = setting(
        "optional",
        "Whether a client without a certificate gets in. It matters where `server.client_ca` is "
        "set.",
    )
    workers: Annotated[int, Field(ge=1, le=256)] = setting(
        1,
        "Worker processes. More than one needs `redis.url`, through which they share state.",
        unit="processes",
    )
    allow_remote: bool = setting(
        False,  # noqa: FBT003 - the default of the setting
        "Permit a `server.host` that other machines can reach.",
    )
    allowed_hosts: tuple[Host, ...] = setting(
        (),
        "Names this gateway is reached under, besides the loopback ones: a request with another "
        "`Host` header is refused (DNS rebinding).",
        accepts="host names or IP addresses, without port",
    )
    allowed_origins: tuple[WebOrigin, ...] = setting(
        (),
        "Web origins whose scripts may call the gateway, besides pages on loopback.",
        accepts="origins such as https://console.example.com",
    )
    max_body_bytes: Annotated[int, Field(ge=1024, le=1_073_741_824)] = setting(
        1_048_576, "Largest request body accepted.", unit="bytes"
    )
    request_timeout_seconds: Seconds = setting(
        30.0,
        "Time a call may take from its arrival to its answer, queueing and retries included.",
        unit="seconds",
    )
    interaction_timeout_seconds: Seconds = setting(
        300.0,
        "Time a person behind a client gets to answer a question of a tool. The call waits as "
        "long, whatever `server.request_timeout_seconds` says.",
        unit="seconds",
    )
    session_hours: Annotated[int, Field(ge=1, le=8760)] = setting(
        24,
        "Age at which a session of a client that keeps one ends; the client then opens another.",
        unit="hours",
    )
    max_streams: Annotated[int, Field(ge=1, le=1_000_000)] = setting(
        4096, "Event streams open to clients at once, per process.", unit="streams"
    )
    max_streams_per_principal: Annotated[int, Field(ge=1, le=1_000_000)] = setting(
        64, "Event streams open to one caller at once, per process.", unit="streams"
    )
    stream_keep_alive_seconds: Seconds = setting(
        15.0,
        "Silence on an event stream after which a comment is sent. Keep it below the idle timeout "
        "of every proxy before the gateway, often 60 seconds.",
        unit="seconds",
    )
    shutdown_grace_seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = setting(
        20.0,
        "Time calls under way get to finish on shutdown. Keep it below the kill timeout of what "
        "stops the process, often 30 seconds.",
        unit="seconds",
    )


class Database(Section):
    """Where tools, policies and keys are kept."""

    url: DatabaseUrl = setting(
        ConnectionUrl(""),
        "Connection to the database; empty means SQLite in the data directory.",
        accepts="a postgresql:// or sqlite:/// URL, or nothing; the password as a reference",
    )
    pool_size: Annotated[int, Field(ge=1, le=1000)] = setting(
        5, "Connections kept open, per process. PostgreSQL only.", unit="connections"
    )
    max_overflow: Annotated[int, Field(ge=0, le=1000)] = setting(
        15,
        "Connections opened beyond `database.pool_size` under load, per process. PostgreSQL only.",
        unit="connections",
    )
    recycle_seconds: Annotated[int, Field(ge=1, le=86_400)] = setting(
        1800, "Age at which a connection is replaced. PostgreSQL only.", unit="seconds"
    )
    statement_timeout_seconds: Seconds = setting(
        30.0, "Time one database statement may take.", unit="seconds"
    )


class Redis(Section):
    """The store that several workers share."""

    url: RedisUrl = setting(
        ConnectionUrl(""),
        "Connection to Redis 7, Valkey or a later one; empty keeps shared state in memory, which "
        "is enough for one worker. Gateways with the same server and the same `app.environment` "
        "share their state.",
        accepts="a redis://, rediss:// or unix:// URL, or nothing; the password as a reference",
    )


class Upstreams(Section):
    """How the services behind the tools are called."""

    connect_timeout_seconds: Seconds = setting(
        5.0, "Time to open a connection, TLS handshake included.", unit="seconds"
    )
    read_timeout_seconds: Seconds = setting(
        30.0, "Time an upstream may take to answer.", unit="seconds"
    )
    max_connections_per_origin: Annotated[int, Field(ge=1, le=10_000)] = setting(
        64, "Connections to one scheme, host and port, per process.", unit="connections"
    )
    max_streams_per_origin: Annotated[int, Field(ge=1, le=100_000)] = setting(
        1024,
        "Connections to one scheme, host and port that carry an event stream, per process. They "
        "are counted apart from `upstreams.max_connections_per_origin`.",
        unit="connections",
    )
    prefix: Literal["collision", "always"] = setting(
        "collision",
        "Which names of MCP servers are given with the server's own name before them, where "
        "several are served together: those that would collide, or all.",
    )
    max_response_bytes: Annotated[int, Field(ge=1024, le=1_073_741_824)] = setting(
        16_777_216, "Largest answer accepted from an upstream.", unit="bytes"
    )
    max_text_characters: Annotated[int, Field(ge=1000, le=100_000_000)] = setting(
        100_000,
        "How much of an answer a model is given as text; the rest is cut off, and that is said. "
        "Structured content stays whole.",
        unit="characters",
    )
    max_embedded_bytes: Annotated[int, Field(ge=0, le=1_073_741_824)] = setting(
        1_048_576,
        "Largest image, sound or other file of an answer that is passed on; a larger one is only "
        "described.",
        unit="bytes",
    )
    health_seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = setting(
        60.0,
        "How often upstreams of active tools are asked whether they are there; one that is not "
        "well, six times as often. 0 asks none.",
        unit="seconds",
    )
    when_down: Literal["serve", "refuse", "hide"] = setting(
        "serve",
        "What becomes of tools whose upstream is down. `serve` calls it all the same, `refuse` "
        "says at once that it is down (E4001), `hide` also takes its tools from lists.",
    )
    idle_seconds: Seconds = setting(
        4.0,
        "Time after which an unused connection is closed. Keep it below that of the upstreams, "
        "often 5 seconds: a request sent while they close is lost.",
        unit="seconds",
    )
    allowed_networks: Annotated[tuple[Network, ...], Field(max_length=256)] = setting(
        (),
        "Address ranges that the host names of upstreams may lead to, besides public ones. An "
        "address or `localhost` in the URL of an upstream needs no entry, unless it is a "
        "link-local or metadata one.",
        accepts="ranges such as 10.20.0.0/16, or single addresses",
    )
    mode: Literal["live", "mock"] = setting(
        "live",
        "`live`: upstreams are called, but for those whose connector says `mock`. `mock`: no REST "
        "service is called, and its tools answer from their output schemas.",
    )
    reference_seconds: Seconds = setting(
        30.0,
        "Time after which what `${NAME}`, `${file:…}`, `${vault:…}` and `${aws:…}` stand for in "
        "the record of an upstream is looked up again. Secrets of the gateway's own store count "
        "at once.",
        unit="seconds",
    )
    stale_reference_seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = (
        setting(
            600.0,
            "Age up to which the last value of such a reference is used where it cannot be looked "
            "up; from then on calls that need it fail.",
            unit="seconds",
        )
    )


class Catalogue(Section):
    """How tools are shown to those who call them."""

    search_above_tools: Annotated[int, Field(ge=0, le=1_000_000)] = setting(
        128,
        "Where a caller would see more tools than this, `tools/list` gives a tool that searches "
        "them and one that calls what was found, instead of all of them; 0 always gives all. Many "
        "model APIs take at most 128. Tools tagged `essential` stay listed.",
        unit="tools",
    )
    four_eyes: bool = setting(
        False,  # noqa: FBT003 - the default of the setting
        "An imported document is published by another person than the one who imported it.",
    )
    max_document_bytes: Annotated[int, Field(ge=1_048_576, le=52_428_800)] = setting(
        52_428_800, "Largest OpenAPI document, or archive of one, that is accepted.", unit="bytes"
    )
    folder: str = setting(
        "",
        "A folder whose YAML and JSON files declare upstreams, servers, APIs, tools, bundles and "
        "access rules. They are put in force at the start, and with every change of a file.",
        accepts="a path, or nothing",
    )


class Observability(Section):
    """Logs and metrics."""

    log_level: LogLevel = setting("info", "Least severe event that is logged.", reloads=True)
    log_format: LogFormat = setting(
        "json", "`json` for one object per line, `console` for people.", reloads=True
    )
    metrics_enabled: bool = setting(
        True,  # noqa: FBT003 - the default of the setting
        "Serve Prometheus metrics at `/metrics`.",
    )
    metrics_public: bool = setting(
        False,  # noqa: FBT003 - the default of the setting
        "Let anybody who reaches the listener read `/metrics`. Otherwise, unless `server.host` is "
        "a loopback address, they are for holders of the permission `metrics:read`.",
    )


class Cache(Section):
    """What is kept ready, and in which portions it is given."""

    list_page_size: Annotated[int, Field(ge=1, le=10_000)] = setting(
        1000, "Most tools in one answer to `tools/list`; the rest follows by cursor.", unit="tools"
    )
    max_entries: Annotated[int, Field(ge=0, le=1_000_000)] = setting(
        10_000,
        "Answers of MCP servers kept for as long as they allow, per process; 0 keeps none.",
        unit="answers",
    )
    response_max_entries: Annotated[int, Field(ge=0, le=1_000_000)] = setting(
        10_000,
        "Answers of REST services kept for tools with `cache_seconds`, per process; 0 keeps none.",
        unit="answers",
    )
    response_max_bytes: Annotated[int, Field(ge=0, le=68_719_476_736)] = setting(
        67_108_864,
        "Size of all such answers together, per process. One that alone is larger than a "
        "sixteenth of it is not kept.",
        unit="bytes",
    )


class Guards(Section):
    """What is checked on the way in and out."""

    output_mismatch: Literal["refuse", "drop", "pass"] = setting(
        "refuse",
        "What becomes of an answer of a service that does not fit the tool's output schema. "
        "`refuse` makes it an error (E3003) that names the place, with the text of the answer "
        "below; `drop` leaves the text, without structured content; `pass` changes nothing.",
    )


class Audit(Section):
    """The record of every call."""

    mode: Literal["strict"] = setting(
        "strict", "`strict`: a record is on disk before its answer leaves the gateway."
    )
    directory: str = setting(
        "",
        "Where the journal is written; empty means `audit` in the data directory.",
        accepts="a path, or nothing",
    )
    max_segment_bytes: Annotated[int, Field(ge=1_048_576, le=4_294_967_296)] = setting(
        67_108_864, "Size at which a journal file is closed and the next one begun.", unit="bytes"
    )


class Settings(Section):
    """The whole configuration, frozen. `app` and `cli` hand each room its part."""

    app: App = App()
    server: Server = Server()
    database: Database = Database()
    redis: Redis = Redis()
    upstreams: Upstreams = Upstreams()
    catalogue: Catalogue = Catalogue()
    identity: Identity = Identity()
    llm: Llm = Llm()
    chat: Chat = Chat()
    security: Security = Security()
    observability: Observability = Observability()
    cache: Cache = Cache()
    policy: Policy = Policy()
    elevation: Elevation = Elevation()
    guards: Guards = Guards()
    plugins: Plugins = Plugins()
    sandbox: Sandbox = Sandbox()
    audit: Audit = Audit()

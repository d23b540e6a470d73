"""Everything an operator can set, with its default, its bounds and its meaning.

Each setting is read by something in this release; sections named for later are empty and refuse
content, so that no line in a file is silently without effect.
"""

import ipaddress
import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bascule.settings.problem import fault
from bascule.settings.secret import ConnectionUrl

_HOST_NAME: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?")
_DATABASE_SCHEMES: Final = frozenset(
    {"sqlite", "sqlite+aiosqlite", "postgres", "postgresql", "postgresql+asyncpg"}
)
_REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})


def _setting(
    default: Any, meaning: str, *, unit: str = "", accepts: str = "", reloads: bool = False
) -> Any:
    """A field. `accepts` says what is allowed where its type cannot; `reloads` needs no restart."""
    facts: dict[str, Any] = {"unit": unit, "accepts": accepts, "reloads": reloads}
    return Field(default, description=meaning, json_schema_extra={"x-setting": facts})


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _host(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.strip("[]")))
    except ValueError:
        if _HOST_NAME.fullmatch(value.lower()):
            return value.lower()
    raise fault(
        f"is {value!r}, which is no IP address and no host name",
        "Give a name or address alone, such as 127.0.0.1; no scheme and no port.",
    )


def _origin(value: str) -> str:
    origin = value.lower().removesuffix("/")
    if origin == "*":
        raise fault(
            "must not be '*', which would let every web page call with its visitor's rights",
            "List each origin, such as https://console.example.com.",
        )
    try:
        parts = urlsplit(origin)
        plain = f"{parts.scheme}://{parts.netloc}" == origin and parts.port != 0
    except ValueError:
        plain = False
        parts = urlsplit("")
    if not plain or parts.scheme not in {"http", "https"} or not parts.hostname or "@" in origin:
        raise fault(
            f"holds {value!r}, which is no web origin",
            "Write scheme and host, and a port where it is not the usual one: "
            "https://console.example.com. No path.",
        )
    return origin


def _scheme(url: ConnectionUrl) -> str:
    scheme, separator, _ = url.get_secret_value().partition("://")
    return scheme.lower() if separator else ""


def _database_url(url: ConnectionUrl) -> ConnectionUrl:
    if url.get_secret_value() and _scheme(url) not in _DATABASE_SCHEMES:
        raise fault(
            "does not start with a database this gateway speaks",
            "Start it with postgresql:// or sqlite:///, or leave it empty for SQLite in the "
            "data directory.",
        )
    return url


def _redis_url(url: ConnectionUrl) -> ConnectionUrl:
    if url.get_secret_value() and _scheme(url) not in _REDIS_SCHEMES:
        raise fault(
            "does not start with redis://, rediss:// or unix://",
            "Write redis://HOST:6379/0, or rediss:// for TLS; Valkey uses the same.",
        )
    return url


Environment = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]
Host = Annotated[str, AfterValidator(_host)]
WebOrigin = Annotated[str, AfterValidator(_origin)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
DatabaseUrl = Annotated[ConnectionUrl, AfterValidator(_database_url)]
RedisUrl = Annotated[ConnectionUrl, AfterValidator(_redis_url)]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lowered)
]
LogFormat = Annotated[Literal["json", "console"], BeforeValidator(_lowered)]


class Section(BaseModel):
    """One block of `bascule.yaml`; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Reserved(Section):
    """A section whose name is kept for later; it must stay empty."""


class App(Section):
    """What this installation is called and where it stands."""

    name: Name = _setting(
        "Bascule",
        "Name under which the gateway introduces itself to clients.",
        accepts="1 to 100 printable characters",
    )
    environment: Environment = _setting(
        "development",
        "Which overlay is read after `bascule.yaml`: `bascule.<environment>.yaml` beside it, "
        "where that file exists.",
        accepts="up to 32 lower-case letters, digits and dashes",
    )


class Server(Section):
    """The HTTP listener."""

    host: Host = _setting(
        "127.0.0.1",
        "Address to listen on. Anything but a loopback address also needs `server.allow_remote`.",
        accepts="an IP address or a host name",
    )
    port: Annotated[int, Field(ge=0, le=65535)] = _setting(
        8000, "Port to listen on; 0 takes any free port."
    )
    workers: Annotated[int, Field(ge=1, le=256)] = _setting(
        1,
        "Worker processes. More than one needs `redis.url`, through which they share state.",
        unit="processes",
    )
    allow_remote: bool = _setting(
        False,  # noqa: FBT003 - the default of the setting
        "Permit a `server.host` that other machines can reach.",
    )
    allowed_hosts: tuple[Host, ...] = _setting(
        (),
        "Names this gateway is reached under, besides the loopback ones: a request with another "
        "`Host` header is refused (DNS rebinding).",
        accepts="host names or IP addresses, without port",
    )
    allowed_origins: tuple[WebOrigin, ...] = _setting(
        (),
        "Web origins whose scripts may call the gateway, besides pages on loopback.",
        accepts="origins such as https://console.example.com",
    )
    max_body_bytes: Annotated[int, Field(ge=1024, le=1_073_741_824)] = _setting(
        1_048_576, "Largest request body accepted.", unit="bytes"
    )
    request_timeout_seconds: Seconds = _setting(
        30.0,
        "Time a call may take from its arrival to its answer, queueing and retries included.",
        unit="seconds",
    )
    shutdown_grace_seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = _setting(
        20.0,
        "Time calls under way get to finish on shutdown. Keep it below the kill timeout of what "
        "stops the process, often 30 seconds.",
        unit="seconds",
    )


class Database(Section):
    """Where tools, policies and keys are kept."""

    url: DatabaseUrl = _setting(
        ConnectionUrl(""),
        "Connection to the database; empty means SQLite in the data directory.",
        accepts="a postgresql:// or sqlite:/// URL, or nothing; the password as a reference",
    )
    pool_size: Annotated[int, Field(ge=1, le=1000)] = _setting(
        5, "Connections kept open, per process. PostgreSQL only.", unit="connections"
    )
    max_overflow: Annotated[int, Field(ge=0, le=1000)] = _setting(
        15,
        "Connections opened beyond `database.pool_size` under load, per process. PostgreSQL only.",
        unit="connections",
    )
    recycle_seconds: Annotated[int, Field(ge=1, le=86_400)] = _setting(
        1800, "Age at which a connection is replaced. PostgreSQL only.", unit="seconds"
    )
    statement_timeout_seconds: Seconds = _setting(
        30.0, "Time one database statement may take.", unit="seconds"
    )


class Redis(Section):
    """The store that several workers share."""

    url: RedisUrl = _setting(
        ConnectionUrl(""),
        "Connection to Redis or Valkey; empty keeps shared state in memory, which is enough for "
        "one worker.",
        accepts="a redis://, rediss:// or unix:// URL, or nothing; the password as a reference",
    )


class Upstreams(Section):
    """How the services behind the tools are called."""

    connect_timeout_seconds: Seconds = _setting(
        5.0, "Time to open a connection, TLS handshake included.", unit="seconds"
    )
    read_timeout_seconds: Seconds = _setting(
        30.0, "Time an upstream may take to answer.", unit="seconds"
    )
    max_connections_per_origin: Annotated[int, Field(ge=1, le=10_000)] = _setting(
        64, "Connections to one scheme, host and port, per process.", unit="connections"
    )
    max_response_bytes: Annotated[int, Field(ge=1024, le=1_073_741_824)] = _setting(
        16_777_216, "Largest answer accepted from an upstream.", unit="bytes"
    )
    idle_seconds: Seconds = _setting(
        4.0,
        "Time after which an unused connection is closed. Keep it below that of the upstreams, "
        "often 5 seconds: a request sent while they close is lost.",
        unit="seconds",
    )


class Observability(Section):
    """Logs and metrics."""

    log_level: LogLevel = _setting("info", "Least severe event that is logged.", reloads=True)
    log_format: LogFormat = _setting(
        "json", "`json` for one object per line, `console` for people.", reloads=True
    )
    metrics_enabled: bool = _setting(
        True,  # noqa: FBT003 - the default of the setting
        "Serve Prometheus metrics at `/metrics`.",
    )


class Cache(Section):
    """What is kept ready, and in which portions it is given."""

    list_page_size: Annotated[int, Field(ge=1, le=10_000)] = _setting(
        1000, "Most tools in one answer to `tools/list`; the rest follows by cursor.", unit="tools"
    )


class Audit(Section):
    """The record of every call."""

    mode: Literal["strict"] = _setting(
        "strict", "`strict`: a record is on disk before its answer leaves the gateway."
    )
    directory: str = _setting(
        "",
        "Where the journal is written; empty means `audit` in the data directory.",
        accepts="a path, or nothing",
    )
    max_segment_bytes: Annotated[int, Field(ge=1_048_576, le=4_294_967_296)] = _setting(
        67_108_864, "Size at which a journal file is closed and the next one begun.", unit="bytes"
    )


class Settings(Section):
    """The whole configuration, frozen. `app` and `cli` hand each room its part."""

    app: App = App()
    server: Server = Server()
    database: Database = Database()
    redis: Redis = Redis()
    upstreams: Upstreams = Upstreams()
    llm: Reserved = Reserved()
    security: Reserved = Reserved()
    observability: Observability = Observability()
    cache: Cache = Cache()
    audit: Audit = Audit()

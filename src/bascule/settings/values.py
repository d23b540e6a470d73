"""The kinds of values that settings take: how each is read, and what is said of others."""

import ipaddress
import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from bascule.settings.problem import fault
from bascule.settings.secret import ConnectionUrl, Password, SealingKey

_HOST_NAME: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?")
_DATABASE_SCHEMES: Final = frozenset(
    {"sqlite", "sqlite+aiosqlite", "postgres", "postgresql", "postgresql+asyncpg"}
)
_SEALING_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
_HEADER_KEY: Final = re.compile(r"[\x21-\x7e]*")
_REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})


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


def _sealing_key(key: SealingKey) -> SealingKey:
    if not _SEALING_KEY.fullmatch(key.get_secret_value()):
        raise fault(
            "holds a value that is no key of 64 hexadecimal digits",
            "Make one with: openssl rand -hex 32",
        )
    return key


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        raise fault(
            f"holds {value!r}, which is no address range",
            "Write a range with its first address, such as 10.20.0.0/16, or one address.",
        ) from None


def _service_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
        if not value or (parts.scheme in {"http", "https"} and parts.hostname and plain):
            return value.rstrip("/")
    except ValueError:
        pass
    raise fault(
        "is no address of a service",
        "Write it with http:// or https://, as https://service.example.com:8200; without user, "
        "query or fragment.",
    )


def _header_key(key: Password) -> Password:
    if _HEADER_KEY.fullmatch(key.get_secret_value()):
        return key
    raise fault(
        "holds a space, a line end, or a letter that no key has",
        "Give the key alone, as the provider shows it: ${NAME_OF_A_VARIABLE} or ${file:PATH}.",
    )


Environment = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]
Host = Annotated[str, AfterValidator(_host)]
WebOrigin = Annotated[str, AfterValidator(_origin)]
Network = Annotated[str, AfterValidator(_network)]
ServiceUrl = Annotated[str, AfterValidator(_service_url)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
DatabaseUrl = Annotated[ConnectionUrl, AfterValidator(_database_url)]
RedisUrl = Annotated[ConnectionUrl, AfterValidator(_redis_url)]
HeaderKey = Annotated[Password, AfterValidator(_header_key)]
SecretKey = Annotated[SealingKey, AfterValidator(_sealing_key)]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lowered)
]
LogFormat = Annotated[Literal["json", "console"], BeforeValidator(_lowered)]

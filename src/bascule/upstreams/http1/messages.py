"""Requests and responses as values, and how a request is put on the wire (RFC 9112)."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple, Self
from urllib.parse import quote, urlsplit

import msgspec

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# The client alone decides how a message is delimited and where it goes (RFC 9112 section 6):
# a second opinion in a header is how requests get smuggled.
_OWNED_BY_CLIENT: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer",
     "upgrade", "expect", "proxy-connection"}
)  # fmt: skip
_METHODS_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
_URL_SAFE: Final = "/%:@!$&'()*+,;=~-._?"


class Origin(msgspec.Struct, frozen=True):
    """Where connections go. `authority`, the value of the Host header, follows from the rest.

    Raises:
        ValueError: the host would change the shape of a message.
    """

    scheme: str
    host: str
    port: int
    authority: str = ""

    def __post_init__(self) -> None:
        bracketed = f"[{self.host}]" if ":" in self.host else self.host
        standard = _DEFAULT_PORTS.get(self.scheme) == self.port
        if not self.host.isascii() or not self.host.isprintable() or " " in self.host:
            raise ValueError(f"not a host: {self.host[:128]!r}")
        authority = bracketed if standard else f"{bracketed}:{self.port}"
        msgspec.structs.force_setattr(self, "authority", authority)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @classmethod
    def parse(cls, url: str) -> tuple[Self, str]:
        """Split a base URL into origin and base path, to which `/…` can be appended.

        The path has no trailing slash; a bare origin gives "".

        Raises:
            ValueError: not a usable http(s) URL, or one with a query; says what to change.
        """
        origin, target = cls.locate(url)
        if "?" in target:
            raise ValueError(f"the base URL must not have a query: remove {target!r} after '?'")
        return origin, target.rstrip("/")

    @classmethod
    def locate(cls, url: str) -> tuple[Self, str]:
        """Split the URL of one endpoint into origin and request target (path and query).

        Raises:
            ValueError: not a usable http(s) URL; says what to change.
        """
        if not url.isprintable() or any(character.isspace() for character in url):
            raise ValueError("the URL holds spaces or control characters: remove or encode them")
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS:
            raise ValueError(f"the URL must begin with http:// or https://, not {url[:64]!r}")
        if parts.username is not None or parts.password is not None:
            raise ValueError("the URL holds a user or password: send them in a header instead")
        if parts.fragment:
            raise ValueError(f"remove the fragment {'#' + parts.fragment!r} from the URL")
        host = _ascii_host(parts.hostname)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]  # .port raises ValueError above 65535
        target = quote(parts.path or "/", safe=_URL_SAFE)
        if parts.query:
            target += "?" + quote(parts.query, safe=_URL_SAFE)
        return cls(parts.scheme, host, port), target


class HttpRequest(NamedTuple):
    """One request. `target` is path and query, already encoded.

    Host and content-length are added on the wire, and nothing else.
    """

    origin: Origin
    method: str
    target: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    connect_timeout_seconds: float | None = None
    """A cap on connecting for this request; None for the one of the pool."""
    prepared: bytes = b""
    """Headers that every such request has, made by `prepare_headers`; they come first."""


class HttpResponse(NamedTuple):
    """A whole response. Header names are lower-cased; a repeated header appears repeatedly."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of `name` (given in lower case)."""
        return find_header(self.headers, name)


def find_header(headers: Sequence[tuple[str, str]], name: str) -> str | None:
    """The first value of `name` (given in lower case)."""
    for key, value in headers:
        if key == name:
            return value
    return None


def prepare_headers(headers: Sequence[tuple[str, str]]) -> bytes:
    """Put headers into the lines of RFC 9112, once for many requests.

    Raises:
        ValueError: a name or value would change the shape of the message (see `encode_request`).
    """
    lines = "".join([f"{_check_name(name)}: {value}\r\n" for name, value in headers])
    breaks = len(headers)
    # Every break that is not one of ours came inside a value.
    if lines.count("\r") != breaks or lines.count("\n") != breaks or "\0" in lines:
        raise ValueError("a header value holds a line break or NUL")
    return lines.encode("latin-1")


def encode_request(request: HttpRequest) -> bytes:
    """Put `request` into the bytes of RFC 9112.

    Raises:
        ValueError: a header or the target would change the shape of the message (line breaks,
            NUL, a framing header). Whoever built the request should have refused that value.
    """
    origin, method, target, headers, body, _, prepared = request
    if not (target.startswith("/") and target.isascii() and target.isprintable()):
        raise ValueError(f"not a request target: {target[:128]!r}")
    if " " in target:
        raise ValueError(f"a request target must not hold spaces: {target[:128]!r}")
    start = f"{_check_token(method)} {target} HTTP/1.1\r\nhost: {origin.authority}\r\n"
    head = start.encode("latin-1") + prepared
    if headers:
        head += prepare_headers(headers)
    if body or method in _METHODS_WITH_LENGTH:
        return b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)
    return head + b"\r\n"


@lru_cache(maxsize=64)
def _check_token(word: str) -> str:
    if not _TOKEN.fullmatch(word):
        raise ValueError(f"not an HTTP token: {word[:128]!r}")
    return word


@lru_cache(maxsize=1024)
def _check_name(name: str) -> str:
    if name.lower() in _OWNED_BY_CLIENT:
        raise ValueError(f"the header {name!r} is set by the client and cannot be chosen")
    return _check_token(name)


def _ascii_host(host: str | None) -> str:
    if not host:
        raise ValueError("the URL names no host: write it as https://host/path")
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"the host name {host!r} cannot be encoded: {error}") from None

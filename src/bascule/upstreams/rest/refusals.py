"""What a caller is told when the upstream said no."""

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from bascule.gateway.call import Result
from bascule.protocol.tools import text_content
from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.rest.media import decode_text, essence, is_json, is_text
from bascule.upstreams.rest.notices import retry_after_seconds
from bascule.upstreams.rest.problems import MEDIA_TYPE as PROBLEM
from bascule.upstreams.rest.problems import describe_problem
from bascule.upstreams.strikes import strike_body, strike_text

_LONGEST_MESSAGE: Final = 4_000
_SHORTEST_SECRET: Final = 8
_NOT_MODIFIED: Final = 304
_PUBLIC_HEADERS: Final = frozenset({"accept", "accept-language", "content-type", "user-agent"})
_CREDENTIAL: Final = re.compile("auth|cookie|key|token|secret|passw", re.IGNORECASE)
_BLANKS: Final = re.compile(r"\s+")

_HINTS: Final = {
    400: "Check the arguments against the description of the tool.",
    404: "Nothing matches these arguments; look the identifiers up again.",
    405: "The upstream does not offer this operation; its description may be out of date.",
    408: "The upstream waited too long; try again.",
    409: "The state has changed or the action was already done; read the current state first.",
    410: "It is gone for good; look for a successor.",
    412: "The state has changed meanwhile; read it again first.",
    413: "Send less.",
    422: "The arguments are well-formed but not acceptable; correct what the message names.",
    423: "It is locked; try again later.",
    501: "The upstream does not offer this operation; its description may be out of date.",
}
_SERVER_HINT: Final = (
    "The upstream failed and may have acted; check before repeating anything that changes state."
)
_READING_HINT: Final = "The upstream failed. This call only reads, so it may be repeated later."
_CLIENT_HINT: Final = "The upstream did not accept the request."


class Credential(Enum):
    """What the gateway showed of its own with a request."""

    SHOWN = "shown"
    NONE = "none"
    """None is set."""
    WITHHELD = "withheld"
    """The operation is on another host than its upstream, which gets no credential."""


class Asked(NamedTuple):
    """What was asked, as far as it matters to what a refusal means; the defaults warn most."""

    credential: Credential = Credential.SHOWN
    only_reads: bool = False


_UNIDENTIFIED: Final = {
    Credential.SHOWN: (
        "The credential that the gateway uses for this upstream was refused, so trying again will "
        "not help. An operator must check it."
    ),
    Credential.NONE: (
        "The service asks for a credential and none is set, so trying again will not help. An "
        "operator can set one: bascule upstreams set."
    ),
    Credential.WITHHELD: (
        "The service asks for a credential, and this operation is on another host than the one "
        "whose credential is set, so none was sent. An operator must make it an upstream of its "
        "own."
    ),
}
_FORBIDDEN: Final = {
    Credential.SHOWN: (
        "It may be this one resource that is closed, or the credential that the gateway uses may "
        "not do this at all. Try what else you need; an operator can check the credential."
    ),
    Credential.NONE: (
        "It may be this one resource that is closed, or the service asks for a credential, and "
        "none is set. An operator can set one: bascule upstreams set."
    ),
    Credential.WITHHELD: (
        "It may be this one resource that is closed, or the service asks for a credential: none "
        "was sent, as this operation is on another host than its upstream."
    ),
}
_BARRED: Final = {401: _UNIDENTIFIED, 403: _FORBIDDEN}
_USUAL: Final = Asked()


def refuse(
    response: HttpResponse, upstream: str, secrets: Iterable[str], asked: Asked = _USUAL
) -> Result:
    """An answer that is not a success, as an error the caller can act on.

    `secrets` never appear in it, even where the upstream repeats them.
    """
    status = response.status
    if status == _NOT_MODIFIED:
        text = (
            f"The upstream answered {_status_line(status)}: nothing changed since what the "
            "condition in the arguments names. Leave the condition out to be given the whole."
        )
    elif 300 <= status < 400:
        text = _redirect_text(response)
    else:
        secrets = tuple(secrets)
        # Before it is cut, which might leave a part of one; and after, for other charsets.
        response = response._replace(body=strike_body(response.body, secrets))
        message = strike_text(_message(response), secrets)
        said = f": {message}" if message else "."
        text = f"The upstream answered {_status_line(status)}{said}\n{_hint(status, asked)}"
        seconds = retry_after_seconds(response)
        if seconds is not None:
            text += f" It asks to wait {seconds} seconds before trying again."
    return Result(
        {"content": [text_content(text)], "isError": True},
        is_error=True,
        failure=f"upstream {upstream} answered HTTP {status}",
        upstream_status=status,
    )


def shows_credential(headers: Sequence[tuple[str, str]]) -> bool:
    """Whether one of `headers` may be a credential."""
    return any(name.lower() not in _PUBLIC_HEADERS for name, _ in headers)


def secrets_in(headers: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What must not be repeated to callers: header values and their parts, longest first."""
    values = [value for name, value in headers if name.lower() not in _PUBLIC_HEADERS]
    parts = {part for value in values for part in (value, *value.split())}
    return tuple(sorted((one for one in parts if len(one) >= _SHORTEST_SECRET), key=len))[::-1]


def credentials_in(headers: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Of `secrets_in`, what is in headers whose names tell that they hold credentials."""
    return secrets_in([one for one in headers if _CREDENTIAL.search(one[0])])


def _status_line(status: int) -> str:
    try:
        return f"HTTP {status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return f"HTTP {status}"


def _hint(status: int, asked: Asked) -> str:
    if status in _BARRED:
        return _BARRED[status][asked.credential]
    failed = _READING_HINT if asked.only_reads else _SERVER_HINT
    return _HINTS.get(status) or (failed if status >= 500 else _CLIENT_HINT)


def _redirect_text(response: HttpResponse) -> str:
    return (
        f"The upstream answered with a redirect ({_status_line(response.status)}) to "
        f"{_host(response.header('location'))}, which was not followed: only redirects of GET and "
        "HEAD within the same scheme, host and port are, and only a few in a row. An operator must "
        "correct the base URL."
    )


def _host(location: str | None) -> str:
    """Only the host: the rest of a location may hold a token."""
    if not location:
        return "nowhere"
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return "a malformed address"
    return host[:253] if host else "another path of the same host"


def _message(response: HttpResponse) -> str:
    """The upstream's own words, on one line where they are JSON, within 4,000 characters."""
    media_type = response.header("content-type") or ""
    kind = essence(media_type)
    if not response.body:
        return ""
    if "html" in kind:
        return f"an HTML page of {len(response.body):,} bytes."
    if kind and not (is_json(kind) or is_text(kind)):
        return f"{len(response.body):,} bytes of {kind[:100]}."
    text = describe_problem(response.body) if kind == PROBLEM else None
    text = text or _compact(response.body) or decode_text(response.body, media_type)
    text = _BLANKS.sub(" ", text).strip()
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"


def _compact(body: bytes) -> str | None:
    try:
        return msgspec.json.format(body, indent=-1).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

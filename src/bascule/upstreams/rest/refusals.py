"""What a caller is told when the upstream said no."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bascule.gateway.call import Result
from bascule.protocol.tools import text_content
from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.rest.media import decode_text, essence, is_json, is_text

_LONGEST_MESSAGE: Final = 4_000
_SHORTEST_SECRET: Final = 8
_PUBLIC_HEADERS: Final = frozenset({"accept", "accept-language", "content-type", "user-agent"})
_LONGEST_WAIT_SECONDS: Final = 24 * 60 * 60
_HIDDEN: Final = "[removed]"
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
_REFUSED_CREDENTIAL: Final = (
    "The credential that the gateway uses for this upstream was refused, so trying again will "
    "not help. An operator must check it."
)
_SERVER_HINT: Final = (
    "The upstream failed and may have acted; check before repeating anything that changes state."
)
_CLIENT_HINT: Final = "The upstream did not accept the request."


def refuse(response: HttpResponse, upstream: str, secrets: Iterable[str]) -> Result:
    """An answer that is not a success, as an error the caller can act on.

    `secrets` never appear in it, even where the upstream repeats them.
    """
    status = response.status
    if 300 <= status < 400:
        text = _redirect_text(response)
    else:
        message = _strike_out(_message(response), secrets)
        said = f": {message}" if message else "."
        text = f"The upstream answered {_status_line(status)}{said}\n{_hint(status)}"
    return Result(
        {"content": [text_content(text)], "isError": True},
        is_error=True,
        failure=f"upstream {upstream} answered HTTP {status}",
    )


def retry_after_seconds(response: HttpResponse) -> int | None:
    """The wait that a Retry-After header asks for (RFC 9110 section 10.2.3), at most a day."""
    value = (response.header("retry-after") or "").strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), _LONGEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    wait = (moment - datetime.now(UTC)).total_seconds()
    return max(0, min(round(wait), _LONGEST_WAIT_SECONDS))


def secrets_in(headers: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What must not be repeated to callers: header values and their parts, longest first."""
    values = [value for name, value in headers if name.lower() not in _PUBLIC_HEADERS]
    parts = {part for value in values for part in (value, *value.split())}
    return tuple(sorted((one for one in parts if len(one) >= _SHORTEST_SECRET), key=len))[::-1]


def _status_line(status: int) -> str:
    try:
        return f"HTTP {status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return f"HTTP {status}"


def _hint(status: int) -> str:
    if status in (401, 403):
        return _REFUSED_CREDENTIAL
    return _HINTS.get(status) or (_SERVER_HINT if status >= 500 else _CLIENT_HINT)


def _redirect_text(response: HttpResponse) -> str:
    return (
        f"The upstream answered with a redirect ({_status_line(response.status)}) to "
        f"{_host(response.header('location'))}. Redirects are not followed; an operator must "
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
    text = _compact(response.body) or decode_text(response.body, media_type)
    text = _BLANKS.sub(" ", text).strip()
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"


def _compact(body: bytes) -> str | None:
    try:
        return msgspec.json.format(body, indent=-1).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _strike_out(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text

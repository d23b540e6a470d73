"""What headers of an answer say that a caller can act on."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.strikes import strike_text

TOLD: Final = frozenset({"location", "retry-after", "link"})
"""Headers that make a notice, in lower case."""

_OF_HEAD: Final = ("content-type", "content-length", "last-modified", "etag")
_LONGEST_URL: Final = 2_000
_LONGEST_LINKS: Final = 8_000
_LONGEST_WAIT_SECONDS: Final = 24 * 60 * 60
_NOT_SHOWN: Final = re.compile(r"[^\x21-\x7e]")
_LINK: Final = re.compile(r'<([^<>]*)>((?:[^,<>"]|"[^"]*")*)')  # RFC 8288 section 3
_NEXT: Final = re.compile(r'rel\s*=\s*(?:next\b|"(?:[^"]*\s)?next[\s"])', re.IGNORECASE)


def notice(response: HttpResponse, origin: str, secrets: Iterable[str] = ()) -> str:
    """Where the answer points to and how long to wait, a line each; "" for nothing of it.

    Addresses at `origin` are told without it. `secrets` never appear.
    """
    return strike_text("\n".join(_lines(response.headers, origin)), secrets)


def notice_of_head(response: HttpResponse) -> str:
    """What an answer to HEAD says of the body it stands for."""
    lines = [f"{name}: {value}" for name, value in response.headers if name in _OF_HEAD]
    return "\n".join(line[:_LONGEST_URL] for line in lines)


def retry_after_seconds(response: HttpResponse) -> int | None:
    """The wait that a Retry-After header asks for (RFC 9110 section 10.2.3), at most a day."""
    return _seconds(response.header("retry-after") or "")


def _lines(headers: Sequence[tuple[str, str]], origin: str) -> Iterator[str]:
    for name, value in headers:
        if name == "location":
            yield f"Location: {_address(value, origin)}"
        elif name == "retry-after":
            seconds = _seconds(value)
            if seconds is not None:
                yield f"Ask again in {seconds} seconds."
        elif name == "link":
            for target, parameters in _LINK.findall(value[:_LONGEST_LINKS]):
                if _NEXT.search(parameters):
                    yield f"Next page: {_address(target, origin)}"


def _address(url: str, origin: str) -> str:
    url = _NOT_SHOWN.sub("", url)[:_LONGEST_URL]
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if origin and f"{parts.scheme}://{parts.netloc}" == origin:
        return urlunsplit(("", "", parts.path or "/", parts.query, parts.fragment))
    return url


def _seconds(value: str) -> int | None:
    value = value.strip()
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

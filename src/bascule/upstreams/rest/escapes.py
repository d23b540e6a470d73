"""Text as it may stand in a URL, a form, a header or a cookie: it never ends its place early.

Every function raises `Unwritable` or UnicodeError for what cannot stand there.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus, unquote

from bascule.upstreams.rest.values import Unwritable

_UNRESERVED: Final = re.compile(r"[A-Za-z0-9_.~-]*")  # RFC 3986 section 2.3
_SEPARATORS: Final = re.compile(r"[/\\]")
_DOTS: Final = frozenset({".", ".."})
_TRIPLE: Final = re.compile(r"(%[0-9A-Fa-f]{2})")
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_HEADERS: Final = re.compile(r"[^\t\x20-\x7e]")
# RFC 6265 section 4.1.1, cookie-octet, less the percent sign that marks what is encoded.
_COOKIE_SAFE: Final = "!#$&'()*+-./:<=>?@[]^_`{|}~"
# As they came: cookie-octets, and blanks between them, which everybody sends and accepts.
_COOKIE_TEXT: Final = re.compile(
    r"(?:[!#-+\--:<-\[\]-~](?:[!#-+\--:<-\[\]-~ ]*[!#-+\--:<-\[\]-~])?)?"
)

# What `allowReserved` leaves as it is: reserved characters (RFC 3986 section 2.2), less those
# that end a value in that place. `;` is among those, as servers exist that split queries at it.
_RESERVED_IN_QUERY: Final = ":/?@!$'()*,"
_RESERVED_IN_PATH: Final = ":@!$&'()*+=,"
_RESERVED_IN_COOKIE: Final = ":/?#[]@!$&'()*+="


class Encoding(NamedTuple):
    """How a text is encoded that stands alone, and one that stands among others."""

    alone: Callable[[str], str]
    among: Callable[[str], str]


def _is_unreserved(text: str) -> bool:
    # Most values are a word or a number, which this tells much faster than a pattern.
    return (text.isalnum() and text.isascii()) or _UNRESERVED.fullmatch(text) is not None


def encode(text: str) -> str:
    """Percent-encode everything but unreserved characters (RFC 3986)."""
    return text if _is_unreserved(text) else quote(text, safe="")


def encode_in_path(text: str) -> str:
    """Like `encode`, for text that must stay one segment of a path.

    A slash is encoded, yet proxies exist that decode it and then resolve dot segments, so text
    that would climb there is refused.
    """
    if _is_unreserved(text):
        return text
    _refuse_climbing(text)
    return quote(text, safe="")


def encode_in_form(text: str) -> str:
    """As `application/x-www-form-urlencoded` has it (WHATWG URL, section 5.2)."""
    if text.isalnum() and text.isascii():
        return text
    return quote_plus(text, safe="*").replace("~", "%7E")


def encode_in_cookie(text: str) -> str:
    """Percent-encode what a cookie value cannot hold."""
    return text if _is_unreserved(text) else quote(text, safe=_COOKIE_SAFE)


def check_header(text: str) -> str:
    """`text` where it arrives as it is in a header: printable ASCII, without blanks around it.

    So there is no line break in it and no NUL, and nothing that is stripped on arrival (RFC 9110
    section 5.5).
    """
    if _NOT_IN_HEADERS.search(text):
        raise Unwritable("may hold only printable ASCII characters, as it is sent in a header")
    if text != text.strip(" \t"):
        raise Unwritable("must not begin or end with a blank, as it is sent in a header")
    return text


def check_cookie(text: str) -> str:
    """`text` where it can be sent in a cookie as it is."""
    if not _COOKIE_TEXT.fullmatch(text):
        raise Unwritable(
            "may hold only printable ASCII characters other than quotes, commas, semicolons and "
            "backslashes, and no blanks around it, as it is sent in a cookie without being encoded"
        )
    return text


def is_token(text: str) -> bool:
    """Can `text` be the name of a header or a cookie (RFC 9110 section 5.6.2)?"""
    return _TOKEN.fullmatch(text) is not None


def is_dots(segment: str) -> bool:
    """Is this a dot segment (RFC 3986 section 3.3), also with path parameters behind it?"""
    return segment.partition(";")[0] in _DOTS


def climbs(path: str) -> bool:
    """Whether one of the segments of `path` is a dot segment; backslashes count as slashes."""
    return any(is_dots(part) for part in _SEPARATORS.split(path))


def _refuse_climbing(text: str) -> None:
    if climbs(text):
        raise Unwritable("must not hold the path segments '.' or '..'")


def _keep(text: str, safe: str) -> str:
    """Encode all but `safe` characters and what is encoded already (RFC 6570 section 3.2.3)."""
    if _is_unreserved(text):
        return text
    pieces = _TRIPLE.split(text)  # plain text and triples in turn
    return "".join(
        piece if index % 2 else quote(piece, safe=safe) for index, piece in enumerate(pieces)
    )


def _reserved_in_query(text: str) -> str:
    return _keep(text, _RESERVED_IN_QUERY)


def _reserved_item_in_query(text: str) -> str:
    return _keep(text, _RESERVED_IN_QUERY.replace(",", ""))


def _reserved_in_path(text: str) -> str:
    _refuse_climbing(unquote(text))
    return _keep(text, _RESERVED_IN_PATH)


def _reserved_item_in_path(text: str) -> str:
    _refuse_climbing(unquote(text))
    return _keep(text, _RESERVED_IN_PATH.replace(",", ""))


def _reserved_in_cookie(text: str) -> str:
    return _keep(text, _RESERVED_IN_COOKIE)


def _as_it_is(text: str) -> str:
    return text


IN_QUERY: Final = Encoding(encode, encode)
IN_PATH: Final = Encoding(encode_in_path, encode_in_path)
IN_HEADER: Final = Encoding(check_header, check_header)
IN_COOKIE: Final = Encoding(encode, encode)
RAW_IN_COOKIE: Final = Encoding(check_cookie, check_cookie)
RESERVED_IN_QUERY: Final = Encoding(_reserved_in_query, _reserved_item_in_query)
RESERVED_IN_PATH: Final = Encoding(_reserved_in_path, _reserved_item_in_path)
RESERVED_IN_COOKIE: Final = Encoding(_reserved_in_cookie, _reserved_in_cookie)
NOT_ENCODED: Final = Encoding(_as_it_is, _as_it_is)

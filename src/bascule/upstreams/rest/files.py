"""Files as arguments: an object with the content as `text`, or as base64 in `data`."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, cast

from bascule.upstreams.rest.escapes import climbs
from bascule.upstreams.rest.media import essence
from bascule.upstreams.rest.values import Unwritable

OCTETS: Final = "application/octet-stream"
_TEXT: Final = "text/plain; charset=utf-8"
_LONGEST_NAME: Final = 255
_LONGEST_TYPE: Final = 255
_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_WORD: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_MEDIA_TYPE: Final = re.compile(
    rf'{_WORD}/{_WORD}(?: *; *{_WORD}=(?:{_WORD}|"[ !#-\[\]-~]*"))*'  # RFC 9110 section 8.3.1
)
_NOT_IN_NAMES: Final = re.compile(r"[\x00-\x1f\x7f\\]")


class File(NamedTuple):
    """A file as it is sent; `name` is "" where the caller gave none."""

    name: str
    content_type: str
    content: bytes


def read_file(value: object, offered: Sequence[str] = ()) -> File:
    """The file that an argument describes; `offered` are the media types or ranges it may have.

    A string is its text.

    Raises:
        Unwritable: neither text nor base64, or a name or media type that cannot be sent.
    """
    if isinstance(value, str):
        value = {"text": value}
    if not isinstance(value, dict):
        raise Unwritable("must be a file: an object with its content as `text`, or base64 `data`")
    given = cast("dict[str, object]", value)
    content, guess = _content(given)
    return File(_name(given), _content_type(given, guess, offered), content)


def _content(given: Mapping[str, object]) -> tuple[bytes, str]:
    """The bytes, and what they are where nothing else says so."""
    text, data = given.get("text"), given.get("data")
    if (text is None) == (data is None):
        raise Unwritable("must have either `text` or `data`, and not both")
    if isinstance(text, str):
        return text.encode(), _TEXT
    if not isinstance(data, str):
        raise Unwritable("must have its content as a string")
    return _decode(data), OCTETS


def _decode(data: str) -> bytes:
    try:
        return base64.b64decode(_BLANKS.sub("", data).encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Unwritable(
            "has `data` that is not base64; give the content as `text` if that is what it is"
        ) from None


def _name(given: Mapping[str, object]) -> str:
    name = given.get("filename") or ""
    if not isinstance(name, str):
        raise Unwritable("must have a string as `filename`")
    if len(name) > _LONGEST_NAME or _NOT_IN_NAMES.search(name) or climbs(name):
        raise Unwritable(
            f"must have a `filename` of at most {_LONGEST_NAME} characters, without control "
            "characters, backslashes and the path segments '.' and '..'"
        )
    return name


def _content_type(given: Mapping[str, object], guess: str, offered: Sequence[str]) -> str:
    chosen = given.get("content_type")
    if chosen is None:
        return default_type(offered, guess)
    if (
        not isinstance(chosen, str)
        or len(chosen) > _LONGEST_TYPE
        or not _MEDIA_TYPE.fullmatch(chosen)
    ):
        raise Unwritable("must have a media type as `content_type`, such as image/png")
    if offered and not any(_covers(one, chosen) for one in offered):
        raise Unwritable(f"must have a `content_type` that is one of {', '.join(offered)}")
    return chosen


def default_type(offered: Sequence[str], guess: str) -> str:
    """The first media type of `offered` that is not a range; where there is none, `guess`."""
    return next((one for one in offered if "*" not in one), guess)


def _covers(media_range: str, media_type: str) -> bool:
    wanted, given = essence(media_range), essence(media_type)
    if wanted in ("*/*", given):
        return True
    return wanted.endswith("/*") and given.startswith(wanted[:-1])

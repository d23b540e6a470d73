"""The styles that values are written in, by where they travel."""

import re
from typing import Final

from bascule.gateway.tool import ParameterLocation

_DELIMITED: Final = ("spaceDelimited", "pipeDelimited", "tabDelimited")

STYLES: Final = {
    ParameterLocation.PATH: ("simple", "label", "matrix", *_DELIMITED),
    ParameterLocation.QUERY: ("form", *_DELIMITED, "deepObject"),
    ParameterLocation.HEADER: ("simple", *_DELIMITED),
    ParameterLocation.COOKIE: ("form", "cookie"),
}
"""The styles of each location, its default first (OpenAPI 3.2, Style Values).

`tabDelimited`, and delimiters in paths and headers, are what Swagger 2.0 has beyond it.
"""

EXPLODED: Final = frozenset({"form", "cookie"})
"""The styles that explode unless told otherwise."""

JSON_STYLE: Final = "json"
"""Not a style of OpenAPI: a parameter described by `content` is one JSON text."""

TEXT_STYLE: Final = "text"
"""Not a style of OpenAPI either: a parameter described by `content` is text as it is."""

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def is_token(name: str) -> bool:
    """Can `name` be that of a header or a cookie (RFC 9110 section 5.6.2)?"""
    return _TOKEN.fullmatch(name) is not None

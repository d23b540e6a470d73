"""Path templates: `/v1/dealers/{id}/enquiries`, perhaps with a fixed query behind it."""

import re
from typing import Final

_VARIABLE: Final = re.compile(r"\{([^{}/]+)\}")
_UNUSABLE: Final = re.compile(r"[\\\x00-\x20\x7f]")
_QUERY: Final = re.compile(r"[!$&'()*+,\-./0-9:;=?@A-Z_a-z~%]*")
_DOT_SEGMENTS: Final = frozenset({".", "..", "%2e", "%2e%2e", ".%2e", "%2e."})


def without_fragment(path: str) -> str:
    """What of a path is sent: authors tell operations on one path apart by `#name`."""
    return path.partition("#")[0]


def variables(path: str) -> tuple[str, ...]:
    """The names of the variables in `path`, in order, each once.

    Raises:
        ValueError: the path cannot be requested; the message says why.
    """
    if not path.startswith("/"):
        raise ValueError("the path must begin with a slash")
    path, _, query = path.partition("?")
    if not _QUERY.fullmatch(query):
        raise ValueError("the query in the path is not fixed text; describe it as parameters")
    fixed = _VARIABLE.sub("", path)
    if "{" in fixed or "}" in fixed:
        raise ValueError("the braces in the path do not match")
    if _UNUSABLE.search(fixed):
        raise ValueError("the path holds a backslash, a space or a control character")
    if any(segment.lower() in _DOT_SEGMENTS for segment in path.split("/")):
        raise ValueError("the path holds a dot segment, which would lead out of the base URL")
    return tuple(dict.fromkeys(_VARIABLE.findall(path)))

"""Path templates: `/v1/dealers/{id}/enquiries`."""

import re
from typing import Final

_VARIABLE: Final = re.compile(r"\{([^{}/]+)\}")
_UNUSABLE: Final = re.compile(r"[?#\\\x00-\x20\x7f]")
_DOT_SEGMENTS: Final = frozenset({".", "..", "%2e", "%2e%2e", ".%2e", "%2e."})


def variables(path: str) -> tuple[str, ...]:
    """The names of the variables in `path`, in order, each once.

    Raises:
        ValueError: the path cannot be requested; the message says why.
    """
    if not path.startswith("/"):
        raise ValueError("the path must begin with a slash")
    fixed = _VARIABLE.sub("", path)
    if "{" in fixed or "}" in fixed:
        raise ValueError("the braces in the path do not match")
    if _UNUSABLE.search(fixed):
        raise ValueError("the path holds a query, a fragment, a backslash, a space or the like")
    if any(segment.lower() in _DOT_SEGMENTS for segment in path.split("/")):
        raise ValueError("the path holds a dot segment, which would lead out of the base URL")
    return tuple(dict.fromkeys(_VARIABLE.findall(path)))

"""Problem details (RFC 9457) in words."""

from typing import Any, Final, cast

import msgspec

MEDIA_TYPE: Final = "application/problem+json"
_TOLD_ELSEWHERE: Final = frozenset({"type", "title", "detail", "status", "instance"})


def describe_problem(body: bytes) -> str | None:
    """Title and detail, then what else the problem says; None where `body` is no such thing."""
    try:
        problem: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(problem, dict):
        return None
    members = cast("dict[str, object]", problem)
    words = [
        text.strip()
        for text in (members.get("title"), members.get("detail"))
        if isinstance(text, str) and text.strip()
    ]
    if not words:
        return None
    more = {name: value for name, value in members.items() if name not in _TOLD_ELSEWHERE}
    told = ": ".join(dict.fromkeys(words))
    return f"{told} {msgspec.json.encode(more).decode()}" if more else told

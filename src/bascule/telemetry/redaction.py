"""Keeps secrets out of what is written for people to read: log lines and error messages.

A net, not a licence: code passes no secret to a logger in the first place.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

REDACTED: Final = "[redacted]"
_LONGEST_TEXT: Final = 16_384
_MOST_ITEMS: Final = 100
_DEEPEST: Final = 6

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET_WORDS: Final = frozenset(
    {"authorization", "cookie", "cookies", "credential", "credentials", "passphrase", "passwd",
     "password", "passwords", "pwd", "secret", "secrets", "apikey", "jwt"}
)  # fmt: skip
_SECRET_LAST_WORDS: Final = frozenset({"token", "tokens", "bearer"})
_SECRET_KEYS: Final = frozenset(
    {"access", "account", "api", "encryption", "hmac", "master", "private", "sealing", "secret",
     "shared", "signing", "ssh", "subscription"}
)  # fmt: skip
_MEASURES: Final = frozenset({"attempts", "bytes", "characters", "seconds"})
"""Last words of what is a number, whatever it is a number of."""
_COUNTED: Final = frozenset({"max", "min", "total", "used", "remaining", "input", "output"})

_LONGEST_SECRET: Final = 16_384


@dataclass(frozen=True, slots=True)
class _Form:
    """How a kind of credential looks. What group 1 matches stays, the rest is replaced.

    Most texts hold none of `hints` (lower case) and are not scanned at all. Each pattern passes
    over a character a bounded number of times, so that no text makes a log line slow.
    """

    hints: tuple[str, ...]
    pattern: re.Pattern[str]


_FORMS: Final = (
    _Form(
        ("authorization", "cookie"),
        re.compile(
            r"((?:authorization|cookie)[\"']?[ \t]{0,8}[=:][ \t]{0,8}[\"']?)"
            r"[^\r\n\"']+",
            re.IGNORECASE,
        ),
    ),
    _Form(
        ("key", "pass", "pwd", "secret", "token", "sig"),
        re.compile(
            r"((?:api[_-]?key|subscription-key|password|passwd|passphrase|pwd|secret|token|"
            r"(?<![a-z])sig)[\"']?[ \t]{0,8}[=:][ \t]{0,8}[\"']?)[^\s\"'&,;]+",
            re.IGNORECASE,
        ),
    ),
    _Form(("bearer",), re.compile(r"((?i:\bbearer)[ \t]{1,8})[A-Za-z0-9._~+/=-]{6,}")),
    _Form(
        ("basic",),
        re.compile(r"((?i:\bbasic)[ \t]{1,8})(?=[a-z]{0,256}+[A-Z0-9+/=])[A-Za-z0-9+/]{6,}={0,2}"),
    ),
    _Form(("://",), re.compile(r"(://[^\s@:]*+:?)([^\s@]*+)(@?)")),
    _Form(
        ("eyj",),
        re.compile(
            r"()(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{2,}+(?:\.[A-Za-z0-9_-]*+)*+"
        ),
    ),
    _Form(
        ("bsc_", "sk-", "gh", "xox", "github_pat_", "glpat-", "npm_", "hf_", "aiza"),
        re.compile(
            r"()\b(?:bsc_|sk-|gh[pousr]_|xox[abprs]-|github_pat_|glpat-|npm_|hf_|AIza)"
            r"[A-Za-z0-9_-]{16,}"
        ),
    ),
    _Form(("akia", "asia"), re.compile(r"()\bA(?:KIA|SIA)[0-9A-Z]{16}\b")),
    _Form(
        ("private key-----",),
        re.compile(r"()-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^-]*+(?:-----END [A-Z ]*+-----)?"),
    ),
)


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether a field called `name` holds a secret: `Authorization`, `apiKey`, `client_secret`."""
    words = _HUMP.sub("_", name).replace("-", "_").replace(".", "_").lower().split("_")
    if words[-1] in _MEASURES:
        return False
    if not _SECRET_WORDS.isdisjoint(words):
        return True
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _SECRET_LAST_WORDS:
        return before not in _COUNTED
    return last in {"key", "keys"} and before in _SECRET_KEYS


def redact_text(text: str) -> str:
    """`text` without credentials that can be told by their form; bounded, and valid Unicode."""
    dropped = len(text) - _LONGEST_TEXT
    # A secret that the cut would halve must still be seen whole.
    clean = text if dropped <= 0 else text[: _LONGEST_TEXT + _LONGEST_SECRET]
    lowered = clean.lower()
    for form in _FORMS:
        for hint in form.hints:
            if hint in lowered:
                clean = form.pattern.sub(_without_secret, clean)
                break
    if dropped > 0:
        clean = f"{clean[:_LONGEST_TEXT]}… {dropped} characters more"
    return clean if clean.isascii() else clean.encode(errors="backslashreplace").decode()


def _without_secret(found: re.Match[str]) -> str:
    if found.lastindex != 3:
        return found[1] + REDACTED
    # A URL: its password ends at the "@"; without one, or without a colon, there is none.
    return f"{found[1]}{REDACTED}@" if found[2] and found[3] else found[0]


def redact(value: object, depth: int = 0) -> object:
    """A plain copy of `value`, of bounded size, that JSON can hold and that shows no secret."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(str(value))
    if isinstance(value, Mapping):
        return redact_members(cast("Mapping[Any, object]", value), depth)
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return _redact_items(list(cast("Sequence[object]", value)), depth)
    return redact_text(_representation(value))


def redact_members(members: Mapping[Any, object], depth: int = 0) -> dict[str, object]:
    """`redact` for a mapping: members with a secret's name keep the name only."""
    if depth > _DEEPEST:
        return {"…": f"{len(members)} members"}
    plain: dict[str, object] = {}
    for key in list(members)[:_MOST_ITEMS]:
        name = str(key)
        value = members[key]
        hidden = is_secret_name(name) and value is not None and not isinstance(value, bool)
        plain[redact_text(name)] = REDACTED if hidden else redact(value, depth + 1)
    if len(members) > _MOST_ITEMS:
        plain["…"] = f"{len(members) - _MOST_ITEMS} more members"
    return plain


def _redact_items(items: list[object], depth: int) -> object:
    if depth > _DEEPEST:
        return f"[{len(items)} items]"
    plain = [redact(item, depth + 1) for item in items[:_MOST_ITEMS]]
    if len(items) > _MOST_ITEMS:
        plain.append(f"{len(items) - _MOST_ITEMS} more items")
    return plain


def _representation(value: object) -> str:
    try:
        return str(value) if isinstance(value, BaseException) else repr(value)
    except Exception as broken:  # noqa: BLE001 - a log line must not fail on an odd object
        return f"<{type(value).__name__}: {type(broken).__name__} in its repr>"

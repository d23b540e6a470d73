"""URIs as resources are named by them, and URI templates.

Source: RFC 3986; RFC 6570; specification 2026-07-28, server/resources.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

_LONGEST: Final = 8192
_EXPRESSION: Final = re.compile(r"\{([^{}]*)\}")
_VARIABLE: Final = re.compile(r"[A-Za-z0-9_.%]+(?::[1-9][0-9]{0,3}|\*)?")
_MOST_EXPRESSIONS: Final = 32
_MOST_READINGS: Final = 3
_QUERY: Final = re.compile(r"[?#]")
_SLASHES: Final = re.compile(r"/{2,}")
# What urllib and WHATWG URL leave out, at the ends and anywhere.
_AROUND: Final = "".join(map(chr, range(33)))
_WITHIN: Final = str.maketrans("", "", "\t\r\n")
_PARTS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://([^/?#]*))?([^?#]*)(.*)", re.DOTALL)


def template_matches(template: str, uri: str) -> bool:
    """Whether `uri` may have come of `template`; a template that cannot be read matches nothing."""
    if len(uri) > _LONGEST:
        return False
    pattern = _pattern(template)
    return pattern is not None and _fits(pattern, uri)


def forms_of(uri: str) -> tuple[str, ...]:
    """`uri` as it is, and as who follows it may read it, where that differs.

    Rules compare all of them: `file:///a/../b` and `file:///%62` are other spellings of
    `file:///b` to a server that resolves them.
    """
    forms = [uri]
    # Escapes may be escaped themselves, for who undoes them once more.
    while len(forms) <= _MOST_READINGS and (read := _plainest(forms[-1])) != forms[-1]:
        forms.append(read)
    return tuple(forms)


def without_query(uri: str) -> str:
    """`uri` as who only looks at the path reads it."""
    return _QUERY.split(uri, maxsplit=1)[0]


class _Pattern(NamedTuple):
    """Literal texts, and what may stand between each and the next."""

    literals: tuple[str, ...]
    values: tuple[re.Pattern[str], ...]


@lru_cache(maxsize=4096)
def _pattern(template: str) -> _Pattern | None:
    if len(template) > _LONGEST:
        return None
    # Every other part is the inner of an expression.
    parts = _EXPRESSION.split(template)
    if len(parts) > 2 * _MOST_EXPRESSIONS + 1:
        return None
    try:
        literals = tuple(_literal(part) for part in parts[::2])
        return _Pattern(literals, tuple(_expression(part) for part in parts[1::2]))
    except ValueError:
        return None


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise ValueError("a brace without its other half")
    return text


def _expression(inner: str) -> re.Pattern[str]:
    operator = inner[:1] if inner[:1] in _VALUES else ""
    names = inner.removeprefix(operator).split(",")
    if not all(_VARIABLE.fullmatch(name) for name in names):
        raise ValueError(f"no variables: {inner!r}")
    return _VALUES[operator]


# What may stand in place of an expression, by its operator (RFC 6570, 3.2). A list within one
# separates by commas; after the operators of the last three lines each name brings its own mark.
_VALUES: Final = {
    "": re.compile(r"[^/?#\[\]@!$&'()*+;=]*", re.DOTALL),
    "+": re.compile(r".*", re.DOTALL),
    "#": re.compile(r"(?:#.*)?", re.DOTALL),
    ".": re.compile(r"(?:\.[^/?#]*)?", re.DOTALL),
    "/": re.compile(r"(?:/[^?#]*)?", re.DOTALL),
    ";": re.compile(r"(?:;[^/?#]*)?", re.DOTALL),
    "?": re.compile(r"(?:\?[^#]*)?", re.DOTALL),
    "&": re.compile(r"(?:&[^#]*)?", re.DOTALL),
}


def _fits(pattern: _Pattern, uri: str) -> bool:
    """Match from the left, every literal as early as it fits: linear, and right for all but odd
    templates, whose variables may hold the text that follows them."""
    if not pattern.values:
        return uri == pattern.literals[0]
    first, *between, last = pattern.literals
    at, end = len(first), len(uri) - len(last)
    if not (uri.startswith(first) and uri.endswith(last)) or end < at:
        return False
    for value, literal in zip(pattern.values, between, strict=False):
        stop = _next(uri, literal, at, end, value)
        if stop < at or value.fullmatch(uri, at, stop) is None:
            return False
        at = stop + len(literal)
    return at <= end and pattern.values[-1].fullmatch(uri, at, end) is not None


def _next(uri: str, literal: str, at: int, end: int, value: re.Pattern[str]) -> int:
    if literal:
        return uri.find(literal, at, end)
    # Two expressions side by side: the first takes what it can.
    found = value.match(uri, at, end)
    return -1 if found is None else found.end()


def _plainest(uri: str) -> str:
    """Scheme and host in small letters, escapes undone, dot segments taken out (RFC 3986, 6.2.2).

    More is undone than the RFC allows, on purpose: this is what a careless server may read.
    """
    found = _PARTS.fullmatch(uri.strip(_AROUND).translate(_WITHIN))
    if found is None:
        return unquote(uri)
    scheme, authority, path, rest = found.groups()
    scheme, path = scheme.lower(), _without_dots(_SLASHES.sub("/", unquote(path)))
    host = "" if authority is None else f"//{_host(authority)}"
    if scheme == "file" and path.startswith("/") and host in _THIS_MACHINE:
        host = "//"
    return f"{scheme}:{host}{path}{unquote(rest)}"


# RFC 8089, section 2 and appendix B: a file here, however its host is given.
_THIS_MACHINE: Final = frozenset({"", "//", "//localhost", "//127.0.0.1", "//[::1]"})


def _host(authority: str) -> str:
    return unquote(authority).lower().removeprefix("@").removesuffix(":")


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.replace("\\", "/").split("/")
    for index, segment in enumerate(segments):
        if segment == ".." and len(kept) > 1:
            kept.pop()
        elif segment not in {".", ".."}:
            kept.append(segment)
            continue
        if index == len(segments) - 1:
            kept.append("")
    return "/".join(kept)

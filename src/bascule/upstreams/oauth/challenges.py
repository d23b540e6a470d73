"""What a service wants of who comes without the right token (RFC 9110 section 11.6.1, RFC 6750)."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

CHALLENGE: Final = "www-authenticate"
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_TOKEN68: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))")
_GAPS: Final = re.compile(r"[ \t,]*")
_SPACES: Final = re.compile(r" +")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")
_LONGEST: Final = 16_384
"""Characters of one header field; a longer one is not read."""
_MOST_SCOPES: Final = 64


class Challenge(NamedTuple):
    """One challenge; `scheme` and the names of `params` are in lower case."""

    scheme: str
    params: Mapping[str, str]
    token: str = ""
    """The token68, where the scheme takes one in place of parameters."""


class Demand(NamedTuple):
    """What a challenge asks for. `scopes` are those that the refused operation needs."""

    metadata_url: str | None = None
    scopes: tuple[str, ...] = ()
    error: str = ""

    @property
    def wants_more(self) -> bool:
        """Whether the token was good, but for too little."""
        return self.error == "insufficient_scope"


def parse_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """The challenges in the fields of a response; what follows a mistake in a field is left out.

    Of a parameter that comes twice the first counts.
    """
    return tuple(one for value in values if len(value) <= _LONGEST for one in _parse(value))


def demand_of(values: Iterable[str]) -> Demand | None:
    """What the Bearer challenge asks for; None where there is none.

    Of several, one with an error tells the most, then one that names its metadata.
    """
    found = [one.params for one in parse_challenges(values) if one.scheme == "bearer"]
    if not found:
        return None
    params = max(found, key=lambda one: ("error" in one, "resource_metadata" in one))
    return Demand(
        params.get("resource_metadata") or None,
        parse_scopes(params.get("scope", "")),
        params.get("error", ""),
    )


def parse_scopes(text: str) -> tuple[str, ...]:
    """The scopes in `text` (RFC 6749 section 3.3), each once; what is none is left out."""
    good = (one for one in text.split(" ") if _SCOPE.fullmatch(one))
    return tuple(dict.fromkeys(good))[:_MOST_SCOPES]


def _parse(value: str) -> list[Challenge]:
    found: list[Challenge] = []
    params: dict[str, str] | None = None
    at = _end(_GAPS, value, 0)
    while name := _TOKEN.match(value, at):
        given = None if params is None else _parameter(value, name.end())
        if given is not None and params is not None:
            params.setdefault(name[0].lower(), given[0])
            at = given[1]
        else:
            params = {}
            at = _end(_SPACES, value, name.end())
            token = _TOKEN68.match(value, at) if at > name.end() else None
            found.append(Challenge(name[0].lower(), params, token[0] if token else ""))
            at = token.end() if token else at
        after = _end(_GAPS, value, at)
        if after == at and after < len(value) and given is not None:
            break  # two parameters that nothing parts, not even a space
        at = after
    return found


def _parameter(value: str, at: int) -> tuple[str, int] | None:
    """The value that follows a parameter's name, and where it ends; None where none does."""
    equals = _EQUALS.match(value, at)
    if equals is None:
        return None
    if quoted := _QUOTED.match(value, equals.end()):
        return _ESCAPED.sub(r"\1", quoted[1]), quoted.end()
    plain = _TOKEN.match(value, equals.end())
    return None if plain is None else (plain[0], plain.end())


def _end(pattern: re.Pattern[str], value: str, at: int) -> int:
    match = pattern.match(value, at)
    return at if match is None else match.end()

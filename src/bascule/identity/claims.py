"""Claims: found by their paths, and read as texts, however the issuer writes them."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias, cast

Claims: TypeAlias = Mapping[str, object]

LONGEST_SUBJECT: Final = 500
_LONGEST_NAME: Final = 300
_MOST_VALUES: Final = 1000
_MOST_MEMBERS: Final = 16
_NOTHING: Final = object()


def at(claims: Claims, path: str) -> object:
    """What `claims` have at `path`, members divided by dots; None where there is nothing.

    A member whose own name has dots is found as well; the longest name that fits is taken first.
    """
    if path in claims:
        return claims[path]
    members = path.split(".", _MOST_MEMBERS)
    for length in range(len(members) - 1, 0, -1):
        inner = claims.get(".".join(members[:length]), _NOTHING)
        if isinstance(inner, dict):
            found = at(cast("Claims", inner), ".".join(members[length:]))
            if found is not None:
                return found
    return None


def text_of(value: object, longest: int = _LONGEST_NAME) -> str | None:
    """`value` where it is one printable line of at most `longest` characters; else None."""
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        return None
    return value


def first_text(claims: Claims, paths: Iterable[str]) -> str | None:
    """The first of the claims at `paths` that is a name."""
    for path in paths:
        found = text_of(at(claims, path))
        if found is not None:
            return found
    return None


def texts_of(value: object) -> tuple[str, ...]:
    """`value` as names: a text is one, an array as many as are texts."""
    if isinstance(value, str):
        return () if text_of(value) is None else (value,)
    if not isinstance(value, list):
        return ()
    listed = cast("list[object]", value)[:_MOST_VALUES]
    return tuple(found for one in listed if (found := text_of(one)) is not None)


def gathered(claims: Claims, paths: Iterable[str]) -> frozenset[str]:
    """The names at all of `paths`."""
    return frozenset(one for path in paths for one in texts_of(at(claims, path)))


def words(claims: Claims, paths: Iterable[str]) -> frozenset[str]:
    """Scopes: the words of the first of `paths` that the claims have, a text or an array."""
    for path in paths:
        found = at(claims, path)
        if found is not None:
            return frozenset(word for one in _lines(found) for word in one.split(" ") if word)
    return frozenset()


def number_of(value: object) -> float | None:
    """A NumericDate (RFC 7519, section 2), in seconds since the epoch; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= 2**53 else None


def _lines(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    return texts_of(value)

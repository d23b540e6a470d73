"""Query styles: names and values, in a query string, or as they are in parts of a form."""

from collections.abc import Callable
from typing import Final, NamedTuple, cast

from bascule.gateway.tool import RestParameter, RestPart
from bascule.upstreams.rest.clashes import NOBODYS, Names, refuse_taken
from bascule.upstreams.rest.escapes import (
    IN_QUERY,
    NOT_ENCODED,
    RESERVED_IN_QUERY,
    Encoding,
    encode,
)
from bascule.upstreams.rest.values import Unwritable, items_of, leaves_of, pairs_of, to_text

Pairs = list[tuple[str, str]]
"""Names as they are, each with a value that is encoded already."""


class _Delimiter(NamedTuple):
    """What stands between items: as it is, encoded, and by its name."""

    plain: str
    encoded: str
    name: str


_DEEP_OBJECT: Final = "deepObject"
_DELIMITERS: Final = {
    "form": _Delimiter(",", ",", ""),
    "spaceDelimited": _Delimiter(" ", "%20", "a blank"),
    "pipeDelimited": _Delimiter("|", "%7C", "`|`"),
    "tabDelimited": _Delimiter("\t", "%09", "a tab"),
}
QUERY_STYLES: Final = frozenset({*_DELIMITERS, _DEEP_OBJECT})


def query_writer(
    parameter: RestParameter, taken: Names = NOBODYS
) -> Callable[[object], str | None]:
    """What writes `parameter` into a query string; its style is one of `QUERY_STYLES`.

    An object that sends a name that is `taken` is refused.
    """
    encoding = RESERVED_IN_QUERY if parameter.allow_reserved else IN_QUERY
    name, alone = encode(parameter.name), encoding.alone
    compound = _apart(
        _compound(
            parameter.name, parameter.style, encoding, explode=parameter.explode, is_encoded=True
        ),
        taken,
    )
    has_empty = parameter.allow_empty and parameter.style != _DEEP_OBJECT

    def write(value: object) -> str | None:
        if isinstance(value, str):
            return f"{name}={alone(value)}"
        if isinstance(value, list | dict):
            pairs = compound(cast("object", value))
            if not pairs and has_empty:
                return f"{name}="
            return "&".join([f"{encode(key)}={text}" for key, text in pairs]) or None
        return f"{name}={alone(to_text(value))}"

    return write


def plain_pairs(name: str, part: RestPart, taken: Names = NOBODYS) -> Callable[[object], Pairs]:
    """What names and values `part` has, with nothing encoded; its style is a query style.

    An object that sends a name that is `taken` is refused.

    Raises:
        LookupError: it is not.
    """
    compound = _apart(
        _compound(name, part.style, NOT_ENCODED, explode=part.explode, is_encoded=False), taken
    )

    def write(value: object) -> Pairs:
        if isinstance(value, list | dict):
            return compound(cast("object", value))
        return [] if value is None else [(name, to_text(value))]

    return write


def _apart(compound: Callable[[object], Pairs], taken: Names) -> Callable[[object], Pairs]:
    """`compound`, kept from names that are `taken`."""
    if not taken:
        return compound

    def write(value: object) -> Pairs:
        pairs = compound(value)
        if isinstance(value, dict):
            refuse_taken((name for name, _ in pairs), taken)
        return pairs

    return write


def _compound(
    name: str, style: str, encoding: Encoding, *, explode: bool, is_encoded: bool
) -> Callable[[object], Pairs]:
    """What is made of an array or object."""
    if style == _DEEP_OBJECT:
        return lambda value: [(key, encoding.alone(text)) for key, text in leaves_of(value, name)]
    delimiter = _DELIMITERS[style]
    glue = delimiter.encoded if is_encoded else delimiter.plain

    def exploded(value: object) -> Pairs:
        pairs = pairs_of(value) or [(name, text) for text in items_of(value) or ()]
        return [(key, encoding.alone(text)) for key, text in pairs]

    def joined(value: object) -> Pairs:
        texts = items_of(value)
        if texts is None:
            texts = [text for pair in pairs_of(value) or () for text in pair]
        if delimiter.name:
            _refuse_within(texts, delimiter)
        return [(name, glue.join(map(encoding.among, texts)))] if texts else []

    return exploded if explode else joined


def _refuse_within(texts: list[str], delimiter: _Delimiter) -> None:
    """Encoded or not, nobody can tell these from what separates items (OpenAPI 3.2, appendix E)."""
    if any(delimiter.plain in text for text in texts):
        raise Unwritable(f"must not hold {delimiter.name} within an item, as that separates items")

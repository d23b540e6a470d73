"""Parameter styles: the table of OpenAPI 3.2 "Style Examples", as functions.

A writer takes a value that is not null and gives its text on the wire, or None where there is
nothing to send: an array or object without anything in it (RFC 6570: undefined). Names are
encoded once, when a plan is compiled.
"""

from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import unquote_plus

from bascule.gateway.tool import ParameterLocation, RestParameter
from bascule.upstreams.rest.clashes import NOBODYS, Names, refuse_taken
from bascule.upstreams.rest.escapes import (
    IN_COOKIE,
    IN_HEADER,
    IN_PATH,
    RAW_IN_COOKIE,
    RESERVED_IN_COOKIE,
    RESERVED_IN_PATH,
    Encoding,
    check_header,
    encode,
    encode_in_cookie,
    encode_in_path,
)
from bascule.upstreams.rest.forms import plan_form
from bascule.upstreams.rest.queries import QUERY_STYLES, query_writer
from bascule.upstreams.rest.values import Unwritable, items_of, pairs_of, to_json, to_text

Writer = Callable[[object], str | None]


def writer_for(parameter: RestParameter, taken: Names = NOBODYS) -> Writer:
    """The writer of `parameter`; an object that sends a name that is `taken` is refused.

    Raises:
        LookupError: the location has no such style.
    """
    location, style = parameter.location, parameter.style
    if location is ParameterLocation.QUERY and style in QUERY_STYLES:
        return query_writer(parameter, taken)
    if location is ParameterLocation.COOKIE and style in _COOKIE_STYLES:
        return _cookie(parameter, taken)
    write = _MAKERS[location, style](parameter)
    if taken and location is ParameterLocation.QUERYSTRING and style == "form":
        return _apart(write, taken)
    return write


# How the items of these are told apart where they stand in a path, or in a header.
_PATH_DELIMITERS: Final = {
    "simple": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09",
}  # fmt: skip
_HEADER_DELIMITERS: Final = {
    "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t",
}  # fmt: skip
_NAMES: Final = {",": "a comma", " ": "a blank", "|": "`|`", "\t": "a tab", "=": "`=`"}


def _joined(value: object, encoding: Encoding, comma: str, glue: str) -> str | None:
    """A scalar, an array as `a,b`, or an object as `k=v,k=v`."""
    if isinstance(value, str):
        return encoding.alone(value)
    items = items_of(value)
    if items is not None:
        return comma.join(map(encoding.among, items)) if items else None
    pairs = pairs_of(value)
    if pairs is not None:
        put = encoding.among
        return comma.join(f"{put(name)}{glue}{put(text)}" for name, text in pairs) or None
    return encoding.alone(to_text(value))


def _in_path(parameter: RestParameter) -> Encoding:
    return RESERVED_IN_PATH if parameter.allow_reserved else IN_PATH


def _path_simple(parameter: RestParameter) -> Writer:
    comma = _PATH_DELIMITERS[parameter.style]
    encoding, glue = _in_path(parameter), "=" if parameter.explode else comma
    return lambda value: _joined(value, encoding, comma, glue)


def _path_label(parameter: RestParameter) -> Writer:
    comma, glue = (".", "=") if parameter.explode else (",", ",")
    encoding = _in_path(parameter)

    def write(value: object) -> str | None:
        text = _joined(value, encoding, comma, glue)
        return None if text is None else f".{text}"

    return write


def _path_matrix(parameter: RestParameter) -> Writer:
    name, explode, encoding = encode(parameter.name), parameter.explode, _in_path(parameter)

    def pair(key: str, text: str) -> str:
        # RFC 6570 section 3.2.7: nothing to the right of the name, not even the sign.
        return f";{key}={text}" if text else f";{key}"

    def write(value: object) -> str | None:
        items, pairs = items_of(value), pairs_of(value)
        if items is not None and explode:
            return "".join(pair(name, encoding.among(text)) for text in items)
        if pairs is not None and explode:
            return "".join(pair(encode(key), encoding.among(text)) for key, text in pairs)
        text = _joined(value, encoding, ",", ",")
        return None if text is None else pair(name, text)

    return write


def _path_json(_parameter: RestParameter) -> Writer:
    return lambda value: encode_in_path(to_json(value))


def _path_text(_parameter: RestParameter) -> Writer:
    return lambda value: encode_in_path(to_text(value))


def _header_simple(parameter: RestParameter) -> Writer:
    comma = _HEADER_DELIMITERS[parameter.style]
    glue = "=" if parameter.explode else comma

    def write(value: object) -> str | None:
        pairs = pairs_of(value)
        if pairs is not None:
            _refuse_within((text for pair in pairs for text in pair), dict.fromkeys((comma, glue)))
        else:
            _refuse_within(items_of(value) or (), (comma,))
        return _joined(value, IN_HEADER, comma, glue)

    return write


def _refuse_within(texts: Iterable[str], delimiters: Iterable[str]) -> None:
    """Nothing is encoded in a header, so nobody could tell these from what separates items."""
    for text in texts:
        for delimiter in delimiters:
            if delimiter in text:
                raise Unwritable(
                    f"must not hold {_NAMES[delimiter]} within an item or a name, as that "
                    "separates them in a header"
                )


def _header_json(_parameter: RestParameter) -> Writer:
    return to_json


def _header_text(_parameter: RestParameter) -> Writer:
    return lambda value: check_header(to_text(value))


_COOKIE_STYLES: Final = frozenset({"form", "cookie"})


def _in_cookie(parameter: RestParameter) -> Encoding:
    if parameter.style == "cookie":
        return RAW_IN_COOKIE
    return RESERVED_IN_COOKIE if parameter.allow_reserved else IN_COOKIE


def _cookie(parameter: RestParameter, taken: Names) -> Writer:
    """`name=value`; an exploded array or object is several cookies."""
    name, explode, encoding = parameter.name, parameter.explode, _in_cookie(parameter)

    def write(value: object) -> str | None:
        pairs = pairs_of(value)
        if taken and explode and pairs:
            refuse_taken((key for key, _ in pairs), taken)
        if explode and pairs is None:
            items = items_of(value)
            pairs = None if items is None else [(name, text) for text in items]
        if not explode or pairs is None:
            text = _joined(value, encoding, ",", ",")
            return None if text is None else f"{name}={text}"
        return "; ".join(f"{_cookie_name(key)}={encoding.among(text)}" for key, text in pairs)

    return write


def _cookie_name(name: str) -> str:
    if not name:
        raise Unwritable("must not have a member without a name, as it is sent as a cookie")
    return encode(name)


def _cookie_json(parameter: RestParameter) -> Writer:
    return lambda value: f"{parameter.name}={encode_in_cookie(to_json(value))}"


def _cookie_text(parameter: RestParameter) -> Writer:
    return lambda value: f"{parameter.name}={RAW_IN_COOKIE.alone(to_text(value))}"


def _query_json(parameter: RestParameter) -> Writer:
    name = encode(parameter.name)
    return lambda value: f"{name}={encode(to_json(value))}"


def _query_text(parameter: RestParameter) -> Writer:
    name = encode(parameter.name)
    return lambda value: f"{name}={encode(to_text(value))}"


def _whole_json(_parameter: RestParameter) -> Writer:
    return lambda value: encode(to_json(value))


def _whole_text(_parameter: RestParameter) -> Writer:
    return lambda value: encode(to_text(value))


def _apart(write: Writer, taken: Names) -> Writer:
    """`write` for a form, kept from names that are `taken` beside it."""

    def write_apart(value: object) -> str | None:
        text = write(value)
        if text:
            refuse_taken((unquote_plus(one.partition("=")[0]) for one in text.split("&")), taken)
        return text

    return write_apart


def _whole_form(parameter: RestParameter) -> Writer:
    write = plan_form(parameter.parts or {})
    return lambda value: write(value) or None


_MAKERS: Final[dict[tuple[ParameterLocation, str], Callable[[RestParameter], Writer]]] = {
    **{(ParameterLocation.PATH, style): _path_simple for style in _PATH_DELIMITERS},
    (ParameterLocation.PATH, "label"): _path_label,
    (ParameterLocation.PATH, "matrix"): _path_matrix,
    (ParameterLocation.PATH, "json"): _path_json,
    (ParameterLocation.PATH, "text"): _path_text,
    (ParameterLocation.QUERY, "json"): _query_json,
    (ParameterLocation.QUERY, "text"): _query_text,
    **{(ParameterLocation.HEADER, style): _header_simple for style in _HEADER_DELIMITERS},
    (ParameterLocation.HEADER, "json"): _header_json,
    (ParameterLocation.HEADER, "text"): _header_text,
    (ParameterLocation.COOKIE, "json"): _cookie_json,
    (ParameterLocation.COOKIE, "text"): _cookie_text,
    (ParameterLocation.QUERYSTRING, "json"): _whole_json,
    (ParameterLocation.QUERYSTRING, "text"): _whole_text,
    (ParameterLocation.QUERYSTRING, "form"): _whole_form,
}

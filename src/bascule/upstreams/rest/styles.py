"""Parameter styles: the table of OpenAPI 3.1.1 "Style Examples", as functions.

A writer takes a value that is not null and gives its text on the wire, or "" where there is
nothing to send. Names are encoded once, when a plan is compiled.
"""

from collections.abc import Callable, Iterable
from typing import Final

from bascule.gateway.tool import ParameterLocation, RestParameter
from bascule.upstreams.rest.values import (
    check_header,
    encode,
    encode_in_cookie,
    encode_in_path,
    items_of,
    leaves_of,
    pairs_of,
    to_json,
    to_text,
)

Writer = Callable[[object], str]
Encoder = Callable[[str], str]


def writer_for(parameter: RestParameter) -> Writer:
    """The writer of `parameter`.

    Raises:
        LookupError: the location has no such style.
    """
    return _MAKERS[parameter.location, parameter.style](parameter)


def _simple(parameter: RestParameter, encoder: Encoder) -> Writer:
    glue = "=" if parameter.explode else ","

    def write(value: object) -> str:
        return _joined(value, encoder, ",", glue)

    return write


def _joined(value: object, encoder: Encoder, comma: str, glue: str) -> str:
    """A scalar, an array as `a,b`, or an object as `k=v,k=v`."""
    items = items_of(value)
    if items is not None:
        return comma.join(map(encoder, items))
    pairs = pairs_of(value)
    if pairs is not None:
        return comma.join(f"{encoder(name)}{glue}{encoder(text)}" for name, text in pairs)
    return encoder(to_text(value))


def _path_simple(parameter: RestParameter) -> Writer:
    return _simple(parameter, encode_in_path)


def _path_label(parameter: RestParameter) -> Writer:
    comma, glue = (".", "=") if parameter.explode else (",", ",")

    def write(value: object) -> str:
        text = _joined(value, encode_in_path, comma, glue)
        return f".{text}" if text else ""

    return write


def _path_matrix(parameter: RestParameter) -> Writer:
    name, explode = encode(parameter.name), parameter.explode

    def pair(key: str, text: str) -> str:
        # RFC 6570 section 3.2.7: nothing to the right of the name, not even the sign.
        return f";{key}={encode_in_path(text)}" if text else f";{key}"

    def write(value: object) -> str:
        items, pairs = items_of(value), pairs_of(value)
        if items is not None and explode:
            return "".join(pair(name, text) for text in items)
        if pairs is not None and explode:
            return "".join(pair(encode_in_path(key), text) for key, text in pairs)
        if items is None and pairs is None:
            return pair(name, to_text(value))
        text = _joined(value, encode_in_path, ",", ",")
        return f";{name}={text}" if text else ""

    return write


def _delimited(parameter: RestParameter, comma: str) -> Writer:
    name, explode = encode(parameter.name), parameter.explode

    def write(value: object) -> str:
        if isinstance(value, str):
            return f"{name}={encode(value)}"
        items, pairs = items_of(value), pairs_of(value)
        if items is None and pairs is None:
            return f"{name}={encode(to_text(value))}"
        if not items and not pairs:
            return ""
        if explode:
            return _ampersands(pairs or [(parameter.name, text) for text in items or ()])
        return f"{name}={_joined(value, encode, comma, comma)}"

    return write


def _ampersands(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{encode(name)}={encode(text)}" for name, text in pairs)


def _form(parameter: RestParameter) -> Writer:
    return _delimited(parameter, ",")


def _space(parameter: RestParameter) -> Writer:
    return _delimited(parameter, "%20")


def _pipe(parameter: RestParameter) -> Writer:
    return _delimited(parameter, "%7C")


def _deep_object(parameter: RestParameter) -> Writer:
    """`name[key]=value`; nested objects add brackets, arrays repeat the key.

    OpenAPI leaves nesting open; this is what most servers and generated clients agree on.
    """

    def write(value: object) -> str:
        return _ampersands(
            (parameter.name + "".join(f"[{key}]" for key in keys), text)
            for keys, text in leaves_of(value)
        )

    return write


def _query_json(parameter: RestParameter) -> Writer:
    name = encode(parameter.name)
    return lambda value: f"{name}={encode(to_json(value))}"


def _path_json(_parameter: RestParameter) -> Writer:
    return lambda value: encode_in_path(to_json(value))


def _header_simple(parameter: RestParameter) -> Writer:
    return _simple(parameter, check_header)


def _header_json(_parameter: RestParameter) -> Writer:
    return to_json


def _cookie_form(parameter: RestParameter) -> Writer:
    """`name=value`; an exploded array or object is several cookies."""
    name, explode = parameter.name, parameter.explode

    def write(value: object) -> str:
        pairs = pairs_of(value)
        if explode and pairs is None:
            pairs = [(name, text) for text in items_of(value) or ()] or None
        if explode and pairs is not None:
            return "; ".join(f"{encode(key)}={encode_in_cookie(text)}" for key, text in pairs)
        return f"{name}={_joined(value, encode_in_cookie, ',', ',')}"

    return write


def _cookie_json(parameter: RestParameter) -> Writer:
    return lambda value: f"{parameter.name}={encode_in_cookie(to_json(value))}"


_MAKERS: Final[dict[tuple[ParameterLocation, str], Callable[[RestParameter], Writer]]] = {
    (ParameterLocation.PATH, "simple"): _path_simple,
    (ParameterLocation.PATH, "label"): _path_label,
    (ParameterLocation.PATH, "matrix"): _path_matrix,
    (ParameterLocation.PATH, "json"): _path_json,
    (ParameterLocation.QUERY, "form"): _form,
    (ParameterLocation.QUERY, "spaceDelimited"): _space,
    (ParameterLocation.QUERY, "pipeDelimited"): _pipe,
    (ParameterLocation.QUERY, "deepObject"): _deep_object,
    (ParameterLocation.QUERY, "json"): _query_json,
    (ParameterLocation.HEADER, "simple"): _header_simple,
    (ParameterLocation.HEADER, "json"): _header_json,
    (ParameterLocation.COOKIE, "form"): _cookie_form,
    (ParameterLocation.COOKIE, "json"): _cookie_json,
}

"""Request bodies from arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from bascule.gateway.tool import RestBody
from bascule.upstreams.rest.failures import unsupported_media
from bascule.upstreams.rest.media import essence, is_json
from bascule.upstreams.rest.values import Unwritable, encode, to_text

Arguments = Mapping[str, object]

_FORM = "application/x-www-form-urlencoded"
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class BodyPlan:
    """How the body of an operation is built. `write` gives None where there is none."""

    content_type: str
    write: Callable[[Arguments], bytes | None]


def plan_body(body: RestBody) -> BodyPlan:
    """Compile `body`.

    Raises:
        UnsupportedMedia: its media type is not built here.
    """
    kind = essence(body.media_type)
    if is_json(kind):
        write = _json_members(body) if body.argument is None else _json_value(body)
        return BodyPlan(body.media_type, write)
    if kind == _FORM and body.argument is None:
        return BodyPlan(_FORM, _form(body))
    if kind.startswith("text/") and body.argument is not None:
        return BodyPlan(f"{kind}; charset=utf-8", _text(body, body.argument))
    raise unsupported_media(body.media_type)


def _json_members(body: RestBody) -> Callable[[Arguments], bytes | None]:
    properties, required = tuple(body.properties.items()), body.required

    def write(arguments: Arguments) -> bytes | None:
        members = {wire: arguments[name] for name, wire in properties if name in arguments}
        return _encoder.encode(members) if members or required else None

    return write


def _json_value(body: RestBody) -> Callable[[Arguments], bytes | None]:
    argument, required = body.argument or "", body.required

    def write(arguments: Arguments) -> bytes | None:
        if argument in arguments:
            return _encoder.encode(arguments[argument])
        if required:
            raise Unwritable("is required")
        return None

    return write


def _text(body: RestBody, argument: str) -> Callable[[Arguments], bytes | None]:
    required = body.required

    def write(arguments: Arguments) -> bytes | None:
        value = arguments.get(argument)
        if value is None:
            if required:
                raise Unwritable("is required")
            return None
        return to_text(value).encode()

    return write


def _form(body: RestBody) -> Callable[[Arguments], bytes | None]:
    """Name and value pairs; an array repeats its name, an object is JSON (OpenAPI 3.1.1)."""
    properties = tuple((name, encode(wire)) for name, wire in body.properties.items())
    required = body.required

    def write(arguments: Arguments) -> bytes | None:
        pairs: list[str] = []
        for name, wire in properties:
            value = arguments.get(name)
            values: list[object] = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]
            pairs += [f"{wire}={encode(to_text(one))}" for one in values if one is not None]
        return "&".join(pairs).encode() if pairs or required else None

    return write

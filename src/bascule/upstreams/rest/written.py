"""What a body is once it is built, and the bodies that one argument makes."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from bascule.gateway.tool import RestBody
from bascule.upstreams.rest.values import Unwritable

Arguments: TypeAlias = Mapping[str, object]

Written: TypeAlias = tuple[str, bytes]
"""A Content-Type and a body of that type."""

BodyWriter: TypeAlias = Callable[[Arguments], Written | None]
"""What builds the body of an operation; gives None where there is none to send."""


def ordered_properties(body: RestBody) -> list[tuple[str, str]]:
    """Argument and name of each property, in the order they are sent in."""
    places = {name: place for place, name in enumerate(body.order)}
    return sorted(body.properties.items(), key=lambda one: places.get(one[1], len(places)))


def whole_body(
    body: RestBody, write: Callable[[object], Written], *, null_is_value: bool = False
) -> BodyWriter:
    """What makes the body of the one argument that it is."""
    argument, required = body.argument or "", body.required

    def write_whole(arguments: Arguments) -> Written | None:
        value = arguments.get(argument)
        if value is not None or (null_is_value and argument in arguments):
            return write(value)
        if required:
            raise Unwritable("is required")
        return None

    return write_whole

"""Forms: names and values as `application/x-www-form-urlencoded` has them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, cast

from bascule.gateway.tool import ParameterLocation, RestParameter, RestPart
from bascule.upstreams.rest.clashes import NOBODYS, Names
from bascule.upstreams.rest.escapes import encode_in_form
from bascule.upstreams.rest.media import essence, is_json
from bascule.upstreams.rest.queries import query_writer
from bascule.upstreams.rest.values import UNWRITABLE, Unwritable, blame, to_json, to_text

PairWriter = Callable[[object], str]
"""What writes the value of one property: pairs with `&` between them, "" for nothing."""

_PLAIN: Final = RestPart()


def pair_writer(name: str, part: RestPart, taken: Names = NOBODYS) -> PairWriter:
    """What writes the property `name`; an object that sends a name that is `taken` is refused.

    Raises:
        LookupError: there is no such style.
    """
    if part.style:
        styled = query_writer(
            RestParameter(
                name, name, ParameterLocation.QUERY, part.style, part.explode,
                allow_reserved=part.allow_reserved,
            ),
            taken,
        )  # fmt: skip
        return lambda value: "" if value is None else styled(value) or ""
    wire = encode_in_form(name)
    is_one_json = bool(part.content_types) and is_json(essence(part.content_types[0]))
    to_form = to_json if is_one_json else to_text

    def write(value: object) -> str:
        values = cast("list[object]", value) if isinstance(value, list) else [value]
        return "&".join(
            [f"{wire}={encode_in_form(to_form(one))}" for one in values if one is not None]
        )

    return write


def plan_form(parts: Mapping[str, RestPart]) -> Callable[[object], str]:
    """What writes a whole form from an object; members that `parts` does not name are plain."""
    writers = {name: pair_writer(name, part) for name, part in parts.items()}

    def write(value: object) -> str:
        if not isinstance(value, dict):
            raise Unwritable("must be an object, as it is sent as a form")
        return join_pairs(
            (name, writers.get(name) or pair_writer(name, _PLAIN), member)
            for name, member in cast("dict[str, object]", value).items()
        )

    return write


def join_pairs(members: Iterable[tuple[str, PairWriter, object]]) -> str:
    """Write each value with its writer; the first of each three is who is to blame."""
    written: list[str] = []
    for argument, write, value in members:
        try:
            pairs = write(value)
        except UNWRITABLE as error:
            raise blame(error, argument) from None
        if pairs:
            written.append(pairs)
    return "&".join(written)

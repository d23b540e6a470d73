"""Which media types are asked for, and whether an answer may come piece by piece."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.media import essence, kind_of
from bascule.catalogue.openapi.operations import Operation
from bascule.gateway.tool import BodyKind

_SUCCESS: Final = re.compile(r"2(?:\d\d|XX)")
_JSON: Final = "application/json"
_EVENTS: Final = "text/event-stream"
_ANYTHING_ELSE: Final = "*/*;q=0.1"
_MOST_TYPES: Final = 12
_LONGEST_TYPE: Final = 100


@dataclass(frozen=True, slots=True)
class Negotiation:
    """`accept` is a value for that header; "" asks for JSON and nothing else."""

    accept: str = ""
    streams: bool = False


def negotiate(operation: Operation, context: Context) -> Negotiation:
    """What to ask for, from the media types of the answers of success.

    JSON wherever it is offered; other types only where it is not, and sequences beside it.
    """
    wanted: dict[str, None] = {}
    for content in _contents(operation, context):
        offered = [one.strip() for one in content.members if kind_of(one) is not None]
        sequences = [one for one in offered if is_sequence(one)]
        json = [one for one in offered if kind_of(one) is BodyKind.JSON]
        for media_type in [*_preferred(json), *sequences] if json else offered:
            if len(media_type) <= _LONGEST_TYPE:
                wanted.setdefault(media_type)
    types = sorted(wanted, key=lambda one: one != _JSON)[:_MOST_TYPES]
    streams = any(is_sequence(one) for one in types)
    if not types or types == [_JSON]:
        return Negotiation()
    return Negotiation(", ".join([*types, _ANYTHING_ELSE]), streams)


def is_sequence(media_type: str) -> bool:
    """Is it one of events or JSON texts, one after the other (OpenAPI 3.2)?"""
    return kind_of(media_type) is BodyKind.LINES or essence(media_type) == _EVENTS


def _preferred(json: list[str]) -> list[str]:
    plain = [one for one in json if essence(one) == _JSON or "*" in one]
    return [_JSON] if plain else json[:1]


def _contents(operation: Operation, context: Context) -> Iterator[Node]:
    """The `content` of each answer of success; where none is named, of the default one."""
    responses = operation.node.get("responses")
    declared = dict(responses.children()) if responses else {}
    named = [one for status, one in declared.items() if _SUCCESS.fullmatch(status.upper())]
    for reference in named or [declared[one] for one in ("default",) if one in declared]:
        try:
            content = context.document.follow(reference).get("content")
        except Unconvertible:
            continue  # said where its schema is read
        if content is not None:
            yield content

"""A request's head as judged once, and the whole answer to a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from bascule.gateway.call import Endpoint

HeaderList: TypeAlias = list[tuple[bytes, bytes]]
"""Names in lower case, and values, in the order they came or go."""


class Reply(NamedTuple):
    """A complete response; Content-Length is added by who sends it."""

    status: int
    body: bytes
    headers: HeaderList


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a request says, whatever its body.

    Of a header that came repeatedly `headers` has the last, `all_headers` every one. `refusal` is
    set where the request is turned away unread. Where the same head comes again on a connection,
    this is kept until then, secrets included.
    """

    endpoint: Endpoint
    headers: Mapping[bytes, bytes] = field(repr=False)
    all_headers: HeaderList = field(repr=False)
    credential: str | None = field(repr=False)
    correlation_id: str | None
    refusal: Reply | None = None

"""A request's head as judged once, and the whole answer to a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from bascule.gateway.call import Call, Endpoint, Method, Outcome, Result
from bascule.gateway.errors import ErrorCode
from bascule.gateway.kernel import Answer
from bascule.gateway.scopes import BASIC
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse
from bascule.protocol.results import encode_error
from bascule.transports.authentication import (
    WWW_AUTHENTICATE,
    challenge_of,
    challenge_to,
    objection_to,
)
from bascule.transports.peers import NOBODY, Peer
from bascule.transports.rendering import http_status

JSON: Final = (b"content-type", b"application/json")

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

    Of a header that came repeatedly `headers` has the last, `all_headers` every one; secrets are
    blanked in `headers`. `refusal` is set where the request is turned away unread. Where the same
    head comes again on a connection, this is kept until then, secrets included.
    """

    endpoint: Endpoint
    headers: Mapping[bytes, bytes] = field(repr=False)
    all_headers: HeaderList = field(repr=False)
    credential: str | None = field(repr=False)
    correlation_id: str | None
    refusal: Reply | None = None
    accepts_events: bool = True
    resource: str = ""
    """As `Call.resource`."""
    origin: Peer = NOBODY
    """Whom the request comes from, which behind a trusted proxy is not the peer."""
    host: str = ""
    """As `Call.host`."""


_CHALLENGING: Final = frozenset({401, 403})
_NOT_ANSWERED: Final = frozenset({Method.NOTIFICATION, Method.RESPONSE})


def reply_to(call: Call, answer: Answer) -> Reply:
    """The whole response that brings `answer`."""
    if call.method in _NOT_ANSWERED and isinstance(answer.outcome, Result):
        return Reply(202, b"", [])
    status = http_status(call, answer.outcome)
    headers = _headers(call, status)
    if status == 429:
        headers.extend(_wait(answer.outcome))
    if status in _CHALLENGING:
        asked = challenge_to(call, answer.outcome)
        if asked is not None:
            headers.append((WWW_AUTHENTICATE, asked))
    return Reply(status, answer.body, headers)


def turned_away(status: int, error: ErrorCode, text: str, *more: tuple[bytes, bytes]) -> Reply:
    """The response to a request that is refused unread."""
    body = encode_error(None, error.rpc_code, text, {"code": error.code})
    return Reply(status, body, [JSON, *more])


def misplaced(
    all_headers: HeaderList, query: bytes, resource: str, host: str, snapshot: Snapshot
) -> Reply | None:
    """The refusal of a request whose credential comes twice, or in its address; None for others."""
    objection = objection_to(all_headers, query)
    if objection is None:
        return None
    error, text = objection
    asked = challenge_of(Refuse(error, text, text), resource, host, snapshot, BASIC)
    more = [] if asked is None else [(WWW_AUTHENTICATE, asked)]
    return turned_away(error.http_status, error, text, *more)


def _wait(outcome: Outcome) -> HeaderList:
    """When to come again, in whole seconds (RFC 9110 section 10.2.3), where that is known."""
    if not isinstance(outcome, Refuse):
        return []
    seconds = (outcome.details or {}).get("retry_after_seconds")
    return [(b"retry-after", b"%d" % seconds)] if isinstance(seconds, int) else []


def _headers(call: Call, status: int) -> HeaderList:
    headers = [JSON, (b"x-correlation-id", call.correlation_id.encode())]
    if status == 413:
        headers.append((b"connection", b"close"))
    elif status == 503:
        headers.append((b"retry-after", b"5"))
    return headers

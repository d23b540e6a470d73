"""MCP over Streamable HTTP, both eras on one endpoint.

Sources: specification 2026-07-28 basic/transports/streamable-http; 2025-11-25 basic/transports.
Legacy clients are served without sessions: nothing here needs one, and the id is optional.
"""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bascule.gateway.call import Call, Endpoint, Method, Result
from bascule.gateway.errors import ErrorCode
from bascule.gateway.identifiers import Identifiers, accepted_correlation_id
from bascule.gateway.kernel import Answer, Gateway
from bascule.gateway.verdict import Refuse
from bascule.protocol.results import Identity, encode_error
from bascule.protocol.versions import Era
from bascule.transports.access import Door, door_header_repeated
from bascule.transports.asgi import Receive, Scope, Send, respond
from bascule.transports.bodies import BodyTooLarge, ClientGone, read_body
from bascule.transports.disconnect import DisconnectWatch, Sweep
from bascule.transports.reading import read_call
from bascule.transports.rendering import http_status, renderer
from bascule.transports.reply import Head, HeaderList, Reply

_LONGEST_KIND: Final = 512
_JSON: Final = (b"content-type", b"application/json")
_ACCEPTABLE: Final = (b"application/json", b"application/*", b"*/*")


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """Bounds of one request."""

    max_body_bytes: int = 1_048_576
    request_timeout_seconds: float = 30.0


class StreamableHttp:
    """The ASGI endpoint of MCP. One instance serves every path; `endpoint` says which slice."""

    def __init__(
        self, gateway: Gateway, door: Door, identity: Identity, config: HttpConfig
    ) -> None:
        self._gateway = gateway
        self._door = door
        self._config = config
        self._render = renderer(identity)
        self._identifiers = Identifiers()
        self._sweep = Sweep()
        self.max_body_bytes = config.max_body_bytes

    async def serve(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request for `endpoint`."""
        head = self.judge(endpoint, scope["method"], scope["headers"])
        if head.refusal is not None:
            await respond(send, *head.refusal)
            return
        client = scope.get("client")
        peer = client[0] if client else ""
        claimed = head.headers.get(b"content-length")
        try:
            body = await read_body(receive, claimed, self._config.max_body_bytes)
        except ClientGone:
            return
        except BodyTooLarge:
            body = None
        watch = DisconnectWatch(receive, self._sweep)
        reply = await self.answer(head, body, peer, watch)
        if reply is not None:
            await respond(send, *reply)

    def judge(self, endpoint: Endpoint, method: str, all_headers: HeaderList) -> Head:
        """Judge a request by its head; the same head is always judged the same."""
        headers = dict(all_headers)
        return Head(
            endpoint,
            headers,
            all_headers,
            _bearer(headers.get(b"authorization")),
            accepted_correlation_id(headers.get(b"x-correlation-id")),
            self._turn_away(method, headers, all_headers),
        )

    async def answer(
        self, head: Head, body: bytes | None, peer: str, watch: AbstractContextManager[object]
    ) -> Reply | None:
        """Answer a request whose head is not refused; `body` is None where it is too large.

        A modern call runs inside `watch`, which may cancel it; where it did, there is no answer.
        """
        now = time.monotonic()
        call = Call(
            method=Method.MALFORMED,
            correlation_id=head.correlation_id or self._identifiers.next(),
            endpoint=head.endpoint,
            credential=head.credential,
            peer=peer,
            arrived=now,
            deadline=now + self._config.request_timeout_seconds,
        )
        if body is None:
            call.fault = self._too_large()
        else:
            call.request_bytes = len(body)
            read_call(call, body, head.headers, head.all_headers)
        if call.era is Era.LEGACY:
            # A legacy disconnect is not a cancellation (2025-11-25 basic/transports).
            return _reply(call, await self._gateway.handle(call, self._render))
        with watch:
            return _reply(call, await self._gateway.handle(call, self._render))
        return None

    def _turn_away(
        self, method: str, headers: Mapping[bytes, bytes], all_headers: HeaderList
    ) -> Reply | None:
        reason = self._door.admits(headers.get(b"host"), headers.get(b"origin"))
        if len(headers) != len(all_headers) and door_header_repeated(all_headers):
            reason = "Host or Origin came more than once"
        if reason is not None:
            return _refusal(403, ErrorCode.ORIGIN_REFUSED, f"Refused: {reason}.")
        if method != "POST":
            text = "MCP is spoken by POST here; there is no stream to open with GET."
            return _refusal(405, ErrorCode.INVALID_REQUEST, text, (b"allow", b"POST"))
        if not _is_json(headers.get(b"content-type", b"")[:_LONGEST_KIND]):
            text = "Send the message as Content-Type: application/json."
            return _refusal(415, ErrorCode.UNSUPPORTED_MEDIA, text)
        if not _accepts_json(headers.get(b"accept", b"*/*")[:_LONGEST_KIND]):
            text = "Send Accept: application/json, text/event-stream."
            return _refusal(406, ErrorCode.INVALID_REQUEST, text)
        return None

    def _too_large(self) -> Refuse:
        limit = self._config.max_body_bytes
        return Refuse(
            ErrorCode.TOO_LARGE,
            public=f"The message is larger than {limit} bytes. Send less, or have an operator "
            "raise server.max_body_bytes.",
            private="body over the limit",
            details={"max_body_bytes": limit},
        )


@lru_cache(maxsize=64)
def _is_json(content_type: bytes) -> bool:
    return content_type.split(b";", 1)[0].strip().lower() == b"application/json"


@lru_cache(maxsize=64)
def _accepts_json(accept: bytes) -> bool:
    return any(kind in accept.lower() for kind in _ACCEPTABLE)


def _bearer(header: bytes | None) -> str | None:
    if header is None:
        return None
    scheme, _, credential = header.decode("latin-1").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else None


def _refusal(status: int, error: ErrorCode, text: str, *more: tuple[bytes, bytes]) -> Reply:
    body = encode_error(None, error.rpc_code, text, {"code": error.code})
    return Reply(status, body, [_JSON, *more])


def _reply(call: Call, answer: Answer) -> Reply:
    if call.method is Method.NOTIFICATION and isinstance(answer.outcome, Result):
        return Reply(202, b"", [])
    status = http_status(call, answer.outcome)
    return Reply(status, answer.body, _headers(call, status))


def _headers(call: Call, status: int) -> list[tuple[bytes, bytes]]:
    headers = [_JSON, (b"x-correlation-id", call.correlation_id.encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="bascule"'))
    elif status == 413:
        headers.append((b"connection", b"close"))
    elif status == 503:
        headers.append((b"retry-after", b"5"))
    return headers

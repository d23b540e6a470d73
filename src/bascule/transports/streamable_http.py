"""MCP over Streamable HTTP, both eras on one endpoint.

Sources: specification 2026-07-28 basic/transports/streamable-http; 2025-11-25 basic/transports.
Legacy clients are served without sessions: nothing here needs one, and the id is optional.
"""

import time
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

    async def serve(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request for `endpoint`."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        refused = self._turn_away(scope, headers)
        if refused is not None:
            await respond(send, *refused)
            return
        call = self._new_call(endpoint, scope, headers)
        try:
            body = await read_body(
                receive, headers.get(b"content-length"), self._config.max_body_bytes
            )
        except ClientGone:
            return
        except BodyTooLarge:
            call.fault = self._too_large()
        else:
            call.request_bytes = len(body)
            read_call(call, body, headers, scope["headers"])
        answer = await self._answer(call, receive)
        if answer is None:
            return
        if call.method is Method.NOTIFICATION and isinstance(answer.outcome, Result):
            await respond(send, 202, b"", [])
        else:
            status = http_status(call, answer.outcome)
            await respond(send, status, answer.body, _headers(call, status))

    async def _answer(self, call: Call, receive: Receive) -> Answer | None:
        if call.era is Era.LEGACY:
            # A legacy disconnect is not a cancellation (2025-11-25 basic/transports).
            return await self._gateway.handle(call, self._render)
        with DisconnectWatch(receive, self._sweep):
            return await self._gateway.handle(call, self._render)
        return None

    def _turn_away(
        self, scope: Scope, headers: dict[bytes, bytes]
    ) -> tuple[int, bytes, list[tuple[bytes, bytes]]] | None:
        reason = self._door.admits(headers.get(b"host"), headers.get(b"origin"))
        if len(headers) != len(scope["headers"]) and door_header_repeated(scope["headers"]):
            reason = "Host or Origin came more than once"
        if reason is not None:
            return 403, _error(ErrorCode.ORIGIN_REFUSED, f"Refused: {reason}."), [_JSON]
        if scope["method"] != "POST":
            text = "MCP is spoken by POST here; there is no stream to open with GET."
            return 405, _error(ErrorCode.INVALID_REQUEST, text), [_JSON, (b"allow", b"POST")]
        if not _is_json(headers.get(b"content-type", b"")[:_LONGEST_KIND]):
            text = "Send the message as Content-Type: application/json."
            return 415, _error(ErrorCode.UNSUPPORTED_MEDIA, text), [_JSON]
        if not _accepts_json(headers.get(b"accept", b"*/*")[:_LONGEST_KIND]):
            text = "Send Accept: application/json, text/event-stream."
            return 406, _error(ErrorCode.INVALID_REQUEST, text), [_JSON]
        return None

    def _new_call(self, endpoint: Endpoint, scope: Scope, headers: dict[bytes, bytes]) -> Call:
        now = time.monotonic()
        client = scope.get("client")
        return Call(
            method=Method.MALFORMED,
            correlation_id=accepted_correlation_id(headers.get(b"x-correlation-id"))
            or self._identifiers.next(),
            endpoint=endpoint,
            credential=_bearer(headers.get(b"authorization")),
            peer=client[0] if client else "",
            arrived=now,
            deadline=now + self._config.request_timeout_seconds,
        )

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


def _error(error: ErrorCode, text: str) -> bytes:
    return encode_error(None, error.rpc_code, text, {"code": error.code})


def _headers(call: Call, status: int) -> list[tuple[bytes, bytes]]:
    headers = [_JSON, (b"x-correlation-id", call.correlation_id.encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="bascule"'))
    elif status == 413:
        headers.append((b"connection", b"close"))
    elif status == 503:
        headers.append((b"retry-after", b"5"))
    return headers

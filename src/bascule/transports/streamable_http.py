"""MCP over Streamable HTTP, both eras on one endpoint.

Sources: specification 2026-07-28 basic/transports/streamable-http; 2025-11-25 basic/transports.
What only the handshake era has is in `legacy_http`; its sessions are optional, here and there.
"""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from bascule.gateway.call import NOTHING_MORE, Call, Endpoint, EndpointKind, Method, Result
from bascule.gateway.errors import ErrorCode
from bascule.gateway.identifiers import Identifiers, accepted_correlation_id
from bascule.gateway.kernel import Gateway
from bascule.gateway.verdict import Refuse
from bascule.protocol.results import Identity
from bascule.protocol.versions import Era
from bascule.transports.access import Door, door_header_repeated, host_of
from bascule.transports.asgi import AsgiOutlet, Receive, Scope, Send, respond
from bascule.transports.authentication import bearer
from bascule.transports.backchannels import EventStream, LazyStream
from bascule.transports.bodies import BodyTooLarge, ClientGone, read_body
from bascule.transports.disconnect import DisconnectWatch, Sweep
from bascule.transports.legacy_http import LegacyHttp
from bascule.transports.listening import Listening
from bascule.transports.outlet import Outlet
from bascule.transports.parameters import streams
from bascule.transports.paths import pinned_bundle
from bascule.transports.peers import NOBODY, Peer, peer_in
from bascule.transports.places import Place, endpoint_path
from bascule.transports.proxies import REPEATED, CertificateRepeated
from bascule.transports.reading import era_by_header, read_call
from bascule.transports.rendering import renderer
from bascule.transports.reply import Head, HeaderList, Reply, misplaced, reply_to, turned_away
from bascule.transports.sessions import Sessions
from bascule.transports.sse import KeepAlive

_LONGEST_KIND: Final = 512
_ACCEPTABLE: Final = (b"application/json", b"application/*", b"*/*")
_EVENTS: Final = (b"text/event-stream", b"text/*", b"*/*")
_SECRET_HEADERS: Final = (b"authorization", b"cookie", b"proxy-authorization")


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """Bounds of one request."""

    max_body_bytes: int = 1_048_576
    request_timeout_seconds: float = 30.0
    keep_alive_seconds: float = 15.0
    place: Place = field(default_factory=Place)


class StreamableHttp:
    """The ASGI endpoint of MCP. One instance serves every path; `endpoint` says which slice."""

    def __init__(
        self,
        gateway: Gateway,
        door: Door,
        identity: Identity,
        config: HttpConfig,
        sessions: Sessions | None = None,
    ) -> None:
        """Without `sessions` legacy clients are served without them, and by POST only."""
        self._gateway = gateway
        self._door = door
        self._config = config
        self._render = renderer(identity)
        self._identifiers = Identifiers()
        self._sweep = Sweep()
        self._keep_alive = KeepAlive(config.keep_alive_seconds)
        self._listening = Listening()
        self._has_sessions = sessions is not None
        self._legacy = LegacyHttp(gateway, self._render, self._new_call, self._keep_alive, sessions)
        self.max_body_bytes = config.max_body_bytes

    def drain(self) -> None:
        """End the streams that would not end by themselves; calls under way go on."""
        self._listening.drain()
        self._legacy.drain()

    async def serve(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request for `endpoint`."""
        method: str = scope["method"]
        head = self.judge(endpoint, method, scope["headers"], peer_in(scope))
        refusal = head.refusal
        query: bytes = scope.get("query_string", b"")
        if refusal is None and query:
            snapshot = self._gateway.snapshot
            refusal = misplaced(head.all_headers, query, head.resource, head.host, snapshot)
        if refusal is not None:
            await respond(send, *refusal)
            return
        outlet = AsgiOutlet(send)
        watch = DisconnectWatch(receive, self._sweep)
        if method == "POST":
            try:
                body = await self._read(receive, head)
            except ClientGone:
                return
            reply = await self.answer(head, body, watch, outlet)
        elif method == "GET":
            reply = await self._legacy.stream(head, watch, outlet)
        else:
            reply = await self._legacy.end(head)
        if reply is not None and not outlet.begun:
            await respond(send, *reply)
        elif outlet.begun:
            await outlet.finished()

    async def _read(self, receive: Receive, head: Head) -> bytes | None:
        """The body; None for one that is too large."""
        claimed = head.headers.get(b"content-length")
        try:
            return await read_body(receive, claimed, self._config.max_body_bytes)
        except BodyTooLarge:
            return None

    def judge(
        self, endpoint: Endpoint, method: str, all_headers: HeaderList, peer: Peer = NOBODY
    ) -> Head:
        """Judge a request by its head; the same head of the same peer is always judged the same."""
        headers = dict(all_headers)
        credential = bearer(headers.get(b"authorization"))
        scheme = self._door.proxies.scheme(peer, all_headers)
        path, host = endpoint_path(endpoint), host_of(headers.get(b"host"))
        resource = self._config.place.resource(headers.get(b"host"), path, scheme)
        refusal = self._turn_away(method, headers, all_headers)
        if refusal is None and len(headers) != len(all_headers):
            refusal = misplaced(all_headers, b"", resource, host, self._gateway.snapshot)
        origin = peer
        try:
            origin = self._door.proxies.origin(peer, all_headers)
        except CertificateRepeated:
            refusal = refusal or turned_away(400, ErrorCode.INVALID_REQUEST, REPEATED)
        # Whoever is given the headers to look something up must not find secrets there.
        headers |= {name: b"" for name in _SECRET_HEADERS if name in headers}
        if endpoint.kind is EndpointKind.BUNDLE:
            endpoint = pinned_bundle(endpoint, headers)
        return Head(
            endpoint,
            headers,
            all_headers,
            credential,
            accepted_correlation_id(headers.get(b"x-correlation-id")),
            refusal,
            _accepts_events(headers.get(b"accept", b"*/*")[:_LONGEST_KIND]),
            resource,
            origin,
            host,
        )

    async def answer(
        self,
        head: Head,
        body: bytes | None,
        watch: AbstractContextManager[object],
        outlet: Outlet,
    ) -> Reply | None:
        """Answer a request whose head is not refused; `body` is None where it is too large.

        A modern call runs inside `watch`, which may cancel it; where it did, there is no answer.
        None, too, where the answer went through `outlet`.
        """
        call = self._new_call(head)
        message = None
        if body is None:
            call.fault = self._too_large()
        else:
            call.request_bytes = len(body)
            message = read_call(call, body, head.headers, head.all_headers)
        if call.era is Era.LEGACY:
            return await self._legacy.post(call, message, head, body or b"", outlet)
        if call.more is not NOTHING_MORE and streams(call.more):
            return await self._stream(call, head, watch, outlet)
        with watch:
            return reply_to(call, await self._gateway.handle(call, self._render))
        return None

    async def _stream(
        self, call: Call, head: Head, watch: AbstractContextManager[object], outlet: Outlet
    ) -> Reply | None:
        """Answer a request whose caller wants to be told something before its result."""
        if not head.accepts_events:
            if call.method is Method.LISTEN and call.fault is None:
                call.fault = _NO_EVENTS
            with watch:
                return reply_to(call, await self._gateway.handle(call, self._render))
            return None
        stream = EventStream(outlet, self._keep_alive, call.correlation_id)
        call.back = back = LazyStream(call, stream)
        try:
            with watch:
                answer = await self._gateway.handle(call, self._render)
                if isinstance(answer.outcome, Result) and answer.outcome.feed is not None:
                    await self._listening.serve(answer.outcome.feed, stream, call.message_id)
                return back.conclude(reply_to(call, answer))
            return None
        finally:
            back.give_up()

    def _new_call(self, head: Head) -> Call:
        now = time.monotonic()
        origin = head.origin
        return Call(
            method=Method.MALFORMED,
            correlation_id=head.correlation_id or self._identifiers.next(),
            endpoint=head.endpoint,
            credential=head.credential,
            certificate=origin.certificate,
            host=head.host,
            resource=head.resource,
            peer=origin.address,
            arrived=now,
            deadline=now + self._config.request_timeout_seconds,
        )

    def _turn_away(
        self, method: str, headers: Mapping[bytes, bytes], all_headers: HeaderList
    ) -> Reply | None:
        reason = self._door.admits(headers.get(b"host"), headers.get(b"origin"))
        if len(headers) != len(all_headers) and door_header_repeated(all_headers):
            reason = "Host or Origin came more than once"
        if reason is not None:
            return turned_away(403, ErrorCode.ORIGIN_REFUSED, f"Refused: {reason}.")
        accept = headers.get(b"accept", b"*/*")[:_LONGEST_KIND]
        if method != "POST":
            return self._turn_away_other(method, headers, accept)
        if not _is_json(headers.get(b"content-type", b"")[:_LONGEST_KIND]):
            text = "Send the message as Content-Type: application/json."
            return turned_away(415, ErrorCode.UNSUPPORTED_MEDIA, text)
        if not _accepts_json(accept):
            text = "Send Accept: application/json, text/event-stream."
            return turned_away(406, ErrorCode.INVALID_REQUEST, text)
        return None

    def _turn_away_other(
        self, method: str, headers: Mapping[bytes, bytes], accept: bytes
    ) -> Reply | None:
        """GET and DELETE are for the sessions of the handshake era only."""
        if not self._has_sessions or method not in {"GET", "DELETE"}:
            allow = b"POST, GET, DELETE" if self._has_sessions else b"POST"
            text = f"{method} means nothing here; MCP is spoken by POST."
            return turned_away(405, ErrorCode.INVALID_REQUEST, text, (b"allow", allow))
        if era_by_header(headers) is Era.MODERN:
            text = "This revision is spoken by POST only; subscriptions/listen opens a stream."
            return turned_away(405, ErrorCode.INVALID_REQUEST, text, (b"allow", b"POST"))
        if method == "GET" and not _accepts_events(accept):
            text = "Send Accept: text/event-stream."
            return turned_away(406, ErrorCode.INVALID_REQUEST, text)
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


@lru_cache(maxsize=64)
def _accepts_events(accept: bytes) -> bool:
    return any(kind in accept.lower() for kind in _EVENTS)


_NO_EVENTS: Final = Refuse(
    ErrorCode.INVALID_REQUEST,
    "A subscription is answered as a stream: send Accept: application/json, text/event-stream.",
    "no stream is acceptable",
)

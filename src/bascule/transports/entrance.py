"""Who may open a channel, judged before anything is opened: Host, Origin, and the key."""

import time
from collections.abc import Mapping
from typing import Final

from bascule.gateway.call import Call, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.identifiers import Identifiers, accepted_correlation_id
from bascule.gateway.kernel import Gateway
from bascule.gateway.principal import Principal
from bascule.gateway.verdict import Refuse
from bascule.protocol.results import Identity, encode_error
from bascule.protocol.versions import Era
from bascule.transports.access import Door, door_header_repeated, host_of
from bascule.transports.asgi import Scope
from bascule.transports.authentication import WWW_AUTHENTICATE, bearer, challenge_to
from bascule.transports.channel import Caller, DuplexConfig
from bascule.transports.duplex import Duplex
from bascule.transports.paths import door_at
from bascule.transports.peers import peer_in
from bascule.transports.places import Place, door_path
from bascule.transports.proxies import REPEATED, CertificateRepeated
from bascule.transports.rendering import renderer
from bascule.transports.reply import HeaderList, Reply, misplaced

_JSON: Final = (b"content-type", b"application/json")


class Entrance:
    """The same rules for every kind of channel, and for every request that belongs to one."""

    def __init__(
        self,
        gateway: Gateway,
        door: Door,
        identity: Identity,
        config: DuplexConfig,
        place: Place | None = None,
    ) -> None:
        self._gateway = gateway
        self._place = place or Place()
        self._door = door
        self._identity = identity
        self._render = renderer(identity)
        self._ids = Identifiers()
        self.config = config

    def turn_away(self, all_headers: HeaderList) -> Reply | None:
        """The refusal of a request by its Host or Origin; None where both are acceptable."""
        headers = dict(all_headers)
        reason = self._door.admits(headers.get(b"host"), headers.get(b"origin"))
        if door_header_repeated(all_headers):
            reason = "Host or Origin came more than once"
        return None if reason is None else refusal(ErrorCode.ORIGIN_REFUSED, f"Refused: {reason}.")

    async def admit(self, scope: Scope) -> tuple[Caller, Principal] | Reply:
        """Identify who sends this request; strangers get the refusal every other caller gets."""
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        found = door_at(scope["path"])
        if found is None:
            return refusal(ErrorCode.NOT_FOUND, "There is nothing here; MCP is at /mcp.")
        scheme = self._door.proxies.scheme(peer_in(scope), scope["headers"])
        resource = self._place.resource(headers.get(b"host"), door_path(found), scheme)
        query, host = scope.get("query_string", b""), host_of(headers.get(b"host"))
        snapshot = self._gateway.snapshot
        refused = misplaced(scope["headers"], query, resource, host, snapshot)
        if refused is not None:
            return refused
        try:
            origin = self._door.proxies.origin(peer_in(scope), scope["headers"])
        except CertificateRepeated:
            return refusal(ErrorCode.INVALID_REQUEST, REPEATED)
        caller = Caller(
            found.endpoint,
            origin.address,
            bearer(headers.get(b"authorization")),
            origin.certificate,
            host,
            resource,
        )
        now = time.monotonic()
        call = Call(
            method=Method.PING,
            correlation_id=accepted_correlation_id(headers.get(b"x-correlation-id"))
            or self._ids.next(),
            era=Era.LEGACY,
            endpoint=caller.endpoint,
            credential=caller.credential,
            certificate=caller.certificate,
            host=caller.host,
            resource=caller.resource,
            peer=caller.peer,
            arrived=now,
            deadline=now + self.config.request_timeout_seconds,
        )
        answer = await self._gateway.handle(call, self._render)
        if isinstance(answer.outcome, Refuse):
            return _refused(call, answer.body, answer.outcome)
        if call.principal is None:
            raise RuntimeError("a call was let pass without a principal")
        return caller, call.principal

    def converse(self, caller: Caller) -> Duplex:
        """Begin a conversation with who was admitted."""
        return Duplex(self._gateway, self._identity, caller, self.config)


def refusal(error: ErrorCode, text: str, status: int | None = None) -> Reply:
    """A refusal before any message was read."""
    body = encode_error(None, error.rpc_code, text, {"code": error.code})
    return Reply(status or error.http_status, body, [_JSON])


def whose(principal: Principal) -> tuple[str, str]:
    """Whose the channels are that count as one caller's."""
    return principal.tenant, principal.owner


def _refused(call: Call, body: bytes, outcome: Refuse) -> Reply:
    headers: HeaderList = [_JSON]
    asked = challenge_to(call, outcome)
    if asked is not None:
        headers.append((WWW_AUTHENTICATE, asked))
    return Reply(outcome.error.http_status, body, headers)

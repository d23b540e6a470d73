"""Request states as callers get them: sealed, and worth nothing with any other request.

To an upstream all callers look alike, so its own protection of a state cannot tell one caller
from another. Source: specification 2026-07-28, basic/patterns/mrtr "Server Requirements".
"""

import time
from collections.abc import Callable

import msgspec

from bascule.gateway.call import Call
from bascule.gateway.digests import request_digest
from bascule.gateway.errors import StaleHandle, UpstreamFailed
from bascule.gateway.sealing import MOST_PAYLOAD_BYTES, Purpose, SealBroken, Sealer, owner_of
from bascule.upstreams.mcp.failures import failed


class _Bound(msgspec.Struct, frozen=True, array_like=True):
    """What a state is bound to, beside its owner. `expires_at` in seconds since 1970."""

    upstream: str
    digest: bytes
    expires_at: float
    inner: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Bound).decode


class Wrapping:
    """Wraps the states of one upstream; `clock` gives the seconds since 1970.

    A state holds for its caller, method, name, arguments and upstream, until it expires. It can
    be used more than once.
    """

    def __init__(
        self, sealer: Sealer, upstream: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._sealer = sealer
        self.upstream = upstream
        self._clock = clock

    def wrap(self, purpose: Purpose, call: Call, inner: bytes, life_seconds: float) -> str:
        """Seal `inner` for a retry of `call`.

        Raises:
            UpstreamFailed: `inner` is larger than a seal can hold.
        """
        expires_at = self._clock() + life_seconds
        payload = _encode(_Bound(self.upstream, digest_of(call), expires_at, inner))
        try:
            return self._sealer.seal(purpose, caller_of(call), payload)
        except ValueError:
            raise self._too_large(len(inner)) from None

    def unwrap(self, purpose: Purpose, call: Call, token: str) -> bytes:
        """What was wrapped for this very request.

        Raises:
            StaleHandle: for whatever reason; its caller learns none.
        """
        try:
            bound = _decode(self._sealer.open(purpose, caller_of(call), token))
        except (SealBroken, msgspec.DecodeError) as fault:
            raise stale(str(fault)) from None
        if bound.upstream != self.upstream:
            raise stale(f"it is of the upstream {bound.upstream!r}")
        if bound.digest != digest_of(call):
            raise stale("it is of another request")
        if bound.expires_at <= self._clock():
            raise stale("it has expired")
        return bound.inner

    def _too_large(self, size: int) -> UpstreamFailed:
        reason = f"its requestState of {size} bytes is larger than {MOST_PAYLOAD_BYTES} bytes"
        return failed(self.upstream, reason)


def caller_of(call: Call) -> str:
    """Whom a handle of `call` is sealed for."""
    principal = call.principal
    return "" if principal is None else owner_of(principal.tenant, principal.owner)


def digest_of(call: Call) -> bytes:
    """The digest of the request that `call` and its retries are."""
    return request_digest(call.method, call.more.uri or call.tool_name, call.arguments)


def stale(private: str) -> StaleHandle:
    """The one refusal of all states that do not hold; `private` is for the record."""
    return StaleHandle(
        "requestState is not valid for this request; start again.",
        private=f"requestState: {private}",
    )

"""Access tokens of issuers as proofs, verified once and known again while nothing changed."""

import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, TypeVar

from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Presented, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse
from bascule.identity.api_keys import UNKNOWN_KEY
from bascule.identity.bindings import is_held_by
from bascule.identity.id_tokens import check_id_token
from bascule.identity.jws import MOST_TOKEN_CHARACTERS, looks_like_token, open_envelope
from bascule.identity.rejections import Reason, Rejection, shown
from bascule.identity.standing import standing_of
from bascule.identity.verifying import Verified, Verifier

_Entry = TypeVar("_Entry")
_MOST_REFUSALS: Final = 4096
_REFUSED_SECONDS: Final = 10.0
"""How long a refusal is known again, where nothing was configured in between."""
_KEY_SECONDS: Final = 2.0
"""The same, for a token whose key its issuer may be about to publish."""
_NOT_KEPT: Final = frozenset({Reason.UNAVAILABLE, Reason.NOT_YET})


class _Known:
    """A verified token: what it showed, and what that came to in the snapshot it was last asked in.

    Only `answer` and `snapshot` change.
    """

    __slots__ = ("answer", "expires_at", "is_bound", "key", "snapshot", "verified")

    def __init__(self, verified: Verified, expires_at: float) -> None:
        self.verified = verified
        self.key = verified.key
        self.expires_at = expires_at
        self.is_bound = verified.thumbprint is not None or verified.reach.places is not None
        self.snapshot: Snapshot | None = None
        self.answer: Principal | Refuse = _EXPIRED


class _Refused:
    """A token that was refused, until a moment of the monotonic clock."""

    __slots__ = ("refuse", "snapshot", "until")

    def __init__(self, refuse: Refuse, snapshot: Snapshot, until: float) -> None:
        self.refuse = refuse
        self.snapshot = snapshot
        self.until = until


class Tokens:
    """Knows the bearers of access tokens; implements `Proofs` of `Authenticate`.

    What is kept of a token is its SHA-256. An entry falls with its key, its issuer's record and
    its time; with each new snapshot the standing of its bearer is judged anew.
    """

    def __init__(
        self,
        verifier: Verifier,
        *,
        max_tokens: int = 50_000,
        clock: Callable[[], float] = time.monotonic,
        on_refused: Callable[[Reason], None] = lambda _: None,
    ) -> None:
        """`on_refused` is told of each refusal of a token, by its class."""
        self.verifier = verifier
        self._now = verifier.now
        self._clock = clock
        self._most = max_tokens
        self._on_refused = on_refused
        self._known: dict[bytes, _Known] = {}
        self._refused: dict[bytes, _Refused] = {}

    def __len__(self) -> int:
        """Verified tokens that are kept."""
        return len(self._known)

    def known(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse | None:
        """As `Proofs.known`."""
        token = presented.credential or ""
        if len(token) > MOST_TOKEN_CHARACTERS:
            return self._reject(_TOO_LONG)
        digest = _digest_of(token)
        kept = self._known.get(digest)
        if kept is None:
            return self._refused_before(digest, snapshot)
        if kept.expires_at <= self._now():
            del self._known[digest]
            return self._reject(_EXPIRED_TOKEN)
        if not kept.key.is_current or (
            kept.snapshot is not snapshot and not self._follow(kept, snapshot)
        ):
            del self._known[digest]
            return None
        return self._fitting(kept, presented) if kept.is_bound else kept.answer

    async def identify(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse:
        """As `Proofs.identify`."""
        token = presented.credential or ""
        if not looks_like_token(token):
            return UNKNOWN_KEY
        found = await self.verifier.verify(token, snapshot.issuers)
        if isinstance(found, Rejection):
            self._remember(token, snapshot, found)
            return self._reject(found)
        expires_at = found.reading.evidence.expires_at
        kept = _Known(found, float("inf") if expires_at is None else expires_at)
        self._follow(kept, snapshot)
        if self._most:
            _put(self._known, _digest_of(token), kept, self._most)
        return self._fitting(kept, presented)

    async def verify_id_token(
        self, issuer: Issuer, token: str, *, audience: str, nonce: str
    ) -> Mapping[str, object] | Refuse:
        """The claims of an ID token that `issuer` made for its client `audience`, and `nonce`.

        Nothing is kept of it. May wait for the issuer's keys.
        """
        envelope = open_envelope(token)
        if isinstance(envelope, Rejection):
            return self._reject(envelope)
        key = await self.verifier.signer(envelope, issuer)
        if isinstance(key, Rejection):
            return self._reject(key)
        now, skew = self._now(), self.verifier.clock_skew_seconds
        wrong = check_id_token(envelope, issuer, audience=audience, nonce=nonce, now=now, skew=skew)
        return envelope.claims if wrong is None else self._reject(wrong)

    def _follow(self, kept: _Known, snapshot: Snapshot) -> bool:
        """Judge the bearer by `snapshot`; False where it has another issuer now, or none."""
        verified = kept.verified
        if snapshot.issuers.get(verified.issuer.issuer) != verified.issuer:
            return False
        kept.answer = standing_of(verified.reading.evidence, snapshot, self._now)
        kept.snapshot = snapshot
        if isinstance(kept.answer, Refuse):
            self._on_refused(Reason.STANDING)
        return True

    def _fitting(self, kept: _Known, presented: Presented) -> Principal | Refuse:
        """The answer, where the token is held and used as it says."""
        thumbprint, reach = kept.verified.thumbprint, kept.verified.reach
        if thumbprint is not None and not is_held_by(thumbprint, presented.certificate):
            return self._reject(_NOT_HELD)
        if not reach.includes(presented.place):
            said = f"good at {shown(sorted(reach.places or ()))} only, not at {presented.place}"
            return self._reject(Rejection(Reason.AUDIENCE, said))
        return kept.answer

    def _refused_before(self, digest: bytes, snapshot: Snapshot) -> Refuse | None:
        known = self._refused.get(digest)
        if known is None:
            return None
        if known.snapshot is not snapshot or known.until <= self._clock():
            del self._refused[digest]
            return None
        return known.refuse

    def _remember(self, token: str, snapshot: Snapshot, rejection: Rejection) -> None:
        if rejection.reason in _NOT_KEPT:
            return
        seconds = _KEY_SECONDS if rejection.reason is Reason.KEY else _REFUSED_SECONDS
        refused = _Refused(rejection.refuse(), snapshot, self._clock() + seconds)
        _put(self._refused, _digest_of(token), refused, _MOST_REFUSALS)

    def _reject(self, rejection: Rejection) -> Refuse:
        self._on_refused(rejection.reason)
        return rejection.refuse()


def _digest_of(token: str) -> bytes:
    # Not every byte of a header is a character that UTF-8 has.
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _put(kept: dict[bytes, _Entry], digest: bytes, entry: _Entry, most: int) -> None:
    """Keep `entry`; beyond `most`, the oldest makes room."""
    kept.pop(digest, None)
    if len(kept) >= most:
        del kept[next(iter(kept))]
    kept[digest] = entry


_TOO_LONG: Final = Rejection(
    Reason.MALFORMED, f"malformed token: longer than {MOST_TOKEN_CHARACTERS:,} characters"
)
_EXPIRED_TOKEN: Final = Rejection(Reason.EXPIRED, "expired since it was verified")
_EXPIRED: Final = _EXPIRED_TOKEN.refuse()
_NOT_HELD: Final = Rejection(
    Reason.BINDING, "bound to a client certificate that did not come with it"
)

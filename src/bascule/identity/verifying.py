"""Tokens verified, every rule in one order: shape, issuer, signature, then what is claimed."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bascule.gateway.issuer import Issuer
from bascule.identity.audiences import Reach, reach_of
from bascule.identity.bindings import thumbprint_of
from bascule.identity.fetching import IssuerUnusable
from bascule.identity.jwks import VerificationKey
from bascule.identity.jws import Envelope, open_envelope
from bascule.identity.key_sets import KeySets
from bascule.identity.kinds import wrong_kind
from bascule.identity.reading import Reading, read_claims
from bascule.identity.rejections import Reason, Rejection, shown
from bascule.identity.times import times_of

_MOST_TRIED: Final = 16
"""Keys tried on a token that does not name its own."""


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What holds for the tokens of all issuers: `addresses` are this gateway's own, no path."""

    addresses: Callable[[], Sequence[str]]
    clock_skew_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that is good: who bears it, where it counts, and whose signature it has.

    `thumbprint` is of the certificate it is bound to, None for none.
    """

    reading: Reading
    issuer: Issuer
    key: VerificationKey
    reach: Reach
    thumbprint: str | None


class Verifier:
    """Verifies tokens by the keys of their issuers; keeps nothing but those."""

    def __init__(
        self, keys: KeySets, rules: TokenRules, now_seconds: Callable[[], float] = time.time
    ) -> None:
        self.keys = keys
        self._rules = rules
        self._now = now_seconds

    async def verify(self, token: str, issuers: Mapping[str, Issuer]) -> Verified | Rejection:
        """Whose access token `token` is. May wait for the keys of one of `issuers`."""
        envelope = open_envelope(token)
        if isinstance(envelope, Rejection):
            return envelope
        named = envelope.claims.get("iss")
        issuer = issuers.get(named) if isinstance(named, str) else None
        if issuer is None:
            return Rejection(
                Reason.ISSUER, f"its issuer {shown(named)} is not known, or not active"
            )
        key = await self.signer(envelope, issuer)
        return key if isinstance(key, Rejection) else self._judge(envelope, issuer, key)

    async def signer(self, envelope: Envelope, issuer: Issuer) -> VerificationKey | Rejection:
        """The key of `issuer` that signed `envelope`."""
        algorithm, key_id = envelope.algorithm, envelope.key_id
        accepted = self.keys.algorithms(issuer)
        if algorithm not in accepted:
            said = f"its alg {shown(algorithm)} is not one of {', '.join(accepted)}"
            return Rejection(Reason.ALGORITHM, said)
        try:
            found = await self.keys.find(issuer, algorithm, key_id)
        except IssuerUnusable as failure:
            said = f"no keys of {issuer.name}: {failure.private}"
            return Rejection(Reason.UNAVAILABLE, said)
        if not found:
            return Rejection(Reason.KEY, f"{issuer.name} has no {algorithm} key {shown(key_id)}")
        for key in found[:_MOST_TRIED]:
            if key.verifies(algorithm, envelope.message, envelope.signature):
                return key
        return Rejection(Reason.SIGNATURE, f"no signature of {issuer.name}, by key {shown(key_id)}")

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now()

    @property
    def clock_skew_seconds(self) -> float:
        """How far the clocks of issuers may be off."""
        return self._rules.clock_skew_seconds

    def _judge(
        self, envelope: Envelope, issuer: Issuer, key: VerificationKey
    ) -> Verified | Rejection:
        claims = envelope.claims
        wrong = wrong_kind(envelope)
        if wrong is not None:
            return wrong
        times = times_of(claims, self._now(), self._rules.clock_skew_seconds)
        if isinstance(times, Rejection):
            return times
        reach = reach_of(claims, issuer, self._rules.addresses())
        if isinstance(reach, Rejection):
            return reach
        thumbprint = thumbprint_of(claims)
        if isinstance(thumbprint, Rejection):
            return thumbprint
        reading = read_claims(claims, issuer, times)
        if isinstance(reading, Rejection):
            return reading
        return Verified(reading, issuer, key, reach, thumbprint)

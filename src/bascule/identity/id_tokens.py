"""ID tokens: what somebody's sign-in says (OpenID Connect Core 1.0, section 3.1.3.7)."""

import hmac
from typing import Final

from bascule.gateway.issuer import Issuer
from bascule.identity.claims import LONGEST_SUBJECT, Claims, text_of, texts_of
from bascule.identity.jws import Envelope
from bascule.identity.rejections import Reason, Rejection, shown
from bascule.identity.times import times_of

_TYPES: Final = frozenset({"", "jwt"})


def check_id_token(
    envelope: Envelope, issuer: Issuer, *, audience: str, nonce: str, now: float, skew: float
) -> Rejection | None:
    """What is wrong with the claims of an ID token for the client `audience`; None for nothing.

    The signature is somebody else's to check. `skew` is in seconds, `now` since the epoch.
    """
    claims = envelope.claims
    if claims.get("iss") != issuer.issuer:
        return Rejection(Reason.ISSUER, f"iss is {shown(claims.get('iss'))}")
    if envelope.type not in _TYPES:
        return Rejection(Reason.KIND, f"its typ is {shown(envelope.type)}: no ID token")
    return (
        _wrong_audience(claims, audience)
        or _wrong_nonce(claims, nonce)
        or _wrong_time(claims, now, skew)
        or _wrong_subject(claims)
    )


def _wrong_audience(claims: Claims, client_id: str) -> Rejection | None:
    named = texts_of(claims.get("aud"))
    party = claims.get("azp")
    if client_id not in named:
        return Rejection(Reason.AUDIENCE, f"aud is {shown(claims.get('aud'))}")
    if (len(named) > 1 or party is not None) and party != client_id:
        return Rejection(Reason.AUDIENCE, f"azp is {shown(party)}")
    return None


def _wrong_nonce(claims: Claims, nonce: str) -> Rejection | None:
    found = claims.get("nonce")
    if not nonce or not isinstance(found, str):
        return Rejection(Reason.CLAIMS, "no nonce")
    if not hmac.compare_digest(found.encode("utf-8", "replace"), nonce.encode()):
        return Rejection(Reason.CLAIMS, "the nonce is not that of the sign-in")
    return None


def _wrong_time(claims: Claims, now: float, skew: float) -> Rejection | None:
    times = times_of(claims, now, skew)
    if isinstance(times, Rejection):
        return times
    return None if "iat" in claims else Rejection(Reason.CLAIMS, "iat is absent")


def _wrong_subject(claims: Claims) -> Rejection | None:
    if text_of(claims.get("sub"), LONGEST_SUBJECT) is None:
        return Rejection(Reason.CLAIMS, f"sub is {shown(claims.get('sub'))}")
    return None

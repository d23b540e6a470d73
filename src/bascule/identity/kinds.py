"""Access tokens told from the others that an issuer signs with the same keys (RFC 8725, 3.11)."""

from typing import Final

from bascule.identity.claims import Claims
from bascule.identity.jws import Envelope
from bascule.identity.rejections import Reason, Rejection, shown

_TYPES: Final = frozenset({"", "jwt", "at+jwt"})
"""`at+jwt` is that of RFC 9068; most products still write `JWT`, or nothing."""
_OF_ID_TOKENS: Final = ("at_hash", "c_hash", "s_hash")
_OTHER_KINDS: Final = frozenset({"id", "refresh", "offline", "logout", "initialaccesstoken"})
"""What Keycloak writes into the claim `typ`, in lower case."""


def wrong_kind(envelope: Envelope) -> Rejection | None:
    """Why this is no access token; None where it may be one.

    A `nonce` is the mark of an ID token, unless the token says that it is none: Keycloak before
    version 24 put it into both, with `typ` "Bearer" in the claims of access tokens.
    """
    claims = envelope.claims
    if envelope.type not in _TYPES:
        return Rejection(Reason.KIND, f"its typ is {shown(envelope.type)}: no access token")
    if _said(claims, "typ") in _OTHER_KINDS:
        return Rejection(Reason.KIND, f"its claim typ is {shown(claims['typ'])}: no access token")
    if _said(claims, "token_use") == "id":
        return Rejection(Reason.KIND, "its token_use is id: no access token")
    marks = [name for name in _OF_ID_TOKENS if name in claims]
    says_access = envelope.type == "at+jwt" or _said(claims, "typ") == "bearer"
    if "nonce" in claims and not says_access:
        marks.append("nonce")
    if marks:
        return Rejection(Reason.KIND, f"it has {', '.join(marks)}: an ID token")
    return None


def _said(claims: Claims, name: str) -> str:
    value = claims.get(name)
    return value.lower() if isinstance(value, str) else ""

"""When a token counts: `exp`, `nbf` and `iat` (RFC 7519, section 4.1), with clocks a little off."""

from typing import Final, NamedTuple

from bascule.identity.claims import Claims, number_of
from bascule.identity.rejections import Reason, Rejection, shown

_ABSENT: Final = "absent"


class Times(NamedTuple):
    """In seconds since the epoch; the allowance for clocks is in `expires_at` already."""

    issued_at: float
    """0.0 where the token does not say: it is older than any sign-out."""
    expires_at: float


def times_of(claims: Claims, now: float, skew_seconds: float) -> Times | Rejection:
    """The times of a token that counts `now`. One without `exp` never does."""
    expires = number_of(claims.get("exp"))
    if expires is None:
        return Rejection(Reason.CLAIMS, f"exp is {shown(claims.get('exp', _ABSENT))}")
    for name in ("nbf", "iat"):
        begins = number_of(claims.get(name, 0))
        if begins is None:
            return Rejection(Reason.CLAIMS, f"{name} is {shown(claims[name])}")
        if begins - skew_seconds > now:
            return Rejection(Reason.NOT_YET, f"{name} is {begins - now:.0f} seconds ahead")
    if expires + skew_seconds <= now:
        return Rejection(Reason.EXPIRED, f"expired {now - expires:.0f} seconds ago")
    return Times(number_of(claims.get("iat", 0)) or 0.0, expires + skew_seconds)

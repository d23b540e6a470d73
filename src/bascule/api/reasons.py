"""Why something is changed, where a request says so in a header rather than in its body."""

from typing import Annotated, Final

from fastapi import Depends, Header

from bascule.gateway.errors import InvalidValue
from bascule.protocol.headers import HeaderMismatch, decode_value

REASON_HEADER: Final = "X-Bascule-Reason"
_LONGEST: Final = 1000


async def _stated(
    reason: Annotated[
        str,
        Header(
            alias=REASON_HEADER,
            description="Why; what is not ASCII as `=?base64?...?=`. A reason in the body wins.",
        ),
    ] = "",
) -> str:
    try:
        text = decode_value(reason)
    except HeaderMismatch as error:
        raise InvalidValue(f"{REASON_HEADER}: {error}", details={"field": REASON_HEADER}) from None
    if len(text) > _LONGEST or "\0" in text:
        raise InvalidValue(
            f"{REASON_HEADER} has at most {_LONGEST} characters, and no NUL.",
            details={"field": REASON_HEADER},
        )
    return text


StatedReason = Annotated[str, Depends(_stated)]
"""The header's text; empty where there is none."""

"""Why a token is not accepted: a class to count, what its bearer is told, what the record says."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Refuse

_LONGEST_SHOWN: Final = 120


class Reason(StrEnum):
    """The classes that refusals are counted in."""

    MALFORMED = "malformed"
    ISSUER = "issuer"
    ALGORITHM = "algorithm"
    KEY = "key"
    SIGNATURE = "signature"
    KIND = "kind"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    AUDIENCE = "audience"
    BINDING = "binding"
    CLAIMS = "claims"
    TENANT = "tenant"
    STANDING = "standing"
    UNAVAILABLE = "unavailable"


# What comes before the signature is checked says nothing of what was found: whoever forges
# tokens learns no more than that this one is not good.
_NOT_GOOD: Final = (
    "This access token is not accepted here. Get a new one from the authorization server of this "
    "gateway, for this gateway."
)
_PUBLIC: Final = {
    Reason.KIND: "This is no access token. Send the access token, not the ID token or another.",
    Reason.EXPIRED: "This access token has expired. Get a new one.",
    Reason.NOT_YET: "This access token is not valid yet. Wait, or have the clocks looked at.",
    Reason.AUDIENCE: "This access token is meant for something else. Ask for one whose audience "
    "(resource) is this gateway.",
    Reason.BINDING: "This access token is bound to a key or certificate that did not come with it "
    "in a form known here. Connect with that client certificate, or get an unbound token.",
    Reason.CLAIMS: "This access token does not say what this gateway must know of its bearer. Ask "
    "an administrator to compare it with the issuer's settings here.",
    Reason.TENANT: "This access token belongs to nobody here. Ask an administrator for access.",
    Reason.UNAVAILABLE: "The access token cannot be checked at the moment. Try again shortly.",
}
_CODES: Final = {
    Reason.EXPIRED: ErrorCode.TOKEN_EXPIRED,
    # The token may well be good: a client that threw it away would only ask for another.
    Reason.UNAVAILABLE: ErrorCode.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """A token that is not accepted. `private` says exactly why, without any of its secrets."""

    reason: Reason
    private: str

    def refuse(self) -> Refuse:
        """What the caller is told."""
        code = _CODES.get(self.reason, ErrorCode.INVALID_TOKEN)
        return Refuse(code, _PUBLIC.get(self.reason, _NOT_GOOD), self.private)


def shown(value: object) -> str:
    """Something a stranger wrote, on one short line of ASCII."""
    text = ascii(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."

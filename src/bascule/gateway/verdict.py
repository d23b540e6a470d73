"""What a stage may say about a call. Refusals are values; exceptions are failures."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bascule.gateway.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class Pass:
    """Nothing to object."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Go on, with these arguments (inbound) or this result (outbound) instead.

    `failure` makes the result an error (`isError` is for `value` to say): its private cause.
    """

    value: Mapping[str, object]
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Stop here. `public` goes to the caller, `private` to the audit record: they differ."""

    error: ErrorCode
    public: str
    private: str
    details: Mapping[str, object] | None = None
    is_about_arguments: bool = False
    """Whether other arguments of the tool would do, rather than another request."""


class Need(Enum):
    """What a challenge asks for: the code of its refusal, and the detail that names the address."""

    ELEVATION = (ErrorCode.ELEVATION_REQUIRED, "elevation_url")
    CONSENT = (ErrorCode.CONSENT_REQUIRED, "consent_url")

    def __init__(self, error: ErrorCode, member: str) -> None:
        self.error = error
        self.member = member


@dataclass(frozen=True, slots=True)
class Challenge:
    """Stop here until a person has been at `url`; then the same call can be made again.

    `public` says why, without the address. Clients that can be asked to open an address are asked
    (modern: `input_required`; 2025-11-25: error -32042), all others get an error that holds it.
    """

    public: str
    private: str
    url: str
    need: Need = Need.ELEVATION

    def as_refusal(self) -> Refuse:
        """The same as a refusal, for who can only be told."""
        public = f"{self.public} The address is {self.url}"
        return Refuse(self.need.error, public, self.private, self.details)

    @property
    def details(self) -> Mapping[str, object]:
        """What programs read of it, in whichever shape the rest comes."""
        if self.need is Need.ELEVATION:
            return {"requires_elevation": True, self.need.member: self.url}
        return {self.need.member: self.url}


Verdict = Pass | Rewrite | Refuse | Challenge
PASS: Final = Pass()
"""Nothing to object, made once."""

"""What a stage may say about a call. Refusals are values; exceptions are failures."""

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Challenge:
    """Stop here until the caller brings something more.

    Modern clients get `input_required`, legacy ones an elicitation or an error with the URL,
    REST callers a 403 with `elevation_url`.
    """

    public: str
    private: str
    url: str


Verdict = Pass | Rewrite | Refuse | Challenge
PASS: Final = Pass()

"""What a person is told when a model does not answer, whichever provider it is of."""

from typing import Final

from bascule.chat.models import FailureKind, ModelFailure

_SENTENCES: Final = {
    FailureKind.UNREACHABLE: "The language model cannot be reached at the moment. What was done so "
    "far is kept; try again in a little while.",
    FailureKind.TIMED_OUT: "The language model took too long to answer. What was done so far is "
    "kept; try again.",
    FailureKind.RATE_LIMITED: "The language model has been asked too much for the moment. Wait a "
    "little and try again.",
    FailureKind.OVERLOADED: "The language model is overloaded at the moment. Try again in a little "
    "while.",
    FailureKind.UNAUTHORISED: "The provider of the language model turns this gateway away: its "
    "credentials, its rights or its credit. An administrator must look at the section llm of the "
    "settings, and at the account with the provider.",
    FailureKind.NO_SUCH_MODEL: "The language model that is set up here was not found. An "
    "administrator must look at the model and the address in the section llm of the settings.",
    FailureKind.TOO_LONG: "This conversation has become too long for the language model. Begin a "
    "new one.",
    FailureKind.FILTERED: "The provider of the language model refused to answer this. Put it in "
    "other words.",
    FailureKind.REJECTED: "The language model and this gateway did not understand each other. Try "
    "again; if it happens again, tell an administrator.",
}

_LONGEST_PRIVATE: Final = 500


def failure(
    kind: FailureKind, private: str, *, retry_after_seconds: float | None = None
) -> ModelFailure:
    """The failure of this `kind`; `private` is cut to what a log line should hold."""
    reason = " ".join(private.split())[:_LONGEST_PRIVATE]
    return ModelFailure(kind, _SENTENCES[kind], reason, retry_after_seconds=retry_after_seconds)


def seconds_of(header: str | None) -> float | None:
    """The seconds of a `Retry-After` header (RFC 9110, 10.2.3); its dates are not read."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None

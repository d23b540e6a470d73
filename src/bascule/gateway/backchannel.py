"""The way to a caller while its call is under way: notifications, and questions where it can."""

from typing import NamedTuple, Protocol


class Notification(NamedTuple):
    """A JSON-RPC notification; `params` is a JSON object, in the caller's own terms."""

    method: str
    params: bytes


class Question(NamedTuple):
    """A request to the caller (elicitation, sampling, roots); `params` is a JSON object."""

    method: str
    params: bytes


class Backchannel(Protocol):
    """Bound to one call; after the call's result it is dead, and what is sent then is dropped."""

    @property
    def interactive(self) -> bool:
        """Whether a question can be put while the call waits."""
        ...

    def notify(self, note: Notification) -> bool:
        """Send `note`; never waits. False where it was dropped: too much is unsent."""
        ...

    async def drained(self) -> None:
        """Wait until the caller has read most of what was sent."""
        ...

    async def ask(self, question: Question, deadline: float) -> bytes:
        """Put a question and give the `result` member of its answer, as it came.

        `deadline` in seconds of `time.monotonic`.

        Raises:
            CallerRefused: the caller answered with an error.
            CallerGone: nobody is left to answer.
            CallerSilent: no answer came before `deadline`.
        """
        ...


class NoAnswer(Exception):
    """A question was put in vain."""


class CallerRefused(NoAnswer):
    """The caller answered with a JSON-RPC error; `data` is JSON, b"" where there is none."""

    def __init__(self, code: int, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class CallerGone(NoAnswer):
    """The caller's connection or session ended first."""


class CallerSilent(NoAnswer):
    """The time for an answer ran out."""

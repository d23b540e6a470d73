"""The contract of one step of the pipeline."""

from collections.abc import Awaitable
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bascule.gateway.call import Call, Result
from bascule.gateway.verdict import Verdict


class FailureMode(StrEnum):
    """What a crash of the stage itself means for the call."""

    CLOSED = "closed"
    OPEN = "open"


class Stage(Protocol):
    """Judges a call on its way in. Runs on the event loop: no blocking, no database."""

    name: str
    on_failure: FailureMode

    async def inbound(self, call: Call) -> Verdict:
        """Judge the call; may fill the fields of `call` that belong to this stage."""
        ...


@runtime_checkable
class ResultStage(Stage, Protocol):
    """A stage that also judges results; the way out runs in reverse order."""

    async def outbound(self, call: Call, result: Result) -> Verdict:
        """Judge the result; a `Rewrite` replaces its body."""
        ...


class Executor(Protocol):
    """Carries out a call that every stage let pass."""

    def execute(self, call: Call) -> Awaitable[Result]:
        """Run the call before `call.deadline`.

        Raises:
            GatewayError: a named failure; its class says whether anything may have been done.
        """
        ...

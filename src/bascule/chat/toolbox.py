"""The port to the tools: those that the person may use, called as any client's calls are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bascule.chat.parts import InputRequest, JsonObject
from bascule.gateway.principal import Principal


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as the catalogue shows it to its caller."""

    name: str
    title: str
    description: str
    input_schema: JsonObject
    output_schema: JsonObject | None
    server: str
    risk: str
    annotations: JsonObject = field(default_factory=dict[str, object])
    is_idempotent: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call has come, in its server's own units; `total` where it is known."""

    value: float
    total: float | None
    message: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call. `answers` and `state` go with one that continues after a question.

    `deadline_seconds` from now. `on_progress` is told while the call runs, and never waits.
    """

    name: str
    arguments: JsonObject
    idempotency_key: str
    deadline_seconds: float
    on_progress: Callable[[Progress], None]
    answers: JsonObject | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """The tool answered. `is_error` where it said no."""

    content: Sequence[JsonObject]
    structured: JsonObject | None
    is_error: bool
    correlation_id: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway refused or failed. `may_have_acted`: it broke off while the tool was at work."""

    code: str
    """As in errors of REST: `E1004`."""
    sentence: str
    correlation_id: str
    is_denial: bool
    may_have_acted: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Asks:
    """A person must visit `url` first: to request elevation, or to connect an account."""

    url: str
    sentence: str
    is_elevation: bool
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Questions:
    """The tool's server asks something; the same call goes on with the answers and `state`."""

    inputs: Sequence[InputRequest]
    state: str
    correlation_id: str


CallOutcome = Ran | Refused | Asks | Questions


class Toolbox(Protocol):
    """The catalogue through the pipeline, as one person sees it. No call goes past the pipeline."""

    async def offered(self, principal: Principal) -> Sequence[OfferedTool]:
        """All that `principal` may call now, in the order of the list.

        Raises:
            GatewayError: it cannot be listed now; or `principal` is not let in any more.
        """
        ...

    async def call(self, principal: Principal, call: ToolCall) -> CallOutcome:
        """Make one call. Cancelling the task cancels it upstream. Raises nothing else."""
        ...

"""Callers who can be asked, and upstreams of either era that ask, without a wire between them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from bascule.gateway.backchannel import Notification, Question
from bascule.gateway.call import Call, Method, More, Result, ResultKind
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.principal import Principal
from bascule.protocol.versions import LATEST_LEGACY_VERSION, MODERN_VERSION, Era
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.rounds import Retry

ALL = b'{"elicitation":{"form":{},"url":{}},"roots":{},"sampling":{"tools":{}}}'
FORM = {"mode": "form", "message": "Your name?", "requestedSchema": {"type": "object"}}
ELICIT = {"method": "elicitation/create", "params": FORM}
SAMPLE = {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 9}}
ROOTS = {"method": "roots/list"}
ACCEPT = b'{"action":"accept","content":{"name":"Asha"}}'

Answer = Callable[[Question], Awaitable[bytes]]


async def accept(_: Question) -> bytes:
    return ACCEPT


class Back:
    """A way back whose client answers as `answer` says; keeps what it was asked and told."""

    def __init__(self, answer: Answer = accept, *, interactive: bool = True) -> None:
        self.interactive = interactive
        self.asked: list[Question] = []
        self.deadlines: list[float] = []
        self.noted: list[Notification] = []
        self._answer = answer

    def notify(self, note: Notification) -> bool:
        self.noted.append(note)
        return True

    async def drained(self) -> None:
        return

    async def ask(self, question: Question, deadline: float) -> bytes:
        self.asked.append(question)
        self.deadlines.append(deadline)
        return await self._answer(question)


def modern_call(
    *,
    state: str | None = None,
    responses: object = None,
    subject: str = "asha",
    capabilities: bytes = ALL,
    **changes: Any,
) -> Call:
    """A modern call of `book`; with `state` or `responses`, its retry."""
    raw = None if responses is None else msgspec.json.encode(responses)
    values: dict[str, Any] = {
        "method": Method.TOOLS_CALL,
        "correlation_id": "c-1",
        "era": Era.MODERN,
        "version": MODERN_VERSION,
        "tool_name": "book",
        "arguments": {"city": "Pune", "nights": 2},
        "principal": Principal("acme", subject, frozenset()),
        "capabilities": read_capabilities(capabilities),
        "more": More(input_responses=raw, request_state=state),
    }
    return Call(**{**values, **changes})


def legacy_call(back: Back | None = None, **changes: Any) -> Call:
    """A legacy call of `book` with a way back."""
    version = changes.pop("version", LATEST_LEGACY_VERSION)
    return modern_call(era=Era.LEGACY, version=version, back=back, **changes)


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def input_required(requests: object = None, state: object = None) -> bytes:
    """The result of a modern upstream that asks."""
    result: dict[str, object] = {"resultType": "input_required"}
    if requests is not None:
        result["inputRequests"] = requests
    if state is not None:
        result["requestState"] = state
    return encoded(result)


def complete(text: str = "done") -> bytes:
    return encoded({"content": [{"type": "text", "text": text}]})


def read(raw: msgspec.Raw | bytes) -> Result:
    """What an upstream makes of the `result` of a response."""
    members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    kind = msgspec.json.decode(members.pop("resultType", msgspec.Raw(b'"complete"')), type=str)
    return Result(dict(members), kind=ResultKind(kind))


def shown(result: Result) -> dict[str, Any]:
    """The body of `result` as its caller reads it."""
    return json.loads(msgspec.json.encode(result.body))


class ModernUpstream:
    """Answers rounds with `results` in turn, the last one for ever; keeps the rounds."""

    def __init__(self, *results: bytes) -> None:
        self.rounds: list[Retry] = []
        self._results = list(results)

    async def send(self, retry: Retry) -> bytes:
        self.rounds.append(retry)
        return self._results.pop(0) if len(self._results) > 1 else self._results[0]

    def responses(self, number: int) -> Any:
        raw = self.rounds[number].input_responses
        return None if raw is None else json.loads(raw)


class LegacyUpstream:
    """Runs `script` with a function that asks the caller; notes how the exchange ended."""

    def __init__(self, script: Callable[["LegacyUpstream"], Awaitable[bytes]]) -> None:
        self.rounds: list[Retry] = []
        self.answers: list[bytes] = []
        self.cancelled = asyncio.Event()
        self.hooks: Hooks | None = None
        self._script = script
        self._ids = 0

    async def send(self, retry: Retry) -> bytes:
        self.rounds.append(retry)
        self.hooks = retry.hooks
        try:
            return await self._script(self)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def ask(self, request: dict[str, Any]) -> bytes:
        """Send a request to the caller, as a legacy server does; gives its result."""
        assert self.hooks is not None
        assert self.hooks.on_request is not None
        self._ids += 1
        params = request.get("params")
        raw = msgspec.Raw(encoded(params)) if params is not None else msgspec.UNSET
        answer = await self.hooks.on_request(
            Incoming(id=self._ids, method=request["method"], params=raw)
        )
        self.answers.append(answer)
        return answer

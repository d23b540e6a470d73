"""The rounds of one call: questions of its upstream brought to its caller, and answers back.

Within the gateway a question is a result. A modern caller gets it as one and retries; a legacy
caller is asked while its call waits. A modern upstream is sent a retry, a legacy one the answer it
waits for. All that the eras of caller and upstream mean for each other is in this module.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeAlias

import msgspec

from bascule.gateway.call import Call, Method, Result, ResultKind
from bascule.gateway.errors import AskedInVain, InvalidValue
from bascule.gateway.sealing import Purpose
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.failures import UpstreamRpcError, failed
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.interactions import Interaction, InteractionLimits
from bascule.upstreams.mcp.legacy_errors import elicitations_of, in_modern_terms
from bascule.upstreams.mcp.messages import Incoming, decode_members
from bascule.upstreams.mcp.parked import Parked, Step, Ticket, Waiting
from bascule.upstreams.mcp.parked_call import Caller
from bascule.upstreams.mcp.questions import Asked, read_asked
from bascule.upstreams.mcp.wrapping import Wrapping, caller_of, stale

MULTI_ROUND: Final = frozenset({Method.TOOLS_CALL, Method.PROMPTS_GET, Method.RESOURCES_READ})
"""The requests whose results may ask for input (basic/patterns/mrtr "Supported Requests")."""

STATE_SECONDS: Final = 3600.0
"""How long an upstream's wrapped state holds."""


class Retry(NamedTuple):
    """What one round adds to the request, verbatim; nothing in the first.

    With `hooks`, these are the exchange's listeners. `waited_seconds` were spent on questions so
    far: the deadline of the round is that much later than the call's.
    """

    input_responses: bytes | None = None
    request_state: str | None = None
    hooks: Hooks | None = None
    waited_seconds: float = 0.0


FIRST: Final = Retry()

Send: TypeAlias = Callable[[Retry], Awaitable[msgspec.Raw | bytes]]
"""Sends one round to the upstream, under an id of its own; gives the `result` of its response."""

Read: TypeAlias = Callable[[msgspec.Raw | bytes], Result]
"""Reads the `result` of a response; raises UpstreamFailed where it is none."""


class _Handle(NamedTuple):
    """What a parked call's caller is given, sealed: where it waits, and for what."""

    ticket: Ticket
    keys: tuple[str, ...]


_encode_handle = msgspec.msgpack.Encoder().encode
_decode_handle = msgspec.msgpack.Decoder(_Handle).decode


def _drop(_: Incoming) -> None:
    """Nobody wants to hear it."""


def no_notes(_: Call) -> OnNote:
    """For callers to whom only results can be sent."""
    return _drop


class Rounds:
    """Takes the calls of one upstream through as many rounds as they need."""

    def __init__(
        self,
        wrapping: Wrapping,
        parked: Parked,
        read: Read,
        *,
        notes: Callable[[Call], OnNote] = no_notes,
        limits: InteractionLimits | None = None,
    ) -> None:
        """`notes` gives what takes in an upstream's notifications for a call."""
        self._wrapping = wrapping
        self._upstream = wrapping.upstream
        self._parked = parked
        self._read = read
        self._notes = notes
        self._limits = limits or InteractionLimits()

    async def run(self, call: Call, send: Send, *, era: Era) -> Result:
        """Send `call` to an upstream of `era`, until there is something to tell its caller.

        The result is complete, a task, or asks for input, with a state of ours.

        Raises:
            StaleHandle: the state that came with the call is not for this request.
            MissingCapability, AskedInVain: the caller cannot be asked, or did not answer.
            GatewayError: as `send`; an upstream that breaks the rules of asking has failed.
        """
        if era is Era.LEGACY:
            return await self._run_legacy(call, send)
        return await self.go_on(call, self._read(await send(self._retry_of(call))), send)

    async def go_on(self, call: Call, result: Result, send: Send) -> Result:
        """Take a call further whose last round gave `result`. Raises as `run`."""
        if result.kind is not ResultKind.INPUT_REQUIRED:
            return result
        asked = self._asked(call, result)
        if call.era is Era.MODERN:
            return self._relayed(call, result, asked)
        return await self._answered(call, asked, send)

    # Modern upstreams.

    def _retry_of(self, call: Call) -> Retry:
        more = call.more
        if more.request_state is None and more.input_responses is None:
            return FIRST
        state = None
        if more.request_state is not None:
            inner = self._wrapping.unwrap(Purpose.REQUEST_STATE, call, more.request_state)
            state = inner.decode("utf-8", "surrogatepass")
        return Retry(more.input_responses, state)

    def _asked(self, call: Call, result: Result) -> Asked:
        if call.method not in MULTI_ROUND:
            raise failed(self._upstream, f"it asks for input, which {call.method} does not allow")
        try:
            return read_asked(result.body)
        except ValueError as fault:
            raise failed(self._upstream, str(fault)) from None

    def _relayed(self, call: Call, result: Result, asked: Asked) -> Result:
        for request in asked.requests.values():
            if not request.may_be_put(call.capabilities):
                reason = "it asks for something that the client did not declare"
                raise failed(self._upstream, reason, private=f"{reason}: {request.method}")
        body = dict(result.body)
        if asked.state is None:
            body.pop("requestState", None)
        else:
            inner = asked.state.encode("utf-8", "surrogatepass")
            body["requestState"] = self._wrapping.wrap(
                Purpose.REQUEST_STATE, call, inner, STATE_SECONDS
            )
        return Result(body, kind=ResultKind.INPUT_REQUIRED)

    async def _answered(self, call: Call, asked: Asked, send: Send) -> Result:
        """Ask a legacy caller and retry on its behalf, until the upstream asks no more."""
        interaction = self._interaction(call)
        for _ in range(self._limits.most_rounds):
            responses = None
            if asked.requests:
                responses = msgspec.json.encode(await interaction.answer_all(asked.requests))
            else:
                await asyncio.sleep(self._limits.pause_seconds)
            waited_seconds = interaction.patience.waited_seconds
            retry = Retry(responses, asked.state, waited_seconds=waited_seconds)
            result = self._read(await send(retry))
            if result.kind is not ResultKind.INPUT_REQUIRED:
                return result
            asked = self._asked(call, result)
        raise failed(self._upstream, f"it asked for input over {self._limits.most_rounds} times")

    def _interaction(self, call: Call) -> Interaction:
        if call.back is None or not call.back.interactive:
            raise AskedInVain(
                "The service behind this tool asks for input, and this client cannot be asked: "
                "it keeps no session here. Call within a session.",
            )
        return Interaction(call, call.back, self._limits)

    # Legacy upstreams.

    async def _run_legacy(self, call: Call, send: Send) -> Result:
        if call.era is Era.MODERN:
            try:
                return await self._run_parked(call, send)
            except UpstreamRpcError as error:
                return self._url_elicitations(call, error)
        back = call.back
        if back is None or not back.interactive or not _may_ask(call):
            return await self._plain(call, send, FIRST)
        interaction = Interaction(call, back, self._limits)
        hooks = Hooks(self._notes(call), interaction.answer, back.drained)
        return await self._plain(call, send, Retry(hooks=hooks))

    async def _run_parked(self, call: Call, send: Send) -> Result:
        if call.more.request_state is not None:
            return self._shown(call, await self._resumed(call, call.more.request_state))
        if not _may_ask(call):
            return await self._plain(call, send, FIRST)
        return self._shown(call, await self._parked.begin(self._caller(call), _work(send)))

    async def _plain(self, call: Call, send: Send, retry: Retry) -> Result:
        return await self.go_on(call, self._read(await send(retry)), send)

    async def _resumed(self, call: Call, state: str) -> Step:
        inner = self._wrapping.unwrap(Purpose.PARKED, call, state)
        try:
            handle = _decode_handle(inner)
        except msgspec.DecodeError:
            raise stale("its seal holds something else") from None
        answers = _answers_of(call, handle.keys)
        return await self._parked.resume(handle.ticket, self._caller(call), answers)

    def _caller(self, call: Call) -> Caller:
        return Caller(caller_of(call), call.capabilities, self._notes(call))

    def _shown(self, call: Call, step: Step) -> Result:
        if not isinstance(step, Waiting):
            result = self._read(step)
            if result.kind is ResultKind.INPUT_REQUIRED:
                # The upstream turned modern since its era was found.
                return self._relayed(call, result, self._asked(call, result))
            return result
        inner = _encode_handle(_Handle(step.ticket, tuple(step.requests)))
        state = self._wrapping.wrap(Purpose.PARKED, call, inner, self._parked.seconds)
        requests = {key: request.members() for key, request in step.requests.items()}
        body: dict[str, object] = {"inputRequests": requests, "requestState": state}
        return Result(body, kind=ResultKind.INPUT_REQUIRED)

    def _url_elicitations(self, call: Call, error: UpstreamRpcError) -> Result:
        requests = elicitations_of(error)
        if not requests or not call.capabilities.elicitation_url:
            raise in_modern_terms(error) from None
        body: dict[str, object] = {
            "inputRequests": {key: request.members() for key, request in requests.items()}
        }
        return Result(body, kind=ResultKind.INPUT_REQUIRED)


def _may_ask(call: Call) -> bool:
    return call.capabilities.can_be_asked and call.method in MULTI_ROUND


def _work(send: Send) -> Callable[[Hooks], Awaitable[msgspec.Raw | bytes]]:
    return lambda hooks: send(Retry(hooks=hooks))


def _answers_of(call: Call, keys: tuple[str, ...]) -> dict[str, bytes]:
    """The answers to what was asked under `keys`; others are ignored.

    Raises:
        InvalidValue: they are not what answers are; the call waits on.
    """
    given = call.more.input_responses
    if given is None:
        return {}
    members = decode_members(given)
    if members is None:
        raise _no_object("inputResponses")
    answers = {key: bytes(members[key]) for key in keys if key in members}
    for key, answer in answers.items():
        if decode_members(answer) is None:
            raise _no_object(f"inputResponses.{key}")
    return answers


def _no_object(field: str) -> InvalidValue:
    return InvalidValue(f"{field} must be an object.", details={"field": field})

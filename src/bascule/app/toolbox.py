"""The assistant's tools: the catalogue through the gateway, as any client has it.

Each list and each call goes the whole way, audit around it, under the person's own rights. They
bring no credential: the person is vouched for, and judged anew at the first stage.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias, cast

import msgspec

from bascule.api.chat_wire import MOST_LEVELS, is_deep
from bascule.api.errors import Refused as NotLetIn
from bascule.chat.parts import InputRequest, JsonObject
from bascule.chat.toolbox import (
    Asks,
    CallOutcome,
    OfferedTool,
    Progress,
    Questions,
    Ran,
    Refused,
    ToolCall,
)
from bascule.gateway.backchannel import CallerGone, Notification, Question
from bascule.gateway.builtin import CALL_TOOL
from bascule.gateway.call import Call, Method, More, Outcome, Result, ResultKind
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.kernel import Answer, Gateway
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.tool import McpSource, RiskLevel, Tool
from bascule.gateway.verdict import Challenge, Need, Refuse
from bascule.policy.access import Access

AGENT: Final = "bascule-chat"
_CAPABILITIES: Final = read_capabilities(b'{"elicitation":{"form":{},"url":{}}}')
_MOST_PAGES: Final = 100
_PROGRESS_TOKEN: Final = 1
_DENIALS: Final = frozenset(
    {
        ErrorCode.AUTH_REQUIRED,
        ErrorCode.INVALID_TOKEN,
        ErrorCode.TOKEN_EXPIRED,
        ErrorCode.FORBIDDEN,
        ErrorCode.INSUFFICIENT_SCOPE,
        ErrorCode.CONSENT_REQUIRED,
        ErrorCode.TOKEN_REQUIRED,
        ErrorCode.ELEVATION_REQUIRED,
        ErrorCode.TOOL_NOT_FOUND,
        ErrorCode.TOOL_DISABLED,
    }
)
_BROKEN_OFF: Final = frozenset(
    {
        ErrorCode.TOOL_TIMEOUT,
        ErrorCode.UPSTREAM_TIMEOUT,
        ErrorCode.UPSTREAM_FAILED,
        ErrorCode.ASKED_IN_VAIN,
        ErrorCode.INTERNAL,
        # Also where a call was made and could not be recorded.
        ErrorCode.UNAVAILABLE,
    }
)
"""After which nobody knows whether the tool acted."""

HasEnded: TypeAlias = Callable[[Principal], Awaitable[Refuse | None]]
"""Says whether the sign-in that somebody was identified by is over."""


class _Definition(msgspec.Struct, rename="camel"):
    """A tool as `tools/list` shows it (specification 2026-07-28, server/tools)."""

    name: str
    title: str = ""
    description: str = ""
    input_schema: JsonObject = {}
    output_schema: JsonObject | None = None
    annotations: JsonObject = {}


class _List(msgspec.Struct, rename="camel"):
    tools: list[_Definition]
    next_cursor: str | None = None


class _Elicitation(msgspec.Struct, rename="camel"):
    """The `params` of `elicitation/create` (client/elicitation)."""

    message: str = ""
    requested_schema: JsonObject | None = None
    url: str = ""


class _Request(msgspec.Struct):
    method: str = ""
    params: _Elicitation = msgspec.field(default_factory=_Elicitation)


class _Body(msgspec.Struct, rename="camel"):
    """The members of a result that the assistant reads."""

    content: list[JsonObject] = []
    structured_content: object = None
    input_requests: dict[str, _Request] = {}
    request_state: str = ""


class _Progress(msgspec.Struct):
    progress: float = 0.0
    total: float | None = None
    message: str = ""


_read_list = msgspec.json.Decoder(_List).decode
_read_body = msgspec.json.Decoder(_Body).decode
_read_progress = msgspec.json.Decoder(_Progress).decode


class GatewayToolbox:
    """A `bascule.chat.toolbox.Toolbox` over the gateway of this process."""

    def __init__(
        self,
        gateway: Gateway,
        access: Callable[[Snapshot], Access],
        has_ended: HasEnded,
        peer: Callable[[], str],
        request_seconds: float,
    ) -> None:
        """`access` gives the decisions of a snapshot, `peer` from where the person wrote.

        No call takes longer than `request_seconds`, whatever its own deadline.
        """
        self._gateway = gateway
        self._access = access
        self._has_ended = has_ended
        self._peer = peer
        self._seconds = request_seconds
        self._ids = Identifiers()

    async def offered(self, principal: Principal) -> Sequence[OfferedTool]:
        """As `Toolbox.offered`.

        Raises:
            NotLetIn: the gateway refuses; with its code.
        """
        await self._refuse_ended(principal)
        found: list[OfferedTool] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            call = self._call(Method.TOOLS_LIST, principal, self._seconds)
            call.cursor = cursor
            answer = await self._gateway.handle(call, _rendered)
            if isinstance(answer.outcome, Refuse):
                raise NotLetIn(answer.outcome)
            if isinstance(answer.outcome, Challenge):
                raise NotLetIn(answer.outcome.as_refusal())
            page = _read_list(answer.body)
            found += self._shown(call, page.tools)
            cursor = page.next_cursor
            if cursor is None:
                break
        return found

    async def call(self, principal: Principal, call: ToolCall) -> CallOutcome:
        """As `Toolbox.call`."""
        wanted = self._call(Method.TOOLS_CALL, principal, min(call.deadline_seconds, self._seconds))
        try:
            ended = await self._has_ended(principal)
        except GatewayError as failure:
            # Nothing was made yet, so nothing can have acted.
            refusal = Refuse(failure.error, failure.public, failure.private)
            return replace(_refused(wanted, refusal), may_have_acted=False)
        if ended is not None:
            return _refused(wanted, ended)
        wanted.tool_name = call.name
        wanted.arguments = dict(call.arguments)
        wanted.raw_arguments = msgspec.json.encode(call.arguments)
        wanted.request_bytes = len(wanted.raw_arguments)
        wanted.idempotency_key = call.idempotency_key or None
        wanted.more = More(
            input_responses=None if call.answers is None else msgspec.json.encode(call.answers),
            request_state=call.state or None,
            progress_token=_PROGRESS_TOKEN,
        )
        wanted.back = _Notices(call.on_progress)
        return _outcome(wanted, await self._gateway.handle(wanted, _rendered))

    async def _refuse_ended(self, principal: Principal) -> None:
        ended = await self._has_ended(principal)
        if ended is not None:
            raise NotLetIn(ended)

    def _call(self, method: Method, principal: Principal, seconds: float) -> Call:
        now = time.monotonic()
        call = Call(
            method,
            self._ids.next(),
            peer=self._peer(),
            agent=AGENT,
            arrived=now,
            deadline=now + seconds,
            capabilities=_CAPABILITIES,
            vouched=principal,
        )
        if principal.agent not in (None, AGENT):  # which the record names; this acts for it
            call.notes = {"via": AGENT}
        return call

    def _shown(self, call: Call, listed: Sequence[_Definition]) -> list[OfferedTool]:
        """Those of `listed` that may be used, at once or after somebody has agreed."""
        principal = call.principal
        if principal is None:
            return []
        tools = call.snapshot.tenant(principal.tenant).tools
        access = self._access(call.snapshot)
        found: list[OfferedTool] = []
        for one in listed:
            tool = tools.get(one.name)
            decision = None if tool is None else access.settled(principal, tool, Action.INVOKE)
            if decision is None or decision.possible:
                found.append(_offered(one, tool))
        return found


class _Notices:
    """A `Backchannel` by which nothing can be asked, and only progress is told."""

    interactive = False

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self._on_progress = on_progress

    def notify(self, note: Notification) -> bool:
        """Tell of progress; nobody wants to know anything else."""
        if note.method == "notifications/progress":
            try:
                told = _read_progress(note.params)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return False
            self._on_progress(Progress(told.progress, told.total, told.message))
        return True

    async def drained(self) -> None:
        """Nothing is ever unsent."""

    async def ask(self, question: Question, deadline: float) -> bytes:
        """Nobody is there to be asked while the call waits: questions come as results."""
        del question, deadline
        raise CallerGone("the assistant answers questions by a call of its own")


def _rendered(call: Call, outcome: Outcome) -> bytes:
    """What is digested and counted of an answer: its result, or the sentence of its refusal."""
    del call
    if isinstance(outcome, Result):
        return msgspec.json.encode(outcome.body)
    return outcome.public.encode(errors="replace")


def _offered(shown: _Definition, tool: Tool | None) -> OfferedTool:
    if tool is not None:
        risk = tool.risk
    else:
        # What stands for all tools may be any of them: it is asked about each time.
        risk = RiskLevel.PRIVILEGED if shown.name == CALL_TOOL else RiskLevel.READ
    return OfferedTool(
        name=shown.name,
        title=shown.title or str(shown.annotations.get("title", "")),
        description=shown.description,
        input_schema=shown.input_schema,
        output_schema=shown.output_schema,
        server="" if tool is None else _server(tool),
        risk=risk.value,
        annotations=shown.annotations,
        is_idempotent=tool is not None and tool.idempotent,
    )


def _server(tool: Tool) -> str:
    return tool.source.upstream if isinstance(tool.source, McpSource) else tool.bundle


def _outcome(call: Call, answer: Answer) -> CallOutcome:
    outcome = answer.outcome
    if isinstance(outcome, Challenge):
        is_elevation = outcome.need is Need.ELEVATION
        return Asks(outcome.url, outcome.public, is_elevation, call.correlation_id)
    if isinstance(outcome, Refuse):
        return _refused(call, outcome)
    if outcome.kind is ResultKind.TASK:
        return _unreadable(call, "it goes on as a task, which the assistant did not ask for")
    body = _body_of(answer)
    if isinstance(body, str):
        return _unreadable(call, body)
    if outcome.kind is ResultKind.INPUT_REQUIRED:
        inputs = [_question(one, asked) for one, asked in body.input_requests.items()]
        return Questions(inputs, body.request_state, call.correlation_id)
    structured = body.structured_content
    return Ran(
        body.content,
        cast("JsonObject", structured) if isinstance(structured, dict) else _wrapped(structured),
        outcome.is_error,
        call.correlation_id,
        call.rule or "",
    )


def _body_of(answer: Answer) -> _Body | str:
    """What is read of a result, or why it cannot be."""
    try:
        body = _read_body(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        return f"its result cannot be read: {fault}"
    if is_deep(body.structured_content) or is_deep(body.content):
        return f"its result is nested more than {MOST_LEVELS} levels deep"
    return body


def _wrapped(structured: object) -> JsonObject | None:
    """Structured content that is no object, as one."""
    return None if structured is None else {"result": structured}


def _question(key: str, asked: _Request) -> InputRequest:
    params = asked.params
    schema = None if params.url else params.requested_schema or {"type": "object"}
    return InputRequest(key, params.message, schema, params.url)


def _refused(call: Call, refusal: Refuse) -> Refused:
    return Refused(
        code=refusal.error.code,
        sentence=refusal.public,
        correlation_id=call.correlation_id,
        is_denial=refusal.error in _DENIALS,
        may_have_acted=refusal.error in _BROKEN_OFF,
        rule=call.rule or "",
    )


def _unreadable(call: Call, why: str) -> Refused:
    refusal = Refuse(
        ErrorCode.UPSTREAM_FAILED, f"The answer of this tool cannot be used: {why}.", why
    )
    return _refused(call, refusal)

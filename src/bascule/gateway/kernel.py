"""The gateway: one edition of snapshot and pipeline at a time, with audit around it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import NamedTuple, Protocol

import msgspec
import structlog

from bascule.gateway.backchannel import Backchannel, Question
from bascule.gateway.call import Call, Method, Outcome, Result
from bascule.gateway.content import content_of
from bascule.gateway.digests import Digest, sha256_digest
from bascule.gateway.errors import (
    ConsentRequired,
    ErrorCode,
    GatewayError,
    InvalidArgument,
    RecordingFailed,
)
from bascule.gateway.feed import Feed
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.masking import mask
from bascule.gateway.record import AuditRecord, EventType, Observer, Recorder, Status
from bascule.gateway.recorded import RecordedBackchannel, RecordedFeed
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.trickle import Trickle
from bascule.gateway.verdict import Challenge, Need, Refuse

_log = structlog.get_logger(__name__)

Renderer = Callable[[Call, Outcome], bytes]
"""Puts an outcome into the bytes its caller expects; pure."""

# Handshakes and pings change nothing and reveal nothing; only their refusal is worth a record.
_UNRECORDED = frozenset(
    {
        Method.DISCOVER,
        Method.INITIALIZE,
        Method.PING,
        Method.NOTIFICATION,
        Method.SET_LEVEL,
        Method.RESPONSE,
    }
)
# What reaches an upstream and brings something back; the rest only says what is there.
_USES = frozenset(
    {
        Method.TOOLS_CALL,
        Method.PROMPTS_GET,
        Method.RESOURCES_READ,
        Method.TASKS_GET,
        Method.TASKS_UPDATE,
        Method.TASKS_CANCEL,
    }
)
_LIFECYCLE = frozenset({Method.STREAM, Method.END})

# A name nobody checked yet must not fill the journal; real ones have up to 128 characters.
_LONGEST_NAME = 256


class Runner(Protocol):
    """Takes calls to what comes of them; `bascule.gateway.pipeline.Pipeline` is one."""

    async def run(self, call: Call) -> Outcome:
        """Take `call` to its outcome.

        Raises:
            GatewayError: a stage or the executor named a failure.
        """
        ...


@dataclass(frozen=True, slots=True)
class Edition:
    """A snapshot and the pipeline built from it; they change together or not at all."""

    snapshot: Snapshot
    pipeline: Runner


class Answer(NamedTuple):
    """What leaves: the rendered body, and the outcome it was rendered from."""

    body: bytes
    outcome: Outcome


class Gateway:
    """Takes calls through the current edition and records each before its answer leaves."""

    def __init__(
        self,
        edition: Edition,
        recorder: Recorder,
        observers: Sequence[Observer] = (),
        digest: Digest = sha256_digest,
    ) -> None:
        self._edition = edition
        self._recorder = recorder
        self._observers = tuple(observers)
        self._event_ids = Identifiers()
        self._digest = digest
        self._strangers = Trickle()

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot new calls see."""
        return self._edition.snapshot

    def replace(self, edition: Edition) -> None:
        """Swap the edition; calls under way finish on the one they started with."""
        self._edition = edition

    async def handle(self, call: Call, render: Renderer) -> Answer:
        """Run `call` to an answer whose record is already durable.

        Cancelling the task cancels the call; that, too, is recorded.
        """
        edition = self._edition
        call.snapshot = edition.snapshot
        if call.back is not None and call.back.interactive:
            call.back = RecordedBackchannel(call.back, partial(self._record_question, call))
        try:
            outcome = await self._run(edition, call)
        except asyncio.CancelledError:
            self._append(self._record(call, None, b""))
            raise
        feed: Feed | None = None
        if isinstance(outcome, Result) and outcome.feed is not None:
            feed = outcome.feed
            outcome = self._with_recorded_end(call, outcome, feed)
        answer = _answer(call, outcome, render)
        if call.method in _UNRECORDED and isinstance(answer.outcome, Result):
            return answer
        record = self._record(call, answer.outcome, answer.body)
        if call.principal is None and not self._is_kept(record):
            self._tell(record)
            return answer
        try:
            await self._recorder.append(record)
            if answer.outcome is outcome:
                feed = None  # handed out: whoever gets it closes it
        except RecordingFailed as failure:
            _log.critical("audit.write_failed", correlation_id=call.correlation_id)
            refusal = _refusal(failure)
            answer = Answer(render(call, refusal), refusal)
            record = self._record(call, refusal, answer.body)
        finally:
            self._tell(record)
            if feed is not None:
                await feed.close()
        return answer

    def _with_recorded_end(self, call: Call, result: Result, feed: Feed) -> Result:
        recorded = RecordedFeed(feed, partial(self._record_feed_end, call, time.monotonic()))
        return msgspec.structs.replace(result, feed=recorded)

    async def _run(self, edition: Edition, call: Call) -> Outcome:
        if not self._recorder.healthy:
            return Refuse(
                ErrorCode.UNAVAILABLE,
                public="The audit journal cannot be written, so no call is accepted. "
                "An operator must free disk space or repair the journal.",
                private="journal unhealthy; refused before execution",
            )
        try:
            return await edition.pipeline.run(call)
        except ConsentRequired as needed:
            return Challenge(needed.public, needed.private, needed.url, Need.CONSENT)
        except GatewayError as failure:
            return _refusal(failure)
        except Exception as bug:  # noqa: BLE001 - the edge: a bug becomes E5001 and a record
            return _crashed(call, bug)

    def _is_kept(self, record: AuditRecord) -> bool:
        """Whether a stranger's refusal is written down, with how many were not before it."""
        held_back = self._strangers.take(time.monotonic())
        if held_back:
            record.metadata["held_back"] = held_back
        return held_back is not None

    def _tell(self, record: AuditRecord) -> None:
        for observer in self._observers:
            observer.observe(record)

    def _append(self, record: AuditRecord) -> None:
        """Record something that nobody waits for."""
        self._recorder.append(record).add_done_callback(_swallow)
        self._tell(record)

    async def _record_question(self, call: Call, question: Question) -> None:
        digest = self._digest(question.params)
        record = msgspec.structs.replace(
            self._record(call, Result({}), b""),
            action=question.method[:_LONGEST_NAME],
            arguments=None,
            arguments_digest=digest,
        )
        await self._recorder.append(record)
        self._tell(record)

    def _record_feed_end(self, call: Call, opened: float, told: int) -> None:
        record = self._record(call, Result({}), b"")
        duration = round(time.monotonic() - opened, 3)
        self._append(
            msgspec.structs.replace(
                record,
                event_type=EventType.LIFECYCLE,
                action=f"{call.method}/ended",
                metadata={"notifications": told, "duration_seconds": duration},
            )
        )

    def _record(self, call: Call, outcome: Outcome | None, body: bytes) -> AuditRecord:
        status, code, message = _status(outcome)
        principal, tool = call.principal, call.tool
        # What strangers send is not kept: they could fill the disk with it.
        is_call = call.method in _USES and principal is not None
        content = call.raw_arguments if principal is None else content_of(call)
        has_more = content is not call.raw_arguments
        asked = 0 if call.back is None else _questions(call.back)
        return AuditRecord(
            event_id=self._event_ids.next(),
            timestamp=datetime.now(UTC),
            event_type=_event_type(call, principal is not None),
            action=call.method,
            status=status,
            correlation_id=call.correlation_id,
            tenant=principal.tenant if principal else "",
            user=principal.subject if principal else "",
            agent=(principal.agent if principal else None) or call.agent or "",
            agent_verified=principal is not None and bool(principal.agent),
            roles=_sorted(principal.roles) if principal else (),
            groups=_sorted(principal.groups) if principal else (),
            tool_name=_name_of(call)[:_LONGEST_NAME],
            tool_version=tool.version if tool else "",
            rule=call.rule or "",
            latency_ms=round((time.monotonic() - call.arrived) * 1000, 3),
            request_size=call.request_bytes,
            response_size=len(body),
            error_code=code,
            error_message=message,
            arguments=mask(call.arguments) if is_call else None,
            arguments_digest=self._digest(content) if is_call or has_more else "",
            result_digest=self._digest(body) if body and is_call else "",
            key_id=(principal.key_id or "") if principal else "",
            peer=call.peer,
            snapshot_version=call.snapshot.version,
            metadata=_metadata(call, asked),
        )


@lru_cache(maxsize=4096)
def _sorted(names: frozenset[str]) -> tuple[str, ...]:
    """`names` in order; few sets of roles and groups make very many records."""
    return tuple(sorted(names))


def _metadata(call: Call, asked: int) -> dict[str, object]:
    notes = dict(call.notes) if call.notes else {}
    if asked:
        notes["questions"] = asked
    if call.tool is not None and call.tool.home is not None:
        notes |= {"bundle": call.tool.bundle, "shown_as": call.tool.name}
    return notes


def _name_of(call: Call) -> str:
    """What the call is about: a tool or prompt, a resource, or what a reference or task is of."""
    if call.tool_name or call.principal is None:
        return call.tool_name
    return call.more.uri or ("" if call.target is None else call.target.name)


def _questions(back: Backchannel) -> int:
    return back.questions if isinstance(back, RecordedBackchannel) else 0


def _answer(call: Call, outcome: Outcome, render: Renderer) -> Answer:
    try:
        return Answer(render(call, outcome), outcome)
    except Exception as bug:  # noqa: BLE001 - the edge: what ran must be recorded, shown or not
        refusal = _crashed(call, bug)
        return Answer(render(call, refusal), refusal)


def _crashed(call: Call, bug: Exception) -> Refuse:
    _log.error("call.crashed", correlation_id=call.correlation_id, exc_info=bug)
    return Refuse(
        ErrorCode.INTERNAL,
        public="The gateway failed on this call. Quote the correlation id to its operator.",
        private=f"{type(bug).__name__}: {bug}",
    )


def _event_type(call: Call, identified: bool) -> EventType:  # noqa: FBT001 - private, one caller
    if not identified:
        return EventType.AUTH_EVENT
    if call.method in _USES:
        return EventType.TOOL_CALL
    return EventType.LIFECYCLE if call.method in _LIFECYCLE else EventType.POLICY_DECISION


def _refusal(failure: GatewayError) -> Refuse:
    is_about_arguments = isinstance(failure, InvalidArgument)
    return Refuse(
        failure.error, failure.public, failure.private, failure.details, is_about_arguments
    )


_DENIALS = frozenset(
    {
        ErrorCode.AUTH_REQUIRED,
        ErrorCode.INVALID_TOKEN,
        ErrorCode.TOKEN_EXPIRED,
        ErrorCode.FORBIDDEN,
        ErrorCode.CONSENT_REQUIRED,
        ErrorCode.ELEVATION_REQUIRED,
        ErrorCode.RATE_LIMITED,
        ErrorCode.TOKEN_REQUIRED,
        ErrorCode.INSUFFICIENT_SCOPE,
        ErrorCode.TOOL_NOT_FOUND,
        ErrorCode.TOOL_DISABLED,
        ErrorCode.RESOURCE_NOT_FOUND,
        ErrorCode.PROMPT_NOT_FOUND,
        ErrorCode.SESSION_UNKNOWN,
    }
)


def _status(outcome: Outcome | None) -> tuple[Status, str, str]:
    if outcome is None:
        return Status.CANCELLED, "", "the caller went away"
    if isinstance(outcome, Result):
        if outcome.is_error:
            return Status.FAILURE, ErrorCode.TOOL_FAILED.code, outcome.failure or ""
        return Status.SUCCESS, "", ""
    if isinstance(outcome, Refuse):
        denied = outcome.error in _DENIALS
        return (
            Status.DENIED if denied else Status.FAILURE,
            outcome.error.code,
            outcome.private,
        )
    return Status.DENIED, outcome.need.error.code, outcome.private


def _swallow(done: asyncio.Future[None]) -> None:
    # A cancelled call has nobody left to tell; the journal has already turned unhealthy.
    if not done.cancelled():
        done.exception()

import asyncio
import gc
import hashlib
import time
from dataclasses import replace

import msgspec
import pytest
import structlog

from bascule.gateway.backchannel import Notification, Question
from bascule.gateway.call import Call, Method, More, Outcome, Result
from bascule.gateway.digests import sha256_digest
from bascule.gateway.errors import (
    ConsentRequired,
    ErrorCode,
    GatewayError,
    InvalidArgument,
    InvalidValue,
    UpstreamTimeout,
)
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.kernel import Answer, Edition, Gateway
from bascule.gateway.pipeline import Pipeline
from bascule.gateway.record import EventType, Status
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Stage
from bascule.gateway.tool import Home
from bascule.gateway.verdict import PASS, Challenge, Need, Refuse, Verdict
from fakes.catalogue import make_principal, make_tool
from fakes.executor import FakeExecutor
from fakes.feed import FakeFeed
from fakes.recorder import FakeObserver, FakeRecorder
from fakes.stages import FakeResultStage, FakeStage

DENIAL = Refuse(ErrorCode.FORBIDDEN, "You may not.", "rule deny-all")


class Identified(FakeStage):
    """Fills what authenticate and authorise fill."""

    async def inbound(self, call: Call) -> Verdict:
        call.credential = None
        call.principal = make_principal("ann")
        call.tool = make_tool("get_slots", version="2.1.0")
        call.rule = "allow-users"
        return PASS


def edition(executor: FakeExecutor, *stages: Stage, version: int = 7) -> Edition:
    return Edition(Snapshot(version), Pipeline(stages or (Identified(),), executor))


def tool_call(**members: object) -> Call:
    call = Call(
        Method.TOOLS_CALL,
        "c-1",
        tool_name="get_slots",
        arguments={"mobile": "9876543210"},
        raw_arguments=b'{"mobile": "9876543210"}',
        request_bytes=120,
        arrived=time.monotonic(),
        agent="planner",
        credential="bsc_secret",
    )
    for name, value in members.items():
        setattr(call, name, value)
    return call


def render(call: Call, outcome: Outcome) -> bytes:
    return msgspec.json.encode(outcome.body if isinstance(outcome, Result) else outcome.public)


async def handle(gateway: Gateway, call: Call) -> Answer:
    async with asyncio.timeout(5):
        return await gateway.handle(call, render)


@pytest.mark.parametrize(("kind", "told"), [(InvalidArgument, True), (InvalidValue, False)])
async def test_a_refused_argument_is_told_from_a_refused_request(
    kind: type[GatewayError], told: bool
) -> None:
    failure = kind("`id` is empty.", details={"field": "id"})
    recorder = FakeRecorder()
    gateway = Gateway(edition(FakeExecutor(error=failure)), recorder)
    answer = await handle(gateway, tool_call())
    assert isinstance(answer.outcome, Refuse)
    assert answer.outcome.is_about_arguments is told
    assert (recorder.records[0].error_code, recorder.records[0].status) == ("E2004", Status.FAILURE)


async def test_a_success_is_recorded_with_all_that_proves_it() -> None:
    recorder = FakeRecorder()
    gateway = Gateway(edition(FakeExecutor(Result({"content": ["x"]}))), recorder)
    answer = await handle(gateway, tool_call())
    assert answer.body == b'{"content":["x"]}'
    [record] = recorder.records
    assert record.status is Status.SUCCESS
    assert record.event_type is EventType.TOOL_CALL
    assert (record.tenant, record.user, record.agent) == ("acme", "ann", "planner")
    assert not record.agent_verified
    assert (record.action, record.tool_name, record.tool_version) == (
        "tools/call",
        "get_slots",
        "2.1.0",
    )
    assert (record.rule, record.correlation_id, record.snapshot_version) == (
        "allow-users",
        "c-1",
        7,
    )
    assert (record.request_size, record.response_size) == (120, len(answer.body))
    assert record.arguments == {"mobile": "98******10"}
    assert record.arguments_digest == hashlib.sha256(b'{"mobile": "9876543210"}').hexdigest()
    assert record.result_digest == hashlib.sha256(answer.body).hexdigest()
    assert (record.error_code, record.error_message) == ("", "")
    assert 0 <= record.latency_ms < 5000
    assert record.timestamp.tzinfo is not None


async def test_roles_and_groups_of_the_caller_are_recorded_in_order() -> None:
    class Member(FakeStage):
        async def inbound(self, call: Call) -> Verdict:
            ann = make_principal("ann", roles=("user", "clerk"))
            call.principal = replace(ann, groups=frozenset({"/sales", "/desk"}), agent="planner")
            return DENIAL

    recorder = FakeRecorder()
    await handle(Gateway(edition(FakeExecutor(), Member()), recorder), tool_call())
    [record] = recorder.records
    assert (record.roles, record.groups) == (("clerk", "user"), ("/desk", "/sales"))
    assert (record.agent, record.agent_verified) == ("planner", True)


async def test_a_record_says_nothing_of_roles_and_groups_that_nobody_has() -> None:
    recorder = FakeRecorder()
    await handle(Gateway(edition(FakeExecutor(), FakeStage(DENIAL)), recorder), tool_call())
    [record] = recorder.records
    written = msgspec.json.decode(msgspec.json.encode(record))
    assert not {"roles", "groups", "agent_verified"} & set(written)


async def test_a_refusal_is_recorded_with_its_private_reason() -> None:
    recorder, executor = FakeRecorder(), FakeExecutor()
    gateway = Gateway(edition(executor, Identified(), FakeStage(DENIAL)), recorder)
    answer = await handle(gateway, tool_call())
    assert answer == Answer(b'"You may not."', DENIAL)
    assert not executor.calls
    [record] = recorder.records
    assert (record.status, record.error_code) == (Status.DENIED, "E1004")
    assert record.error_message == "rule deny-all"


async def test_a_challenge_is_recorded_as_a_denial() -> None:
    recorder = FakeRecorder()
    challenge = Challenge("Ask first.", "needs approval", "https://example.com/approve")
    await handle(Gateway(edition(FakeExecutor(), FakeStage(challenge)), recorder), tool_call())
    assert (recorder.last.status, recorder.last.error_code) == (Status.DENIED, "E1012")
    assert recorder.last.error_message == "needs approval"


async def test_a_failure_that_consent_would_mend_becomes_a_challenge() -> None:
    recorder, url = FakeRecorder(), "https://example.com/consent"
    failure = ConsentRequired("Consent first.", url=url, private="notes: no grant")
    answer = await handle(Gateway(edition(FakeExecutor(error=failure)), recorder), tool_call())
    expected = Challenge("Consent first.", "notes: no grant", url, Need.CONSENT)
    assert answer.outcome == expected
    assert (recorder.last.status, recorder.last.error_code) == (Status.DENIED, "E1007")
    assert recorder.last.error_message == "notes: no grant"


async def test_an_upstream_failure_is_recorded_and_only_its_public_part_is_told() -> None:
    recorder = FakeRecorder()
    failure = UpstreamTimeout("Too slow.", private="http://10.0.0.7 hung", details={"a": 1})
    answer = await handle(Gateway(edition(FakeExecutor(error=failure)), recorder), tool_call())
    assert answer.body == b'"Too slow."'
    assert answer.outcome == Refuse(
        ErrorCode.UPSTREAM_TIMEOUT, "Too slow.", "http://10.0.0.7 hung", {"a": 1}
    )
    [record] = recorder.records
    assert (record.status, record.error_code) == (Status.FAILURE, "E4002")
    assert record.error_message == "http://10.0.0.7 hung"


async def test_a_tool_that_says_no_is_recorded_as_a_failure() -> None:
    recorder = FakeRecorder()
    result = Result({"isError": True}, is_error=True, failure="409 from the dealer")
    await handle(Gateway(edition(FakeExecutor(result)), recorder), tool_call())
    assert (recorder.last.status, recorder.last.error_code) == (Status.FAILURE, "E3003")
    assert recorder.last.error_message == "409 from the dealer"


async def test_a_crash_is_recorded_and_its_text_kept_from_the_caller() -> None:
    recorder = FakeRecorder()
    gateway = Gateway(edition(FakeExecutor(error=ZeroDivisionError("secret"))), recorder)
    with structlog.testing.capture_logs() as logs:
        answer = await handle(gateway, tool_call())
    assert b"secret" not in answer.body
    assert b"correlation id" in answer.body
    [record] = recorder.records
    assert (record.status, record.error_code) == (Status.FAILURE, "E5001")
    assert record.error_message == "ZeroDivisionError: secret"
    assert [log["event"] for log in logs] == ["call.crashed"]


async def test_a_crashed_stage_is_recorded() -> None:
    recorder, executor = FakeRecorder(), FakeExecutor()
    stage = FakeStage(name="guard", crash=ZeroDivisionError("x"))
    with structlog.testing.capture_logs():
        await handle(Gateway(edition(executor, stage), recorder), tool_call())
    assert recorder.last.error_message == "stage guard crashed: ZeroDivisionError: x"
    assert not executor.calls


async def test_a_result_that_cannot_be_rendered_is_recorded_as_a_failure() -> None:
    """An upstream must not find a body that makes its call vanish from the record."""

    def render_carefully(call: Call, outcome: Outcome) -> bytes:
        if isinstance(outcome, Result):
            raise TypeError("not encodable")
        return outcome.public.encode()

    recorder = FakeRecorder()
    gateway = Gateway(edition(FakeExecutor()), recorder)
    with structlog.testing.capture_logs():
        answer = await gateway.handle(tool_call(), render_carefully)
    assert b"The gateway failed" in answer.body
    [record] = recorder.records
    assert (record.status, record.error_code) == (Status.FAILURE, "E5001")
    assert record.error_message == "TypeError: not encodable"


async def test_a_cancelled_call_is_recorded_and_stays_cancelled() -> None:
    recorder, observer = FakeRecorder(), FakeObserver()
    executor = FakeExecutor(release=asyncio.Event())
    gateway = Gateway(edition(executor), recorder, [observer])
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(gateway.handle(tool_call(), render))
        await executor.started.wait()
        task.cancel()
    assert task.cancelled()
    [record] = recorder.records
    assert (record.status, record.error_message) == (Status.CANCELLED, "the caller went away")
    assert (record.user, record.tool_name, record.result_digest) == ("ann", "get_slots", "")
    assert observer.seen == [record]


async def cancel_under_way(recorder: FakeRecorder) -> None:
    executor = FakeExecutor(release=asyncio.Event())
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(Gateway(edition(executor), recorder).handle(tool_call(), render))
        await executor.started.wait()
        task.cancel()


async def one_turn_of_the_loop() -> None:
    turned = asyncio.Event()
    asyncio.get_running_loop().call_soon(turned.set)
    await turned.wait()


@pytest.mark.parametrize("settle", ["at once", "later", "dropped"])
async def test_a_cancelled_call_whose_record_is_lost_leaves_no_stray_exception(settle: str) -> None:
    stray: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: stray.append(context))
    recorder = FakeRecorder(fails=True, holds=settle != "at once")
    await cancel_under_way(recorder)
    if settle == "dropped":
        recorder.held.pop().cancel()
    recorder.release()
    await one_turn_of_the_loop()
    gc.collect()
    assert [record.status for record in recorder.records] == [Status.CANCELLED]
    assert stray == []


async def test_a_call_cancelled_while_its_record_is_written_has_one_record_and_it_is_true() -> None:
    recorder, observer = FakeRecorder(holds=True), FakeObserver()
    gateway = Gateway(edition(FakeExecutor()), recorder, [observer])
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(gateway.handle(tool_call(), render))
        await recorder.appended.wait()
        task.cancel()
    assert task.cancelled()
    assert [record.status for record in recorder.records] == [Status.SUCCESS]
    assert observer.seen == recorder.records


async def test_the_answer_waits_until_its_record_is_durable() -> None:
    recorder = FakeRecorder(holds=True)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(
            Gateway(edition(FakeExecutor()), recorder).handle(tool_call(), render)
        )
        await recorder.appended.wait()
        assert not task.done()
        recorder.release()
    assert isinstance(task.result().outcome, Result)


async def test_the_answer_never_leaves_when_its_record_cannot_be_written() -> None:
    recorder, observer = FakeRecorder(fails=True), FakeObserver()
    gateway = Gateway(edition(FakeExecutor(Result({"content": ["secret"]}))), recorder, [observer])
    with structlog.testing.capture_logs() as logs:
        answer = await handle(gateway, tool_call())
    assert b"secret" not in answer.body
    assert isinstance(answer.outcome, Refuse)
    assert answer.outcome.error is ErrorCode.UNAVAILABLE
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("audit.write_failed", "critical")
    ]
    [seen] = observer.seen
    assert (seen.status, seen.error_code) == (Status.FAILURE, "E5004"), "as the caller met it"


async def test_an_unhealthy_recorder_refuses_before_anything_is_executed() -> None:
    recorder, executor = FakeRecorder(healthy=False), FakeExecutor()
    trace: list[str] = []
    gateway = Gateway(edition(executor, FakeStage(trace=trace)), recorder)
    answer = await handle(gateway, tool_call())
    assert isinstance(answer.outcome, Refuse)
    assert answer.outcome.error is ErrorCode.UNAVAILABLE
    assert not executor.calls
    assert not trace
    assert recorder.last.status is Status.FAILURE


async def test_a_recorder_that_recovers_is_trusted_again() -> None:
    recorder, executor = FakeRecorder(healthy=False), FakeExecutor()
    gateway = Gateway(edition(executor), recorder)
    await handle(gateway, tool_call())
    recorder.healthy = True
    assert isinstance((await handle(gateway, tool_call())).outcome, Result)
    assert len(executor.calls) == 1


async def test_a_call_under_way_finishes_on_the_version_it_started_with() -> None:
    recorder, release = FakeRecorder(), asyncio.Event()
    trace: list[str] = []
    old = FakeExecutor(Result({"from": "old"}), release=release)
    gateway = Gateway(edition(old, FakeResultStage(name="old", trace=trace), version=7), recorder)
    new = edition(FakeExecutor(Result({"from": "new"})), FakeStage(DENIAL), version=8)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(gateway.handle(tool_call(), render))
        await old.started.wait()
        gateway.replace(new)
        release.set()
    assert task.result().body == b'{"from":"old"}'
    assert trace == ["old in", "old out"]
    assert recorder.last.snapshot_version == 7
    assert gateway.snapshot.version == 8
    assert (await handle(gateway, tool_call())).outcome == DENIAL
    assert recorder.last.snapshot_version == 8


@pytest.mark.parametrize(
    "method", [Method.DISCOVER, Method.INITIALIZE, Method.PING, Method.NOTIFICATION]
)
async def test_an_introduction_is_not_worth_a_record_but_its_refusal_is(method: Method) -> None:
    recorder = FakeRecorder()
    await handle(Gateway(edition(FakeExecutor()), recorder), Call(method, "c-1"))
    assert not recorder.records
    await handle(Gateway(edition(FakeExecutor(), FakeStage(DENIAL)), recorder), Call(method, "c"))
    assert [record.status for record in recorder.records] == [Status.DENIED]


async def test_a_list_is_recorded_as_a_decision_without_arguments() -> None:
    recorder = FakeRecorder()
    call = tool_call(method=Method.TOOLS_LIST)
    await handle(Gateway(edition(FakeExecutor()), recorder), call)
    [record] = recorder.records
    assert record.event_type is EventType.POLICY_DECISION
    assert (record.arguments, record.arguments_digest) == (None, "")


@pytest.mark.parametrize(
    "error", [ErrorCode.AUTH_REQUIRED, ErrorCode.INVALID_TOKEN, ErrorCode.TOKEN_EXPIRED]
)
async def test_an_unknown_caller_is_recorded_as_an_authentication_event(error: ErrorCode) -> None:
    recorder = FakeRecorder()
    gateway = Gateway(edition(FakeExecutor(), FakeStage(Refuse(error, "No.", "why"))), recorder)
    await handle(gateway, tool_call())
    [record] = recorder.records
    assert (record.event_type, record.status) == (EventType.AUTH_EVENT, Status.DENIED)
    assert (record.user, record.tool_version, record.rule) == ("", "", "")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ErrorCode.TOOL_NOT_FOUND, Status.DENIED),
        (ErrorCode.TOOL_DISABLED, Status.DENIED),
        (ErrorCode.SCHEMA_VIOLATION, Status.FAILURE),
        (ErrorCode.MALFORMED_JSON, Status.FAILURE),
    ],
)
async def test_denied_means_that_rules_decided(error: ErrorCode, status: Status) -> None:
    recorder = FakeRecorder()
    gateway = Gateway(edition(FakeExecutor(), FakeStage(Refuse(error, "No.", "why"))), recorder)
    await handle(gateway, tool_call())
    assert recorder.last.status is status


async def test_no_secret_reaches_any_field_of_the_record() -> None:
    recorder = FakeRecorder()
    stages = (FakeStage(DENIAL),)  # refused before authenticate could clear the credential
    await handle(Gateway(edition(FakeExecutor(), *stages), recorder), tool_call())
    await handle(Gateway(edition(FakeExecutor()), recorder), tool_call())
    written = msgspec.json.encode(recorder.records)
    assert b"bsc_secret" not in written
    assert b"9876543210" not in written


async def test_a_name_nobody_checked_does_not_fill_the_journal() -> None:
    recorder = FakeRecorder()
    call = tool_call(tool_name="x" * 1_000_000)
    await handle(Gateway(edition(FakeExecutor(), FakeStage(DENIAL)), recorder), call)
    assert recorder.last.tool_name == "x" * 256


async def test_every_record_has_an_id_of_its_own() -> None:
    recorder = FakeRecorder()
    gateway = Gateway(edition(FakeExecutor()), recorder)
    for _ in range(3):
        await handle(gateway, tool_call())
    assert len({record.event_id for record in recorder.records}) == 3


async def test_latency_is_told_in_milliseconds_since_arrival() -> None:
    recorder = FakeRecorder()
    call = tool_call(arrived=time.monotonic() - 2.0)
    await handle(Gateway(edition(FakeExecutor()), recorder), call)
    assert recorder.last.latency_ms == pytest.approx(2000, abs=500)


async def test_observers_learn_of_a_call_after_it_was_recorded() -> None:
    recorder, observer = FakeRecorder(holds=True), FakeObserver()
    gateway = Gateway(edition(FakeExecutor()), recorder, [observer])
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(gateway.handle(tool_call(), render))
        await recorder.appended.wait()
        assert not observer.seen
        recorder.release()
    assert observer.seen == recorder.records


# Questions, feeds, and calls about other things than tools.


class FakeBack:
    """A caller who answers; it notes how many records there were when it was asked."""

    def __init__(self, recorder: FakeRecorder, *, interactive: bool = True) -> None:
        self.interactive = interactive
        self.records_when_asked: list[int] = []
        self._recorder = recorder

    def notify(self, note: Notification) -> bool:
        return True

    async def drained(self) -> None:
        return None

    async def ask(self, question: Question, deadline: float) -> bytes:
        self.records_when_asked.append(len(self._recorder.records))
        return b"{}"


class Asking(FakeExecutor):
    async def execute(self, call: Call) -> Result:
        assert call.back is not None
        await call.back.ask(Question("elicitation/create", b'{"message":"PIN?"}'), 1.0)
        return Result({})


async def test_a_question_is_recorded_before_it_is_put_and_counted() -> None:
    recorder, observer = FakeRecorder(), FakeObserver()
    back = FakeBack(recorder)
    gateway = Gateway(edition(Asking()), recorder, [observer])
    await gateway.handle(tool_call(back=back), render)
    asked, called = recorder.records
    assert back.records_when_asked == [1]
    assert (asked.action, asked.tool_name, asked.user) == ("elicitation/create", "get_slots", "ann")
    assert asked.arguments is None
    assert asked.arguments_digest == sha256_digest(b'{"message":"PIN?"}')
    assert called.metadata == {"questions": 1}
    assert observer.seen == [asked, called]


class Noting(FakeExecutor):
    async def execute(self, call: Call) -> Result:
        call.notes = {"attempts": 2}
        return await super().execute(call)


async def test_how_a_call_came_to_its_result_is_in_its_record() -> None:
    recorder = FakeRecorder()
    await Gateway(edition(Noting()), recorder).handle(tool_call(), render)
    assert recorder.last.metadata == {"attempts": 2}


async def test_a_question_that_cannot_be_recorded_fails_the_call_unasked() -> None:
    recorder = FakeRecorder(fails=True)
    back = FakeBack(recorder)
    answer = await Gateway(edition(Asking()), recorder).handle(tool_call(back=back), render)
    assert isinstance(answer.outcome, Refuse)
    assert answer.outcome.error is ErrorCode.UNAVAILABLE
    assert back.records_when_asked == []


async def test_a_caller_that_is_only_told_needs_no_recording_in_between() -> None:
    recorder = FakeRecorder()
    back = FakeBack(recorder, interactive=False)
    call = tool_call(back=back)
    await Gateway(edition(FakeExecutor()), recorder).handle(call, render)
    assert call.back is back
    assert recorder.last.metadata == {}


async def test_a_feed_is_handed_out_after_its_record_and_its_end_is_recorded() -> None:
    recorder, feed = FakeRecorder(holds=True), FakeFeed(Notification("notifications/x", b"{}"))
    gateway = Gateway(edition(FakeExecutor(Result({}, feed=feed))), recorder)
    handling = asyncio.ensure_future(gateway.handle(tool_call(method=Method.LISTEN), render))
    await recorder.appended.wait()
    assert not handling.done()
    recorder.release()
    answer = await handling
    assert isinstance(answer.outcome, Result)
    assert answer.outcome.feed is not None
    await answer.outcome.feed.next()
    await answer.outcome.feed.close()
    opened, ended = recorder.records
    assert (opened.action, opened.event_type) == (
        "subscriptions/listen", EventType.POLICY_DECISION,
    )  # fmt: skip
    assert (ended.action, ended.event_type) == (
        "subscriptions/listen/ended", EventType.LIFECYCLE,
    )  # fmt: skip
    assert ended.metadata["notifications"] == 1
    recorder.release()


async def test_a_feed_that_cannot_be_recorded_is_closed_and_not_handed_out() -> None:
    feed = FakeFeed()
    gateway = Gateway(edition(FakeExecutor(Result({}, feed=feed))), FakeRecorder(fails=True))
    answer = await gateway.handle(tool_call(method=Method.LISTEN), render)
    assert isinstance(answer.outcome, Refuse)
    assert feed.closed == 1


async def test_a_feed_whose_caller_leaves_meanwhile_is_closed() -> None:
    recorder, feed = FakeRecorder(holds=True), FakeFeed()
    gateway = Gateway(edition(FakeExecutor(Result({}, feed=feed))), recorder)
    handling = asyncio.ensure_future(gateway.handle(tool_call(method=Method.LISTEN), render))
    await recorder.appended.wait()
    handling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handling
    assert feed.closed == 1
    recorder.release()


@pytest.mark.parametrize(
    ("method", "kind", "masked"),
    [
        (Method.PROMPTS_GET, EventType.TOOL_CALL, True),
        (Method.RESOURCES_READ, EventType.TOOL_CALL, True),
        (Method.TASKS_GET, EventType.TOOL_CALL, True),
        (Method.RESOURCES_LIST, EventType.POLICY_DECISION, False),
        (Method.STREAM, EventType.LIFECYCLE, False),
        (Method.END, EventType.LIFECYCLE, False),
    ],
)
async def test_each_method_has_its_kind_of_record(
    method: Method, kind: EventType, masked: bool
) -> None:
    recorder = FakeRecorder()
    call = tool_call(method=method, tool_name="", more=More(uri="a:" + "b" * 500))
    await Gateway(edition(FakeExecutor()), recorder).handle(call, render)
    assert (recorder.last.event_type, recorder.last.tool_name) == (kind, "a:" + "b" * 254)
    assert (recorder.last.arguments is not None) is masked


@pytest.mark.parametrize("method", [Method.SET_LEVEL, Method.RESPONSE])
async def test_what_only_steers_a_session_is_not_recorded(method: Method) -> None:
    recorder = FakeRecorder()
    await Gateway(edition(FakeExecutor()), recorder).handle(tool_call(method=method), render)
    assert recorder.records == []


async def test_many_refused_strangers_leave_few_records() -> None:
    recorder, observer = FakeRecorder(), FakeObserver()
    unknown = Refuse(ErrorCode.INVALID_TOKEN, "Who are you?", "no such key")
    gateway = Gateway(edition(FakeExecutor(), FakeStage(unknown)), recorder, [observer])
    for _ in range(500):
        assert (await gateway.handle(tool_call(), render)).outcome is unknown
    assert 0 < len(recorder.records) < 500
    assert len(observer.seen) == 500


class Thinned:
    """Keeps every record, after five that it did not."""

    def take(self, now: float) -> int:
        return 5


async def test_a_record_says_how_many_before_it_were_not_kept() -> None:
    recorder = FakeRecorder()
    refused = FakeStage(Refuse(ErrorCode.INVALID_TOKEN, "Who are you?", "no such key"))
    gateway = Gateway(edition(FakeExecutor(), refused), recorder)
    gateway._strangers = Thinned()  # pyright: ignore[reportAttributeAccessIssue]
    await gateway.handle(tool_call(), render)
    assert recorder.last.metadata == {"held_back": 5}


async def test_two_reads_differ_on_record_however_long_their_uris_are() -> None:
    recorder = FakeRecorder()
    gateway = Gateway(edition(FakeExecutor()), recorder)
    for end in ("1", "2"):
        more = More(uri="a:" + "b" * 500 + end)
        await handle(gateway, tool_call(method=Method.RESOURCES_READ, tool_name="", more=more))
    first, second = recorder.records
    assert first.tool_name == second.tool_name
    assert first.arguments_digest != second.arguments_digest


@pytest.mark.parametrize("method", [Method.COMPLETE, Method.TASKS_GET])
async def test_what_has_no_name_of_its_own_is_recorded_by_what_it_is_of(method: Method) -> None:
    recorder = FakeRecorder()
    target = Target(ItemKind.TASK, "up", "build", "up", "inner")
    more = More(task_id="sealed", ref=b"{}")
    call = tool_call(method=method, tool_name="", raw_arguments=b"{}", more=more, target=target)
    await handle(Gateway(edition(FakeExecutor()), recorder), call)
    assert recorder.last.tool_name == "build"
    assert recorder.last.arguments_digest == sha256_digest(b'{"taskId":"sealed","ref":{}}')


async def test_of_a_stranger_no_uri_is_kept() -> None:
    recorder = FakeRecorder()
    more = More(uri="a://what-a-stranger-wrote")
    call = tool_call(
        method=Method.RESOURCES_READ, tool_name="", raw_arguments=b"{}", more=more, principal=None
    )
    await handle(Gateway(edition(FakeExecutor(), FakeStage(DENIAL)), recorder), call)
    assert (recorder.last.tool_name, recorder.last.arguments_digest) == ("", "")


class Showing(FakeExecutor):
    """As the stage that finds the tool does, of one that a bundle borrows."""

    async def execute(self, call: Call) -> Result:
        home = Home("get_slots", "booking", {})
        call.tool = replace(make_tool("free_slots", bundle="desk", version="1.2.0"), home=home)
        call.tool_name = home.name
        return Result({})


async def test_a_borrowed_tool_is_recorded_by_its_own_name_and_the_bundles_beside() -> None:
    recorder = FakeRecorder()
    await Gateway(edition(Showing()), recorder).handle(tool_call(), render)
    record = recorder.records[0]
    assert (record.tool_name, record.tool_version) == ("get_slots", "1.2.0")
    assert record.metadata == {"bundle": "desk", "shown_as": "free_slots"}

"""The assistant's tools over a gateway: what it is asked, and what becomes of what it answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from bascule.api.chat_wire import MOST_LEVELS
from bascule.app.chatting import SignIns
from bascule.app.toolbox import AGENT, GatewayToolbox
from bascule.chat.parts import InputRequest
from bascule.chat.toolbox import Asks, CallOutcome, Progress, Questions, Ran, Refused, ToolCall
from bascule.gateway.backchannel import CallerGone, Notification, Question
from bascule.gateway.builtin import CALL_TOOL, SEARCH_TOOLS
from bascule.gateway.call import Call, Method, Outcome, Result, ResultKind
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.kernel import Edition, Gateway
from bascule.gateway.principal import Evidence, Means, Principal
from bascule.gateway.rule import Effect, Rule
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.verdict import Challenge, Need, Refuse
from bascule.policy.access import Access
from bascule.storage.database import Database, open_database
from bascule.storage.errors import DatabaseUnreachable
from bascule.storage.repositories.sessions import SessionDraft, Sessions
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.users import UserDraft, Users
from bascule.storage.schema import migrate
from bascule.storage.seed import seed_defaults
from fakes.catalogue import TENANT, make_tool
from fakes.recorder import FakeRecorder

ANN = Principal(TENANT, "ann", frozenset({"user"}), frozenset({"tools:execute"}), key_id="k")
Answer = Callable[[Call], Outcome]


class Script:
    """Answers calls as told, once their caller is known."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.calls: list[Call] = []

    async def run(self, call: Call) -> Outcome:
        self.calls.append(call)
        call.principal, call.rule = call.vouched, "rule-1"
        return self._answer(call)


async def still_here(principal: Principal) -> Refuse | None:
    del principal
    return None


def over(
    answer: Answer, snapshot: Snapshot | None = None
) -> tuple[GatewayToolbox, Script, FakeRecorder]:
    script, recorder = Script(answer), FakeRecorder()
    gateway = Gateway(Edition(snapshot or Snapshot(), script), recorder)
    toolbox = GatewayToolbox(gateway, Access, still_here, lambda: "10.0.0.7", 30.0)
    return toolbox, script, recorder


def a_call(**members: Any) -> ToolCall:
    given: dict[str, Any] = {
        "name": "book",
        "arguments": {"day": "today"},
        "idempotency_key": "key-1",
        "deadline_seconds": 5.0,
        "on_progress": lambda _: None,
        **members,
    }
    return ToolCall(**given)


async def outcome_of(outcome: Outcome, **members: Any) -> CallOutcome:
    toolbox, _, _ = over(lambda _: outcome)
    return await toolbox.call(ANN, a_call(**members))


async def test_a_call_goes_the_way_of_every_call_in_the_name_of_the_person() -> None:
    body = {"content": [{"type": "text", "text": "ok"}], "structuredContent": {"number": 7}}
    toolbox, script, recorder = over(lambda _: Result(body))
    found = await toolbox.call(ANN, a_call())
    (call,) = script.calls
    assert found == Ran(body["content"], {"number": 7}, False, call.correlation_id, "rule-1")
    assert (call.method, call.tool_name, call.credential) == (Method.TOOLS_CALL, "book", None)
    assert (call.arguments, call.raw_arguments) == ({"day": "today"}, b'{"day":"today"}')
    assert (call.idempotency_key, call.peer) == ("key-1", "10.0.0.7")
    assert 4.0 < call.deadline - call.arrived <= 5.0
    assert call.capabilities.elicitation
    assert call.capabilities.elicitation_url
    assert not call.capabilities.sampling
    record = recorder.last
    assert (record.user, record.agent, record.agent_verified) == ("ann", AGENT, False)


async def test_the_software_of_the_person_stays_on_record_beside_the_assistant() -> None:
    toolbox, _, recorder = over(lambda _: Result({}))
    await toolbox.call(replace(ANN, agent="desk"), a_call())
    assert (recorder.last.agent, recorder.last.metadata["via"]) == ("desk", AGENT)
    await toolbox.call(replace(ANN, agent=AGENT), a_call())
    assert recorder.last.agent == AGENT
    assert "via" not in recorder.last.metadata


async def test_no_call_takes_longer_than_a_request_may() -> None:
    toolbox, script, _ = over(lambda _: Result({}))
    await toolbox.call(ANN, a_call(deadline_seconds=500.0))
    assert script.calls[0].deadline - script.calls[0].arrived == pytest.approx(30.0)


async def test_structured_content_that_is_no_object_becomes_one() -> None:
    found = await outcome_of(Result({"structuredContent": [1]}, is_error=True))
    assert isinstance(found, Ran)
    assert (found.structured, found.is_error) == ({"result": [1]}, True)


async def test_what_a_person_must_visit_is_told_with_its_address() -> None:
    for need, is_elevation in ((Need.ELEVATION, True), (Need.CONSENT, False)):
        found = await outcome_of(Challenge("Ask first.", "why", "https://gw/elevate/x", need))
        assert isinstance(found, Asks)
        assert (found.url, found.sentence, found.is_elevation) == (
            "https://gw/elevate/x",
            "Ask first.",
            is_elevation,
        )


@pytest.mark.parametrize(
    ("error", "is_denial", "may_have_acted"),
    [
        (ErrorCode.FORBIDDEN, True, False),
        (ErrorCode.TOOL_NOT_FOUND, True, False),
        (ErrorCode.SCHEMA_VIOLATION, False, False),
        (ErrorCode.RATE_LIMITED, False, False),
        (ErrorCode.UPSTREAM_UNREACHABLE, False, False),
        (ErrorCode.UPSTREAM_TIMEOUT, False, True),
        (ErrorCode.INTERNAL, False, True),
    ],
    ids=lambda one: one.code if isinstance(one, ErrorCode) else str(one),
)
async def test_a_refusal_says_whose_it_is_and_whether_anything_was_done(
    error: ErrorCode, is_denial: bool, may_have_acted: bool
) -> None:
    found = await outcome_of(Refuse(error, "No.", "secret reason"))
    assert isinstance(found, Refused)
    assert (found.code, found.sentence, found.rule) == (error.code, "No.", "rule-1")
    assert (found.is_denial, found.may_have_acted) == (is_denial, may_have_acted)


_FORM = {"method": "elicitation/create", "params": {
    "message": "How many?", "requestedSchema": {"type": "object", "properties": {}}}}  # fmt: skip
_PAGE = {"method": "elicitation/create", "params": {
    "mode": "url", "message": "Pay.", "url": "https://pay.example"}}  # fmt: skip


async def test_questions_of_a_server_come_back_and_answers_go_with_its_state() -> None:
    body: dict[str, object] = {
        "inputRequests": {"n": _FORM, "p": _PAGE},
        "requestState": "sealed",
    }
    found = await outcome_of(Result(body, kind=ResultKind.INPUT_REQUIRED))
    assert isinstance(found, Questions)
    assert found.state == "sealed"
    assert list(found.inputs) == [
        InputRequest("n", "How many?", {"type": "object", "properties": {}}),
        InputRequest("p", "Pay.", None, "https://pay.example"),
    ]
    toolbox, script, _ = over(lambda _: Result({}))
    answers = {"n": {"action": "accept", "content": {"count": 2}}}
    await toolbox.call(ANN, a_call(answers=answers, state="sealed"))
    more = script.calls[0].more
    assert msgspec.json.decode(more.input_responses or b"") == answers
    assert more.request_state == "sealed"


@pytest.mark.parametrize(
    "result",
    [Result({"content": "no list"}), Result({}, kind=ResultKind.TASK)],
    ids=["unreadable", "task"],
)
async def test_an_answer_that_is_none_may_have_come_of_a_deed(result: Result) -> None:
    found = await outcome_of(result)
    assert isinstance(found, Refused)
    assert (found.code, found.may_have_acted) == ("E4004", True)


@pytest.mark.parametrize("member", ["structuredContent", "content"])
async def test_a_result_that_is_too_deep_to_be_shown_is_none(member: str) -> None:
    deep: dict[str, object] = {}
    for _ in range(MOST_LEVELS):
        deep = {"a": deep}
    found = await outcome_of(Result({member: [deep] if member == "content" else deep}))
    assert isinstance(found, Refused)
    assert "nested" in found.sentence
    assert found.may_have_acted


async def test_without_its_database_nothing_is_called() -> None:
    async def nobody_knows(_: Principal) -> Refuse | None:
        raise DatabaseUnreachable("The database does not answer.")

    script = Script(lambda _: Result({}))
    gateway = Gateway(Edition(Snapshot(), script), FakeRecorder())
    toolbox = GatewayToolbox(gateway, Access, nobody_knows, str, 30.0)
    found = await toolbox.call(ANN, a_call())
    assert isinstance(found, Refused)
    assert (found.sentence, found.may_have_acted) == ("The database does not answer.", False)
    assert script.calls == []


async def test_progress_is_told_and_nothing_else_and_nothing_can_be_asked() -> None:
    heard: list[Progress] = []

    def answer(call: Call) -> Outcome:
        back = call.back
        assert back is not None
        assert not back.interactive
        assert call.more.progress_token is not None
        params = b'{"progressToken":1,"progress":2,"total":5,"message":"Half."}'
        assert back.notify(Notification("notifications/progress", params))
        assert back.notify(Notification("notifications/message", b"{}"))
        assert not back.notify(Notification("notifications/progress", b'{"progress":"x"}'))
        return Result({})

    toolbox, script, _ = over(answer)
    await toolbox.call(ANN, a_call(on_progress=heard.append))
    assert heard == [Progress(2.0, 5.0, "Half.")]
    back = script.calls[0].back
    assert back is not None
    await back.drained()
    with pytest.raises(CallerGone):
        await back.ask(Question("elicitation/create", b"{}"), 0.0)


def listed(*names: str) -> msgspec.Raw:
    shown = [{"name": one, "description": "", "inputSchema": {"type": "object"}} for one in names]
    return msgspec.Raw(msgspec.json.encode(shown))


async def test_all_pages_of_the_list_are_offered_but_for_what_is_only_to_be_seen() -> None:
    tools = {one: make_tool(one) for one in ("book", "look", "wipe")}
    everybody = Rule("all", Effect.ALLOW, frozenset({"user"}))
    never = Rule("never", Effect.DENY, frozenset({"user"}), tools=frozenset({"wipe"}))
    view = TenantView(TENANT, tools=tools, rules=(everybody, never))
    pages = {None: ("book", "wipe"), "next": ("look", SEARCH_TOOLS, CALL_TOOL)}

    def answer(call: Call) -> Outcome:
        body: dict[str, object] = {"tools": listed(*pages[call.cursor])}
        return Result(body if call.cursor else {**body, "nextCursor": "next"})

    toolbox, script, _ = over(answer, Snapshot(tenants={TENANT: view}))
    found = await toolbox.offered(ANN)
    assert [(one.name, one.risk) for one in found] == [
        ("book", "read"),
        ("look", "read"),
        (SEARCH_TOOLS, "read"),
        (CALL_TOOL, "privileged"),
    ]
    assert [call.method for call in script.calls] == [Method.TOOLS_LIST] * 2
    assert all(call.vouched is ANN for call in script.calls)


async def test_a_list_that_is_refused_is_refused_with_its_code() -> None:
    toolbox, _, _ = over(lambda _: Refuse(ErrorCode.TOKEN_EXPIRED, "Too late.", "late"))
    with pytest.raises(GatewayError, match="Too late"):
        await toolbox.offered(ANN)


# Sign-ins that are over.


async def sign_in(database: Database) -> Principal:
    now = datetime.now(UTC) + timedelta(minutes=1)  # after the password was set
    async with database.change(author="t") as session:
        tenant = (await seed_defaults(session)).id
        user = await Users(session, tenant).create(UserDraft("carol", password_hash="$"))
        draft = SessionDraft(user.id, b"v" * 32, now, now + timedelta(hours=1))
        opened = await Sessions(session, tenant).open(draft)
    evidence = Evidence(
        Means.SESSION, "default", "", str(user.id), "carol", credential_id=str(opened.id)
    )
    return Principal("default", "carol", frozenset(), user_id=str(user.id), evidence=evidence)


async def test_who_signed_out_has_no_tools_any_more(tmp_path: Path) -> None:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/b.db") as database:
        await migrate(database)
        carol = await sign_in(database)
        sign_ins = SignIns(database)
        script = Script(lambda _: Result({"tools": listed()}))
        gateway = Gateway(Edition(Snapshot(), script), FakeRecorder())
        toolbox = GatewayToolbox(gateway, Access, sign_ins.has_ended, str, 30.0)
        assert await toolbox.offered(carol) == []
        assert await sign_ins.has_ended(ANN) is None
        evidence = carol.evidence
        assert evidence is not None
        async with database.jotting() as session:
            tenant = (await Tenants(session).get("default")).id
            sessions = Sessions(session, tenant)
            user_id = (await Users(session, tenant).get("carol")).id
            await sessions.end_all(user_id, datetime.now(UTC))
        with pytest.raises(GatewayError, match="session has ended"):
            await toolbox.offered(carol)
        found = await toolbox.call(carol, a_call())
        assert isinstance(found, Refused)
        assert (found.code, found.is_denial) == ("E1003", True)
        assert len(script.calls) == 1
        for other in (str(uuid4()), "no id"):
            stranger = replace(carol, evidence=replace(evidence, credential_id=other))
            assert await sign_ins.has_ended(stranger) is not None

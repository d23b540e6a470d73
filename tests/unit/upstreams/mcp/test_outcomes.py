import msgspec
import pytest

from bascule.gateway.call import Method, More, Result, ResultKind
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.errors import UpstreamFailed
from bascule.gateway.seals import Seals
from bascule.gateway.tasks import TaskIds
from bascule.upstreams.mcp.outcomes import Outcomes

TASKS = read_capabilities(b'{"extensions":{"io.modelcontextprotocol/tasks":{}}}')


@pytest.fixture
def task_ids() -> TaskIds:
    return TaskIds(Seals([b"k" * 32]))


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b'{"x": 1.50}', ResultKind.COMPLETE),
        (b'{"x": 1.50,"resultType":"complete"}', ResultKind.COMPLETE),
        (b'{"x": 1.50,"resultType":"input_required"}', ResultKind.INPUT_REQUIRED),
        (b'{"x": 1.50,"resultType":"task"}', ResultKind.TASK),
    ],
)
def test_kind_is_read_and_all_else_left_as_it_is(raw: bytes, kind: ResultKind) -> None:
    result = Outcomes("peer", None).read(raw)
    assert result.kind is kind
    assert result.body == {"x": msgspec.Raw(b"1.50")}


@pytest.mark.parametrize("raw", [b"[1]", b"7", b"", b'{"resultType":7}', b'{"resultType":"new"}'])
def test_what_is_no_result_fails(raw: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        Outcomes("peer", None).read(raw)


def test_error_of_the_tool_is_noted(make_call) -> None:
    outcomes = Outcomes("peer", None)
    result = outcomes.read(b'{"isError": true }')
    assert result.is_error
    assert outcomes.named_for_caller(make_call(), result) is result


def test_new_task_gets_an_id_of_its_callers_own(make_call, task_ids) -> None:
    outcomes, call = Outcomes("peer", task_ids), make_call(capabilities=TASKS)
    result = outcomes.read(b'{"resultType":"task","taskId":"inner","status":"working"}')
    shown = outcomes.named_for_caller(call, result)
    assert shown.kind is ResultKind.TASK
    assert shown.body["status"] == msgspec.Raw(b'"working"')
    assert call.principal is not None
    assert task_ids.open(call.principal, str(shown.body["taskId"])).inner == "inner"


def test_task_for_who_knows_of_none_fails(make_call, task_ids) -> None:
    result = Result({"taskId": msgspec.Raw(b'"x"')}, kind=ResultKind.TASK)
    with pytest.raises(UpstreamFailed):
        Outcomes("peer", task_ids).named_for_caller(make_call(), result)
    with pytest.raises(UpstreamFailed):
        Outcomes("peer", None).named_for_caller(make_call(capabilities=TASKS), result)
    prompt = make_call(capabilities=TASKS)
    prompt.method = Method.PROMPTS_GET
    with pytest.raises(UpstreamFailed):
        Outcomes("peer", task_ids).named_for_caller(prompt, result)


def test_task_is_told_under_the_id_it_was_asked_by(make_call, task_ids) -> None:
    call = make_call(capabilities=TASKS, more=More(task_id="sealed"))
    call.method = Method.TASKS_GET
    outcomes = Outcomes("peer", task_ids)
    shown = outcomes.named_for_caller(call, outcomes.read(b'{"taskId":"inner","status":"x"}'))
    assert shown.body == {"taskId": "sealed", "status": msgspec.Raw(b'"x"')}


@pytest.mark.parametrize(
    ("value", "is_error"),
    [(b"true", True), (b'"true"', True), (b"1", True), (b"false", False), (b"null", False)],
)
def test_an_error_that_is_no_boolean_is_one_on_record(value: bytes, is_error: bool) -> None:
    assert Outcomes("up", None).read(b'{"isError":%b}' % value).is_error is is_error


@pytest.mark.parametrize(
    "question",
    [
        b'{"method":"shell/run"}',
        b'{"method":"elicitation/create","params":{"mode":"url","url":"javascript:x"}}',
        b"1",
    ],
)
def test_a_task_asks_by_the_rules_by_which_a_call_does(
    make_call, task_ids, question: bytes
) -> None:
    outcomes = Outcomes("peer", task_ids)
    call = make_call(more=More(task_id="sealed"), capabilities=TASKS)
    call.method = Method.TASKS_GET
    asking = b'{"taskId":"t","inputRequests":{"q":%b}}'
    with pytest.raises(UpstreamFailed):
        outcomes.named_for_caller(call, outcomes.read(asking % question))
    shown = outcomes.named_for_caller(call, outcomes.read(asking % b'{"method":"roots/list"}'))
    assert shown.body["inputRequests"] == msgspec.Raw(b'{"q":{"method":"roots/list"}}')

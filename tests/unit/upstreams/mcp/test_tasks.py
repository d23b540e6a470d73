import json

import msgspec
import pytest

from bascule.gateway.call import Call, Method, More
from bascule.gateway.capabilities import Capabilities, read_capabilities
from bascule.gateway.errors import UpstreamFailed
from bascule.gateway.seals import Seals
from bascule.gateway.tasks import TaskHandle
from bascule.upstreams.mcp.messages import decode_members
from bascule.upstreams.mcp.tasks import TaskIds, begun, told
from fakes.catalogue import make_principal

IDS = TaskIds(Seals([bytes(range(32))]))
ANN = make_principal("ann")
KNOWS_TASKS = read_capabilities(b'{"extensions":{"io.modelcontextprotocol/tasks":{}}}')
BEGUN = (
    b'{"taskId":"t-1","status":"working","createdAt":"2026-07-28T10:00:00Z",'
    b'"lastUpdatedAt":"2026-07-28T10:00:00Z","ttlMs":600000,"pollIntervalMs":1e2,"extra":[1]}'
)


def call(
    method: Method = Method.TOOLS_CALL, capabilities: Capabilities = KNOWS_TASKS, task_id: str = ""
) -> Call:
    return Call(
        method,
        "c-1",
        tool_name="work",
        principal=ANN,
        capabilities=capabilities,
        more=More(task_id=task_id),
    )


def members(raw: bytes) -> dict[str, msgspec.Raw]:
    decoded = decode_members(raw)
    assert decoded is not None
    return decoded


def test_a_new_task_comes_under_an_id_that_opens_to_where_it_is():
    body = begun(IDS, call(), "jobs", members(BEGUN))

    assert IDS.open(ANN, str(body["taskId"])) == TaskHandle("jobs", "t-1", "work")


def test_all_else_of_a_new_task_is_as_it_came():
    body = begun(IDS, call(), "jobs", members(BEGUN))
    expected = json.loads(BEGUN) | {"taskId": body["taskId"]}

    assert json.loads(msgspec.json.encode(body)) == expected
    assert b'"pollIntervalMs":1e2' in msgspec.json.encode(body)


@pytest.mark.parametrize("name", ["requestState", "inputRequests", "result", "error"])
def test_what_does_not_belong_to_a_new_task_is_taken_out(name: str):
    body = begun(IDS, call(), "jobs", members(BEGUN[:-1] + b',"%b":{}}' % name.encode()))

    assert name not in body


def test_a_task_for_a_caller_that_did_not_declare_them_is_the_upstreams_failure():
    with pytest.raises(UpstreamFailed, match="tasks"):
        begun(IDS, call(capabilities=Capabilities()), "jobs", members(BEGUN))


@pytest.mark.parametrize("task_id", [b"7", b"null", b'"%b"' % (b"x" * 9000)])
def test_a_task_without_a_usable_id_is_the_upstreams_failure(task_id: bytes):
    with pytest.raises(UpstreamFailed, match="id"):
        begun(IDS, call(), "jobs", members(b'{"status":"working","taskId":%b}' % task_id))


def test_a_task_without_any_id_is_the_upstreams_failure():
    with pytest.raises(UpstreamFailed, match="id"):
        begun(IDS, call(), "jobs", {})


def test_a_task_for_nobody_is_a_mistake_of_ours():
    with pytest.raises(RuntimeError):
        begun(IDS, Call(Method.TOOLS_CALL, "c-1"), "jobs", members(BEGUN))


def test_an_answer_carries_the_id_exactly_as_the_client_sent_it():
    answer = members(
        b'{"taskId":"t-1","status":"input_required","inputRequests":{"a":1e2},"requestState":"s"}'
    )

    body = told(call(Method.TASKS_GET, task_id="as-sent"), answer)

    assert msgspec.json.encode(body) == (
        b'{"taskId":"as-sent","status":"input_required","inputRequests":{"a":1e2}}'
    )


def test_an_acknowledgement_stays_one():
    assert told(call(Method.TASKS_CANCEL, task_id="as-sent"), members(b"{}")) == {}

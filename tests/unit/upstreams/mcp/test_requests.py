import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bascule.gateway.call import Call, Method, More
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.tool import Home
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.messages import Outgoing, SessionKey, encode
from bascule.upstreams.mcp.requests import Requests
from bascule.upstreams.mcp.rounds import FIRST, Retry
from fakes.asking import Back

CAN_BE_ASKED = read_capabilities(b'{"elicitation":{}}')


def target(kind: ItemKind, inner: str) -> Target:
    return Target(kind, "peer", f"peer_{inner}", "b", inner)


def params_of(request: Outgoing) -> dict[str, Any]:
    return json.loads(encode("1", request, Era.MODERN))["params"]


def make(call: Call, retry: Retry = FIRST, *, forwards: bool = True) -> Outgoing:
    return Requests(over_http=True, forwards_capabilities=forwards).make(call, retry)


@pytest.fixture
def about(make_call: Callable[..., Call]) -> Callable[..., Call]:
    """A call of a method besides tools/call, of what the upstream calls `inner`."""

    def about(method: Method, kind: ItemKind, inner: str, **fields: Any) -> Call:
        call = make_call(arguments=fields.pop("arguments", {}), **fields)
        call.method, call.target, call.tool = method, target(kind, inner), None
        return call

    return about


@pytest.mark.parametrize(
    ("method", "kind", "member", "named"),
    [
        (Method.PROMPTS_GET, ItemKind.PROMPT, "name", True),
        (Method.RESOURCES_READ, ItemKind.RESOURCE, "uri", True),
        (Method.SUBSCRIBE, ItemKind.RESOURCE, "uri", False),
        (Method.UNSUBSCRIBE, ItemKind.RESOURCE, "uri", False),
        (Method.TASKS_GET, ItemKind.TASK, "taskId", True),
        (Method.TASKS_CANCEL, ItemKind.TASK, "taskId", True),
    ],
)
def test_upstream_is_told_its_own_name(about, method, kind, member, named) -> None:
    request = make(about(method, kind, "file:///a%20b"))
    params = params_of(request)
    assert request.method == method.value
    assert params[member] == "file:///a%20b"
    assert set(params) == {member, "_meta"}
    assert request.name == ("file:///a%20b" if named else None)


def test_arguments_of_a_prompt_go_along_where_there_are_any(about) -> None:
    call = about(Method.PROMPTS_GET, ItemKind.PROMPT, "p", arguments={"a": "1"})
    assert params_of(make(call))["arguments"] == {"a": "1"}


@pytest.mark.parametrize(
    ("kind", "ref", "expected"),
    [
        (ItemKind.PROMPT, {"type": "ref/prompt", "name": "peer_p", "title": "P"}, "name"),
        (ItemKind.TEMPLATE, {"type": "ref/resource", "uri": "x:{y}"}, "uri"),
    ],
)
def test_completion_is_asked_about_the_upstreams_own_thing(about, kind, ref, expected) -> None:
    more = More(
        ref=json.dumps(ref).encode(),
        argument=b'{"name":"a","value":1.50}',
        context=b'{"arguments":{}}',
    )
    request = make(about(Method.COMPLETE, kind, "p", more=more))
    params = params_of(request)
    assert params["ref"] == {**ref, expected: "p"}
    assert params["context"] == {"arguments": {}}
    assert b'{"name":"a","value":1.50}' in request.members
    assert request.name is None


def test_answers_to_a_tasks_questions_pass_byte_for_byte(about) -> None:
    more = More(input_responses=b'{"q": {"n": 1.50}}')
    request = make(about(Method.TASKS_UPDATE, ItemKind.TASK, "t", more=more))
    assert b'"inputResponses":{"q": {"n": 1.50}}' in request.members


def test_retry_says_what_came_since_byte_for_byte(make_call) -> None:
    request = make(make_call(), Retry(b'{"q": 12345}', '{"state": "x"}'))
    assert b'"inputResponses":{"q": 12345}' in request.members
    assert params_of(request)["requestState"] == '{"state": "x"}'
    assert "requestState" not in params_of(make(make_call()))
    assert params_of(make(make_call(), Retry(request_state="")))["requestState"] == ""


def test_capabilities_are_declared_only_where_questions_can_be_brought_back(make_call) -> None:
    call = make_call(capabilities=CAN_BE_ASKED)
    told = make(call)
    assert told.capabilities == b'{"elicitation":{}}'
    assert told.session == SessionKey("t", "key|ann", b'{"elicitation":{}}')
    assert told.session.can_ask
    silent = make(call, forwards=False)
    assert silent.capabilities == b"{}"
    assert not silent.session.can_ask


def test_progress_is_asked_for_under_a_token_used_once(make_call) -> None:
    more = More(progress_token=1, log_level="debug")
    requests = Requests(over_http=True, forwards_capabilities=False)
    calls = [make_call(more=more, back=Back()) for _ in range(2)]
    first, second = (requests.make(call, FIRST) for call in calls)
    assert first.progress_token is not None
    assert first.progress_token != second.progress_token
    meta = params_of(first)["_meta"]
    assert meta["progressToken"] == first.progress_token
    assert meta["io.modelcontextprotocol/logLevel"] == "debug"


def test_what_cannot_be_passed_back_is_not_asked_for(make_call) -> None:
    request = make(make_call(more=More(progress_token=1, log_level="debug")))
    assert (request.progress_token, request.log_level) == (None, None)


def test_tool_of_a_newer_snapshot_is_made_ready_anew(make_call) -> None:
    requests = Requests(over_http=True, forwards_capabilities=False)
    call = make_call()
    assert b"x-mcp-risk-level: read" in requests.make(call, FIRST).prepared
    assert requests.make(call, FIRST).prepared is requests.make(call, FIRST).prepared
    newer = make_call("add", schema={"properties": {}})
    assert requests.make(newer, FIRST).prepared is not requests.make(call, FIRST).prepared


def test_call_that_was_not_prepared_is_a_mistake(make_call, about) -> None:
    untargeted = about(Method.RESOURCES_READ, ItemKind.RESOURCE, "x")
    untargeted.target = None
    toolless = make_call()
    toolless.tool = None
    for call in (untargeted, toolless):
        with pytest.raises(RuntimeError):
            make(call)


def test_a_server_is_told_the_tools_own_name_and_what_it_wants_repeated(make_call) -> None:
    """A bundle's showing lacks the argument that it fixes, and that the server wants mirrored."""
    whole = {"properties": {"a": {"type": "integer", "x-mcp-header": "A"}}}
    call = make_call(schema={"properties": {}})
    shown = replace(call.tool, name="shown", home=Home("peer_add", "b", whole))
    call.tool = shown
    request = Requests(over_http=True, forwards_capabilities=False).make(call, FIRST)
    assert b"x-mcp-tool-name: peer_add" in request.prepared
    assert [value for _, value in request.mirrored] == ["1"]

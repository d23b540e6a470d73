"""Parameters of every method, as reading takes them from both eras."""

import json
from typing import Any

import pytest

from bascule.gateway.call import NOTHING_MORE, Call, Method
from bascule.gateway.capabilities import TASKS_EXTENSION
from bascule.gateway.errors import ErrorCode
from bascule.gateway.feed import ListenFilter
from bascule.protocol.messages import CAPABILITIES_KEY, LOG_LEVEL_KEY
from bascule.transports.parameters import streams
from bascule.transports.reading import read_call
from fakes.mcp import META, headers_of, legacy, modern

PROMPT = {"type": "ref/prompt", "name": "p"}
TEMPLATE = {"type": "ref/resource", "uri": "a://{b}"}
ARGUMENT = {"name": "a", "value": ""}
TASKS = {**META, CAPABILITIES_KEY: {"extensions": {TASKS_EXTENSION: {}}}}


def read(message: dict[str, Any]) -> Call:
    headers = {k.lower().encode(): v.encode() for k, v in headers_of(message).items()}
    call = Call(Method.MALFORMED, "c-1")
    read_call(call, json.dumps(message).encode(), headers, list(headers.items()))
    return call


def error(message: dict[str, Any]) -> ErrorCode:
    fault = read(message).fault
    assert fault is not None
    return fault.error


@pytest.mark.parametrize("make", [modern, legacy], ids=["modern", "legacy"])
@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("prompts/get", {"name": "p", "arguments": {"a": "b"}}, Method.PROMPTS_GET),
        ("prompts/list", {"cursor": "c"}, Method.PROMPTS_LIST),
        ("resources/list", {"cursor": "c"}, Method.RESOURCES_LIST),
        ("resources/templates/list", {"cursor": "c"}, Method.TEMPLATES_LIST),
        ("resources/read", {"uri": "a:b"}, Method.RESOURCES_READ),
        ("completion/complete", {"ref": PROMPT, "argument": ARGUMENT}, Method.COMPLETE),
    ],
)
def test_both_eras_have_these_methods(
    make: Any, method: str, params: dict[str, object], expected: Method
) -> None:
    call = read(make(method, params))
    assert (call.fault, call.method) == (None, expected)
    if "cursor" in params:
        assert call.cursor == "c"
    if "name" in params:
        assert (call.tool_name, call.arguments) == ("p", {"a": "b"})
    if "uri" in params:
        assert call.more.uri == "a:b"


@pytest.mark.parametrize("make", [modern, legacy], ids=["modern", "legacy"])
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {}),
        ("prompts/get", {}),
        ("resources/read", {}),
        ("resources/read", {"uri": ""}),
        ("completion/complete", {"argument": ARGUMENT}),
        ("completion/complete", {"ref": PROMPT}),
        ("completion/complete", {"ref": {"type": "ref/prompt"}, "argument": ARGUMENT}),
        ("completion/complete", {"ref": {"type": "ref/resource"}, "argument": ARGUMENT}),
    ],
)
def test_what_must_be_there_is_missed(make: Any, method: str, params: dict[str, object]) -> None:
    assert error(make(method, params)) is ErrorCode.MISSING_FIELD


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "a", "arguments": [1]}),
        ("tools/call", {"name": "a", "requestState": 5}),
        ("prompts/get", {"name": "a", "arguments": "x"}),
        ("resources/read", {"uri": 5}),
        ("resources/read", {"uri": "a:" + "x" * 9000}),
        ("resources/list", {"cursor": 5}),
        ("completion/complete", {"ref": "p", "argument": ARGUMENT}),
        ("completion/complete", {"ref": ["ref/prompt", "p"], "argument": ARGUMENT}),
        ("completion/complete", {"ref": {"type": "ref/x", "name": "p"}, "argument": ARGUMENT}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": 5}, "argument": ARGUMENT}),
        ("completion/complete", {"ref": PROMPT, "argument": {"name": "a"}}),
        ("completion/complete", {"ref": PROMPT, "argument": {"name": "a", "value": 1}}),
        ("completion/complete", {"ref": PROMPT, "argument": ARGUMENT, "context": []}),
        (
            "completion/complete",
            {"ref": PROMPT, "argument": ARGUMENT, "context": {"arguments": {"a": 1}}},
        ),
        ("subscriptions/listen", {"notifications": []}),
        ("subscriptions/listen", {"notifications": {"toolsListChanged": "yes"}}),
        ("subscriptions/listen", {"notifications": {"resourceSubscriptions": "a:b"}}),
        ("subscriptions/listen", {"notifications": {"resourceSubscriptions": [1]}}),
        ("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["a:b"] * 1001}}),
        ("subscriptions/listen", {"notifications": {"taskIds": ["t"] * 1001}}),
        ("tasks/get", {"taskId": 5, "_meta": TASKS}),
    ],
)
def test_what_is_of_the_wrong_type_or_size_is_an_invalid_value(
    method: str, params: dict[str, object]
) -> None:
    assert error(modern(method, params)) is ErrorCode.INVALID_VALUE


def test_a_completion_is_kept_as_it_came() -> None:
    context = {"arguments": {"x": "y"}}
    call = read(
        modern("completion/complete", {"ref": TEMPLATE, "argument": ARGUMENT, "context": context})
    )
    assert json.loads(call.more.ref or b"") == TEMPLATE
    assert json.loads(call.more.argument or b"") == ARGUMENT
    assert json.loads(call.more.context or b"") == context


@pytest.mark.parametrize("value", [None, 12345, {"a": {"action": "accept"}}, []])
def test_answers_are_kept_whatever_they_are(value: object) -> None:
    """The upstream judges them."""
    call = read(modern(params={"name": "a", "inputResponses": value, "requestState": "s"}))
    assert json.loads(call.more.input_responses or b"") == value
    assert call.more.request_state == "s"
    assert read(modern(params={"name": "a", "requestState": None})).more.request_state is None
    assert read(modern("resources/read", {"uri": "a:b", "requestState": "t"})).more == (
        type(call.more)(uri="a:b", request_state="t")
    )


@pytest.mark.parametrize("token", ["t", "", 0, 5])
def test_a_progress_token_is_kept_with_its_type(token: int | str) -> None:
    call = read(modern(params={"name": "a", "_meta": {**META, "progressToken": token}}))
    assert call.more.progress_token == token
    assert type(call.more.progress_token) is type(token)
    assert streams(call.more)


@pytest.mark.parametrize("token", [1.5, True, None, [], {}])
def test_any_other_progress_token_is_an_invalid_value(token: object) -> None:
    meta = {**META, "progressToken": token}
    assert error(modern(params={"name": "a", "_meta": meta})) is ErrorCode.INVALID_VALUE


def test_a_log_level_is_one_of_the_known() -> None:
    call = read(modern(params={"name": "a", "_meta": {**META, LOG_LEVEL_KEY: "error"}}))
    assert call.more.log_level == "error"
    assert streams(call.more)
    for level in ("loud", "", 5):
        meta = {**META, LOG_LEVEL_KEY: level}
        assert error(modern(params={"name": "a", "_meta": meta})) is ErrorCode.INVALID_VALUE
    set_level = legacy("logging/setLevel", {"level": "debug"})
    assert read(set_level).more.level == "debug"
    assert error(legacy("logging/setLevel", {"level": "x"})) is ErrorCode.INVALID_VALUE
    assert error(legacy("logging/setLevel", {})) is ErrorCode.MISSING_FIELD


@pytest.mark.parametrize("method", ["resources/subscribe", "resources/unsubscribe"])
def test_a_legacy_subscription_names_a_resource(method: str) -> None:
    assert read(legacy(method, {"uri": "a:b"})).more.uri == "a:b"
    assert error(legacy(method, {})) is ErrorCode.MISSING_FIELD


def test_what_is_listened_to_is_read_and_unknown_members_are_not() -> None:
    wanted = {"toolsListChanged": True, "resourceSubscriptions": ["a:b"], "other": 5}
    call = read(modern("subscriptions/listen", {"notifications": wanted}))
    assert call.more.wanted == ListenFilter(
        tools_list_changed=True, resource_subscriptions=("a:b",)
    )
    assert streams(call.more)
    assert error(modern("subscriptions/listen", {})) is ErrorCode.MISSING_FIELD


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_who_declared_no_tasks_learns_nothing_about_them(method: str) -> None:
    assert read(modern(method, {"taskId": "t", "_meta": TASKS})).more.task_id == "t"
    assert error(modern(method, {"_meta": TASKS})) is ErrorCode.MISSING_FIELD
    fault = read(modern(method, {"taskId": "t"})).fault
    assert fault is not None
    assert fault.error is ErrorCode.MISSING_CAPABILITY
    needed = {"extensions": {TASKS_EXTENSION: {}}}
    assert fault.details == {"requiredCapabilities": needed}


def test_a_method_nobody_has_is_unknown_whatever_its_headers_say() -> None:
    removed = modern("tasks/result", {"taskId": "t", "_meta": TASKS})
    headers = {k.lower().encode(): v.encode() for k, v in headers_of(removed).items()}
    headers.pop(b"mcp-name")
    call = Call(Method.MALFORMED, "c-1")
    read_call(call, json.dumps(removed).encode(), headers, list(headers.items()))
    assert call.fault is not None
    assert call.fault.error is ErrorCode.UNKNOWN_METHOD


@pytest.mark.parametrize(
    ("method", "params"),
    [("resources/read", {"uri": "file:///a%20b"}), ("tasks/get", {"taskId": "t", "_meta": TASKS})],
)
def test_the_name_header_says_what_the_request_is_about(
    method: str, params: dict[str, object]
) -> None:
    message = modern(method, params)
    headers = {k.lower().encode(): v.encode() for k, v in headers_of(message).items()}
    headers[b"mcp-name"] = b"other"
    call = Call(Method.MALFORMED, "c-1")
    read_call(call, json.dumps(message).encode(), headers, list(headers.items()))
    assert call.fault is not None
    assert call.fault.error is ErrorCode.HEADER_MISMATCH


@pytest.mark.parametrize("make", [modern, legacy], ids=["modern", "legacy"])
def test_a_plain_call_carries_nothing_more(make: Any) -> None:
    """What most calls are must cost nothing."""
    call = read(make())
    assert call.more is NOTHING_MORE
    assert call.back is None
    assert not streams(call.more)


def test_capabilities_are_read_from_the_request_or_the_handshake() -> None:
    capabilities = {"sampling": {}, "elicitation": {"url": {}}}
    meta = {**META, CAPABILITIES_KEY: capabilities}
    params = {"protocolVersion": "2025-11-25", "capabilities": capabilities}
    for message in (modern(params={"name": "a", "_meta": meta}), legacy("initialize", params)):
        read_as = read(message).capabilities
        assert (read_as.sampling, read_as.elicitation_url, read_as.elicitation) == (
            True, True, False,
        )  # fmt: skip
    for bad in ([], 5, {"x": "y" * 5000}):
        meta = {**META, CAPABILITIES_KEY: bad}
        assert error(modern(params={"name": "a", "_meta": meta})) is ErrorCode.INVALID_VALUE


def test_the_headers_of_modern_requests_only_are_kept() -> None:
    assert read(modern()).headers is not None
    assert read(legacy()).headers is None

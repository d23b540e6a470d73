import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.call import Call, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Refuse
from bascule.protocol.messages import CAPABILITIES_KEY, CLIENT_INFO_KEY, VERSION_KEY
from bascule.protocol.versions import LEGACY_VERSIONS, SUPPORTED_VERSIONS, Era
from bascule.transports.reading import read_call
from fakes.mcp import META, headers_of, legacy, modern

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"


def read(
    message: Mapping[str, Any] | bytes,
    headers: Mapping[str, str | None] | None = None,
    *,
    twice: str | None = None,
) -> Call:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    wanted: dict[str, str | None] = {
        **headers_of({} if isinstance(message, bytes) else message),
        **(headers or {}),
    }
    pairs = [(k.lower().encode(), v.encode()) for k, v in wanted.items() if v is not None]
    if twice is not None:
        pairs += [pair for pair in pairs if pair[0] == twice.lower().encode()]
    call = Call(Method.MALFORMED, "c-1")
    read_call(call, body, dict(pairs), pairs)
    return call


def fault(call: Call) -> Refuse:
    assert call.fault is not None
    assert call.method is Method.MALFORMED, "what is refused must not look like something to run"
    return call.fault


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("tools/call", Method.TOOLS_CALL),
        ("tools/list", Method.TOOLS_LIST),
        ("server/discover", Method.DISCOVER),
    ],
)
def test_a_modern_request_is_read(method: str, expected: Method) -> None:
    call = read(modern(method, id="a-1"))
    assert (call.fault, call.method, call.era) == (None, expected, Era.MODERN)
    assert (call.message_id, call.version) == ("a-1", "2026-07-28")


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("tools/call", Method.TOOLS_CALL),
        ("tools/list", Method.TOOLS_LIST),
        ("ping", Method.PING),
    ],
)
@pytest.mark.parametrize("version", [*LEGACY_VERSIONS, None])
def test_a_legacy_request_is_read(method: str, expected: Method, version: str | None) -> None:
    call = read(legacy(method, id=7), {"MCP-Protocol-Version": version})
    assert (call.fault, call.method, call.era) == (None, expected, Era.LEGACY)
    assert (call.message_id, call.version) == (7, version or "2025-03-26")


@pytest.mark.parametrize("make", [modern, legacy], ids=["modern", "legacy"])
def test_a_tool_call_brings_name_and_arguments_decoded_and_as_they_came(make: Any) -> None:
    call = read(make(params={"name": "get_slots", "arguments": {"n": 1e2}}))
    assert call.fault is None
    assert (call.tool_name, call.arguments) == ("get_slots", {"n": 100.0})
    assert call.raw_arguments == b'{"n": 100.0}'


@pytest.mark.parametrize("params", [{"name": "a"}, {"name": "a", "arguments": None}])
def test_a_tool_call_without_arguments_has_none(params: dict[str, object]) -> None:
    call = read(modern(params=params))
    assert (call.fault, call.arguments) == (None, {})


@pytest.mark.parametrize("cursor", [None, "", "abc"])
def test_a_list_brings_its_cursor(cursor: str | None) -> None:
    assert read(modern("tools/list", {"cursor": cursor})).cursor == cursor
    assert read(legacy("tools/list", {"cursor": cursor})).cursor == cursor


@pytest.mark.parametrize("make", [modern, legacy], ids=["modern", "legacy"])
def test_only_a_list_has_a_cursor(make: Any) -> None:
    assert read(make("tools/list", {})).cursor is None
    assert read(make(params={"name": "a", "cursor": "abc"})).cursor is None


def test_only_a_tool_call_needs_the_name_header() -> None:
    assert read(modern("tools/list", {"name": "x"}), {"Mcp-Name": None}).fault is None


def test_who_calls_by_its_own_account_is_noted_and_cut() -> None:
    info = {"name": "x" * 5000, "version": "1"}
    assert read(modern(params={"name": "a", "_meta": {**META, CLIENT_INFO_KEY: info}})).agent == (
        "x" * 100
    )
    params = {"protocolVersion": "2025-11-25", "clientInfo": info}
    assert read(legacy("initialize", params)).agent == "x" * 100
    assert read(modern()).agent is None


@pytest.mark.parametrize("missing", ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"])
def test_a_missing_standard_header_is_a_mismatch(missing: str) -> None:
    refusal = fault(read(modern(), {missing: None}))
    assert refusal.error is ErrorCode.HEADER_MISMATCH
    assert refusal.public == f"Header mismatch: the required header {missing} is missing"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("MCP-Protocol-Version", "2025-11-25"),
        ("MCP-Protocol-Version", "2026-07-29"),
        ("Mcp-Method", "tools/list"),
        ("Mcp-Method", "TOOLS/CALL"),
        ("Mcp-Method", "=?base64?dG9vbHMvY2FsbA==?="),
        ("Mcp-Name", "delete_all"),
        ("Mcp-Name", "Get_Slots"),
        ("Mcp-Name", ""),
        ("Mcp-Name", "=?base64?ZGVsZXRlX2FsbA==?="),
        ("Mcp-Name", "=?base64?Z2V0X3Nsb3Rz?"),
        ("Mcp-Name", "=?base64?Z2V0X3Nsb3R?="),
        ("Mcp-Name", "=?base64?é?="),
        ("Mcp-Name", "get_slots, get_slots"),
    ],
)
def test_a_header_that_contradicts_the_body_is_a_mismatch(header: str, value: str) -> None:
    assert fault(read(modern(), {header: value})).error is ErrorCode.HEADER_MISMATCH


@pytest.mark.parametrize("header", ["Mcp-Method", "Mcp-Name"])
def test_a_legacy_request_is_never_judged_by_headers_it_does_not_know(header: str) -> None:
    call = read(legacy(), {header: "something else"})
    assert (call.fault, call.tool_name) == (None, "get_slots")


@pytest.mark.parametrize(
    "header",
    [
        "MCP-Protocol-Version",
        "Mcp-Method",
        "Mcp-Name",
        "Authorization",
        "Content-Type",
        "Host",
    ],
)
def test_a_repeated_header_is_refused_even_if_both_say_the_same(header: str) -> None:
    refusal = fault(read(modern(), twice=header))
    assert refusal.error is ErrorCode.HEADER_MISMATCH
    assert refusal.public == f"The header {header.lower()} came more than once."


def test_a_repeated_header_that_decides_nothing_is_no_fault() -> None:
    assert read(modern(), {"X-Forwarded-For": "1.2.3.4"}, twice="X-Forwarded-For").fault is None


def test_a_repeated_parameter_header_is_refused() -> None:
    refusal = fault(read(modern(), {"Mcp-Param-Region": "eu"}, twice="Mcp-Param-Region"))
    assert refusal.error is ErrorCode.HEADER_MISMATCH


def test_a_name_is_needed_even_if_the_header_has_one() -> None:
    call = read(modern(params={"arguments": {}}), {"Mcp-Name": "get_slots"})
    assert fault(call).error is ErrorCode.MISSING_FIELD
    assert fault(read(legacy(params={}))).error is ErrorCode.MISSING_FIELD


@pytest.mark.parametrize("key", [VERSION_KEY, CAPABILITIES_KEY])
def test_a_missing_meta_member_is_named(key: str) -> None:
    meta = {name: value for name, value in META.items() if name != key}
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
    refusal = fault(read(modern("tools/list", {"_meta": meta}), headers))
    assert refusal.error is ErrorCode.MISSING_FIELD
    assert refusal.public == f'params._meta["{key}"] is required.'


@pytest.mark.parametrize("params", [None, {}, {"_meta": {}}])
def test_a_modern_header_without_modern_meta_is_a_missing_field(params: object) -> None:
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
    call = read(legacy("tools/list", params), headers)
    assert (fault(call).error, call.era) == (ErrorCode.MISSING_FIELD, Era.MODERN)


@pytest.mark.parametrize("version", ["1900-01-01", "2026-07-29", "2024-11-05", "x" * 1000])
def test_an_unknown_version_is_told_the_spoken_ones(version: str) -> None:
    refusal = fault(read(modern(params={"name": "a", "_meta": {**META, VERSION_KEY: version}})))
    assert refusal.error is ErrorCode.UNSUPPORTED_VERSION
    assert refusal.details == {"supported": list(SUPPORTED_VERSIONS), "requested": version}


def test_modern_meta_selects_the_modern_era_even_without_any_header() -> None:
    """A header left out must not switch the checks off that compare it with the body."""
    headers = dict.fromkeys(["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"])
    call = read(modern(), headers)
    assert (fault(call).error, call.era) == (ErrorCode.HEADER_MISMATCH, Era.MODERN)


def test_an_unknown_version_in_the_header_does_not_pass_for_legacy() -> None:
    call = read(legacy("tools/list"), {"MCP-Protocol-Version": "1999-01-01"})
    assert (call.era, fault(call).error) == (Era.MODERN, ErrorCode.HEADER_MISMATCH)


@pytest.mark.parametrize(
    "message",
    [
        modern("initialize"),
        modern("ping"),
        modern("resources/subscribe"),
        modern("logging/setLevel"),
        modern("tasks/list"),
        modern("stream"),
        modern("notification"),
        modern("malformed"),
        modern("Tools/List"),
        legacy("server/discover"),
        legacy("subscriptions/listen"),
        legacy("tasks/get"),
        legacy("end"),
        legacy("response"),
        legacy("notification"),
        legacy("malformed"),
        legacy("tools/list "),
        legacy(""),
    ],
    ids=lambda message: message["method"] or "empty",
)
def test_a_method_the_era_does_not_have_is_unknown(message: dict[str, Any]) -> None:
    refusal = fault(read(message))
    assert refusal.error is ErrorCode.UNKNOWN_METHOD
    assert refusal.public == f"Method not found: {message['method']}"


@pytest.mark.parametrize(
    ("requested", "agreed"),
    [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2026-07-28", "2025-11-25"),
        ("2024-11-05", "2024-11-05"),
        ("1900-01-01", "2025-11-25"),
        ("", "2025-11-25"),
    ],
)
def test_initialize_agrees_on_a_version(requested: str, agreed: str) -> None:
    call = read(legacy("initialize", {"protocolVersion": requested}))
    assert (call.fault, call.method, call.version) == (None, Method.INITIALIZE, agreed)


def test_initialize_without_a_version_is_a_missing_field() -> None:
    assert fault(read(legacy("initialize", {}))).error is ErrorCode.MISSING_FIELD


@pytest.mark.parametrize("arguments", [[], "x", 5, True])
def test_arguments_that_are_no_object_are_an_invalid_value(arguments: object) -> None:
    refusal = fault(read(modern(params={"name": "a", "arguments": arguments})))
    assert refusal.error is ErrorCode.INVALID_VALUE
    assert refusal.public.startswith("Params.arguments must be a JSON object")


def test_arguments_of_a_hundred_thousand_brackets_are_a_fault() -> None:
    nest = b"[" * 100_000 + b"]" * 100_000
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":%b}}'
    assert fault(read(body % nest)).error is ErrorCode.MALFORMED_JSON


def test_arguments_that_are_no_unicode_are_a_fault() -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":%b}}'
    assert fault(read(body % b'{"a":"\xff"}')).error is ErrorCode.INVALID_VALUE


@pytest.mark.parametrize(
    ("body", "error", "message_id"),
    [
        (b"{", ErrorCode.MALFORMED_JSON, None),
        (b"[]", ErrorCode.INVALID_REQUEST, None),
        (b'{"id":5,"method":"ping"}', ErrorCode.INVALID_REQUEST, 5),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', ErrorCode.INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":5,"method":"ping","params":[]}', ErrorCode.INVALID_VALUE, 5),
    ],
)
@pytest.mark.parametrize("version", [None, "2025-11-25", "2026-07-28"])
def test_a_malformed_message_keeps_its_id_and_the_era_of_its_header(
    body: bytes, error: ErrorCode, message_id: int | None, version: str | None
) -> None:
    call = read(body, {"MCP-Protocol-Version": version})
    assert (fault(call).error, call.message_id) == (error, message_id)
    assert call.era is (Era.MODERN if version == "2026-07-28" else Era.LEGACY)


def test_what_was_wrong_with_a_body_is_not_repeated_in_the_record() -> None:
    refusal = fault(read(b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"name":{"secret":1}}}'))
    assert refusal.private == "malformed message: request.invalid_value"


@pytest.mark.parametrize("member", [{"result": {}}, {"error": {"code": 1, "message": ""}}])
def test_an_answer_of_a_legacy_client_is_no_request(member: dict[str, object]) -> None:
    call = read({"jsonrpc": "2.0", "id": 1, **member})
    assert (call.fault, call.method) == (None, Method.RESPONSE)
    assert call.message_id is None, "its id is the server's, not one to answer"


@pytest.mark.parametrize(
    ("member", "version"), [({"result": {}}, "2026-07-28"), ({}, None), ({}, "2026-07-28")]
)
def test_nobody_else_answers_anything(member: dict[str, object], version: str | None) -> None:
    call = read({"jsonrpc": "2.0", "id": 1, **member}, {"MCP-Protocol-Version": version})
    assert fault(call).error is ErrorCode.INVALID_REQUEST
    assert call.message_id is None


@pytest.mark.parametrize("method", ["notifications/initialized", "tools/call", "anything"])
@pytest.mark.parametrize("version", [None, "2026-07-28"])
def test_a_message_without_id_is_a_notification_whatever_it_names(
    method: str, version: str | None
) -> None:
    body = json.dumps({"jsonrpc": "2.0", "method": method, "params": {"name": "get_slots"}})
    call = read(body.encode(), {"MCP-Protocol-Version": version})
    assert (call.fault, call.method, call.tool_name) == (None, Method.NOTIFICATION, "")
    assert call.era is (Era.MODERN if version else Era.LEGACY)


def test_a_trace_context_is_taken_over() -> None:
    assert (
        read(
            modern(params={"name": "a", "_meta": {**META, "traceparent": TRACEPARENT}})
        ).traceparent
        == TRACEPARENT
    )


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "00-0-0-01",
        TRACEPARENT.upper(),
        TRACEPARENT + "\r\nX-Injected: 1",
        TRACEPARENT + "\n",
        "ff" + TRACEPARENT[2:],
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        "x" * 100_000,
    ],
    ids=lambda value: repr(value[:70]),
)
def test_a_trace_context_that_is_none_is_ignored(traceparent: str) -> None:
    """It is sent on in a header; what is not W3C format must not get there."""
    call = read(modern(params={"name": "a", "_meta": {**META, "traceparent": traceparent}}))
    assert (call.fault, call.traceparent) == (None, None)


def test_a_fault_is_told_in_bounded_words() -> None:
    long = "x" * 500_000
    for message in (modern(long), modern(params={"name": long}), legacy(long)):
        call = read(message, {"Mcp-Name": "other", "Mcp-Method": "m"})
        assert len(fault(call).public) < 600


@given(st.binary(max_size=100), st.sampled_from([None, "2025-11-25", "2026-07-28", "", "\xff"]))
def test_any_body_becomes_a_call_or_a_fault(body: bytes, version: str | None) -> None:
    call = read(body, {"MCP-Protocol-Version": version})
    assert (call.fault is None) is (call.method is not Method.MALFORMED)

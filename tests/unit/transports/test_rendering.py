import json
from typing import Any

import pytest

from bascule.gateway.call import Call, Method, Outcome, Result, ResultKind
from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Challenge, Refuse
from bascule.protocol import codes
from bascule.protocol.messages import SUBSCRIPTION_KEY
from bascule.protocol.versions import Era
from bascule.transports.rendering import ERROR_META, http_status, renderer
from fakes.feed import FakeFeed
from fakes.mcp import IDENTITY

CHALLENGE = Challenge("Ask first.", "needs approval", "https://example.com/approve")
TOOL_ERRORS = [
    ErrorCode.SCHEMA_VIOLATION,
    ErrorCode.TOOL_DISABLED,
    ErrorCode.CONSENT_REQUIRED,
    ErrorCode.ELEVATION_REQUIRED,
    ErrorCode.TOKEN_REQUIRED,
    ErrorCode.TOOL_FAILED,
    ErrorCode.TOOL_TIMEOUT,
    ErrorCode.UPSTREAM_UNREACHABLE,
    ErrorCode.UPSTREAM_TIMEOUT,
    ErrorCode.UPSTREAM_RATE_LIMITED,
    ErrorCode.UPSTREAM_FAILED,
]


def call_of(method: Method = Method.TOOLS_CALL, era: Era = Era.MODERN) -> Call:
    return Call(method, "c-1", message_id=1, era=era)


def refuse(error: ErrorCode, **details: object) -> Refuse:
    return Refuse(error, "Public words.", "private words", details or None)


def render(call: Call, outcome: Outcome) -> dict[str, Any]:
    return json.loads(renderer(IDENTITY)(call, outcome))


@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize("message_id", [1, 0, 2**64, 1.5, "", "a", "1", None])
def test_the_id_is_echoed_whatever_came_of_the_call(era: Era, message_id: Any) -> None:
    call = call_of(era=era)
    call.message_id = message_id
    for outcome in (
        Result({}),
        refuse(ErrorCode.TOOL_FAILED),
        refuse(ErrorCode.TOOL_NOT_FOUND),
        CHALLENGE,
    ):
        answer = render(call, outcome)
        if message_id is None and "error" in answer:
            assert "id" not in answer, "schema.ts: an error without a readable id has none"
            continue
        assert answer["id"] == message_id
        assert type(answer["id"]) is type(message_id)


def test_a_missing_resource_has_another_code_in_each_era() -> None:
    """Sources: 2026-07-28 and 2025-11-25, server/resources "Error Handling"."""
    refusal = refuse(ErrorCode.RESOURCE_NOT_FOUND, uri="a://b")
    relayed = refuse(ErrorCode.UPSTREAM_FAILED, rpc_code=-32602, rpc_data={"uri": "a://b"})
    for outcome in (refusal, relayed):
        for era, code in ((Era.MODERN, -32602), (Era.LEGACY, -32002)):
            error = render(call_of(Method.RESOURCES_READ, era), outcome)["error"]
            assert (error["code"], error["data"]["uri"]) == (code, "a://b")
    other = render(call_of(Method.COMPLETE, Era.LEGACY), relayed)
    assert other["error"]["code"] == -32602


@pytest.mark.parametrize("relayed", [True, False])
def test_a_missing_capability_is_a_bad_request_of_the_modern_era_only(relayed: bool) -> None:
    data = {"requiredCapabilities": {"sampling": {}}}
    if relayed:
        refusal = refuse(ErrorCode.UPSTREAM_FAILED, rpc_code=-32021, rpc_data=data)
    else:
        refusal = refuse(ErrorCode.MISSING_CAPABILITY, **data)
    for era, code, status in ((Era.MODERN, -32021, 400), (Era.LEGACY, -32602, 200)):
        call = call_of(era=era)
        error = render(call, refusal)["error"]
        assert (error["code"], http_status(call, refusal)) == (code, status)
        assert error["data"]["requiredCapabilities"] == {"sampling": {}}


def test_the_kind_of_a_result_is_told_to_modern_callers_only() -> None:
    outcome = Result({"inputRequests": {}}, kind=ResultKind.INPUT_REQUIRED)
    assert render(call_of(), outcome)["result"]["resultType"] == "input_required"
    assert render(call_of(era=Era.LEGACY), outcome)["result"] == {"inputRequests": {}}


def test_the_result_of_a_subscription_names_it() -> None:
    outcome = Result({}, feed=FakeFeed())
    result = render(call_of(Method.LISTEN), outcome)["result"]
    assert result["_meta"][SUBSCRIPTION_KEY] == 1
    assert SUBSCRIPTION_KEY not in render(call_of(), outcome)["result"]["_meta"]


def test_a_result_is_in_the_terms_of_the_era() -> None:
    outcome = Result({"content": [], "ttlMs": 0})
    assert render(call_of(), outcome)["result"]["resultType"] == "complete"
    assert render(call_of(era=Era.LEGACY), outcome)["result"] == {"content": []}


@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize("error", TOOL_ERRORS, ids=lambda error: error.code)
def test_what_a_model_can_act_on_is_a_tool_result(era: Era, error: ErrorCode) -> None:
    """Source: server/tools "Error Handling"."""
    answer = render(call_of(era=era), refuse(error, field="day"))
    assert "error" not in answer
    result = answer["result"]
    assert result["isError"] is True
    assert result["content"] == [{"type": "text", "text": f"{error.code}: Public words."}]
    assert result["_meta"][ERROR_META] == {
        "code": error.code,
        "correlation_id": "c-1",
        "details": {"field": "day"},
    }
    assert ("resultType" in result) is (era is Era.MODERN)
    assert http_status(call_of(era=era), refuse(error)) == 200


@pytest.mark.parametrize("era", Era)
def test_an_argument_that_cannot_be_sent_is_the_models_to_correct(era: Era) -> None:
    """Source: server/tools "Error Handling": input validation errors are tool results."""
    details = {"field": "id"}
    refusal = Refuse(ErrorCode.INVALID_VALUE, "`id` is empty.", "p", details, True)
    result = render(call_of(era=era), refusal)["result"]
    assert result["isError"] is True
    assert result["content"] == [{"type": "text", "text": "E2004: `id` is empty."}]
    assert result["_meta"][ERROR_META]["details"] == details
    assert http_status(call_of(era=era), refusal) == 200
    prompt = render(call_of(Method.PROMPTS_GET, era), refusal)
    assert prompt["error"]["code"] == codes.INVALID_PARAMS


@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize(
    "error", [one for one in ErrorCode if one not in TOOL_ERRORS], ids=lambda error: error.code
)
def test_everything_else_is_a_protocol_error(era: Era, error: ErrorCode) -> None:
    answer = render(call_of(era=era), refuse(error))
    assert "result" not in answer
    legacy_knows = era is Era.MODERN or error is not ErrorCode.MISSING_CAPABILITY
    assert answer["error"]["code"] == (error.rpc_code if legacy_knows else codes.INVALID_PARAMS)
    assert answer["error"]["message"] == "Public words."
    assert answer["error"]["data"]["code"] == error.code


@pytest.mark.parametrize("error", TOOL_ERRORS, ids=lambda error: error.code)
def test_only_a_tool_call_has_tool_results(error: ErrorCode) -> None:
    assert "error" in render(call_of(Method.TOOLS_LIST), refuse(error))


@pytest.mark.parametrize("error", ErrorCode, ids=lambda error: error.code)
def test_private_words_are_never_rendered(error: ErrorCode) -> None:
    for method in Method:
        assert "private" not in json.dumps(render(call_of(method), refuse(error)))


def test_an_error_tells_the_correlation_id_to_quote() -> None:
    assert render(call_of(), refuse(ErrorCode.INTERNAL))["error"]["data"] == {
        "code": "E5001",
        "correlation_id": "c-1",
    }


def test_an_unsupported_version_has_the_data_the_specification_fixes() -> None:
    outcome = refuse(ErrorCode.UNSUPPORTED_VERSION, supported=["2026-07-28"], requested="1900")
    error = render(call_of(Method.MALFORMED), outcome)["error"]
    assert error["code"] == codes.UNSUPPORTED_VERSION
    assert error["data"] == {"supported": ["2026-07-28"], "requested": "1900", "code": "E2009"}


@pytest.mark.parametrize("era", Era)
def test_a_challenge_is_a_refusal_that_says_where_to_ask(era: Era) -> None:
    call = call_of(era=era)
    result = render(call, CHALLENGE)["result"]
    error = result["_meta"][ERROR_META]
    assert result["isError"] is True
    assert result["content"][0]["text"].startswith("E1012: Ask first.")
    assert error["code"] == "E1012"
    assert error["details"] == {
        "requires_elevation": True,
        "elevation_url": "https://example.com/approve",
    }
    assert http_status(call, CHALLENGE) == 200


@pytest.mark.parametrize("rpc_code", [-32602, -32603, 42, codes.MISSING_CLIENT_CAPABILITY])
def test_an_error_of_an_upstream_is_relayed_with_its_data(rpc_code: int) -> None:
    outcome = refuse(ErrorCode.NOT_FOUND, rpc_code=rpc_code, rpc_data={"uri": "x"})
    error = render(call_of(), outcome)["error"]
    assert (error["code"], error["data"]) == (rpc_code, {"uri": "x"})


@pytest.mark.parametrize("rpc_data", [None, "text", [1]])
def test_an_error_of_an_upstream_without_usable_data_gets_a_code(rpc_data: object) -> None:
    outcome = refuse(ErrorCode.NOT_FOUND, rpc_code=42, rpc_data=rpc_data)
    assert render(call_of(), outcome)["error"]["data"] == {"code": "E2011"}


@pytest.mark.parametrize("rpc_code", [-32020, -32022, -32042, -32002, -32099, True, "x", 1.5, None])
def test_a_code_an_upstream_may_not_speak_for_us_is_replaced(rpc_code: object) -> None:
    """A hostile upstream must not make a client believe that this gateway's version is wrong."""
    error = render(call_of(), refuse(ErrorCode.NOT_FOUND, rpc_code=rpc_code))["error"]
    assert error["code"] == ErrorCode.NOT_FOUND.rpc_code


@pytest.mark.parametrize(
    ("error", "modern", "legacy"),
    [
        (ErrorCode.AUTH_REQUIRED, 401, 401),
        (ErrorCode.INVALID_TOKEN, 401, 401),
        (ErrorCode.TOKEN_EXPIRED, 401, 401),
        (ErrorCode.INSUFFICIENT_SCOPE, 403, 403),
        (ErrorCode.FORBIDDEN, 403, 200),
        (ErrorCode.INVALID_REQUEST, 400, 400),
        (ErrorCode.MALFORMED_JSON, 400, 400),
        (ErrorCode.HEADER_MISMATCH, 400, 200),
        (ErrorCode.MISSING_FIELD, 400, 200),
        (ErrorCode.UNSUPPORTED_VERSION, 400, 400),
        (ErrorCode.UNKNOWN_METHOD, 404, 200),
        (ErrorCode.TOO_LARGE, 413, 413),
        (ErrorCode.TOOL_NOT_FOUND, 200, 200),
        (ErrorCode.INVALID_VALUE, 200, 200),
        (ErrorCode.INTERNAL, 500, 500),
        (ErrorCode.UNAVAILABLE, 503, 503),
        (ErrorCode.RATE_LIMITED, 429, 200),
    ],
    ids=lambda value: getattr(value, "code", value),
)
def test_the_http_status_follows_the_era(error: ErrorCode, modern: int, legacy: int) -> None:
    """Source: basic/transports/streamable-http and basic/index, which fix 400 and 404."""
    assert http_status(call_of(era=Era.MODERN), refuse(error)) == modern
    assert http_status(call_of(era=Era.LEGACY), refuse(error)) == legacy


@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize("error", ErrorCode, ids=lambda error: error.code)
def test_where_no_request_can_be_answered_the_status_says_it(era: Era, error: ErrorCode) -> None:
    """Source: "Sending Messages", rule 5: what cannot be accepted gets an error status."""
    call = Call(Method.NOTIFICATION, "c-1", era=era)
    assert http_status(call, refuse(error)) == error.http_status >= 400


def test_a_result_is_a_200() -> None:
    assert http_status(call_of(), Result({"isError": True}, is_error=True)) == 200

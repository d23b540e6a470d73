from dataclasses import replace

from bascule.gateway.call import Call, JsonObject, Method
from bascule.gateway.errors import ErrorCode
from bascule.guards.mirrors import judge_mirrors
from bascule.protocol.mirroring import Mirror
from fakes.relayed import make_relayed

TOOL = replace(make_relayed(), mirrors=(Mirror(("region",), "Mcp-Param-Region"),))


def call_of(arguments: JsonObject) -> Call:
    return Call(Method.TOOLS_CALL, "c-1", arguments=arguments)


def test_a_header_that_says_the_same_passes() -> None:
    assert judge_mirrors(TOOL, call_of({"region": "eu"}), {b"mcp-param-region": b"eu"}) is None


def test_a_header_is_not_asked_for_where_there_is_no_value() -> None:
    assert judge_mirrors(TOOL, call_of({"region": None}), {}) is None
    assert judge_mirrors(TOOL, call_of({}), {b"mcp-param-region": b"left over"}) is None


def test_a_header_that_is_missing_or_says_something_else_is_refused() -> None:
    for headers in ({}, {b"mcp-param-region": b"us"}, {b"mcp-param-region": b"=?base64?!?="}):
        refusal = judge_mirrors(TOOL, call_of({"region": "eu"}), headers)
        assert refusal is not None
        assert refusal.error is ErrorCode.HEADER_MISMATCH
        assert refusal.public.startswith("Header mismatch: ")

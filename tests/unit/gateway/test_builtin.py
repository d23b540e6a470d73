"""A call of the tool that stands for all others becomes the call of the tool it names."""

import pytest

from bascule.gateway.builtin import CALL_TOOL, unwrap
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.dispatch import Wellformed
from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import PASS, Refuse


def wrapped(**arguments: object) -> Call:
    return Call(
        Method.TOOLS_CALL,
        "c-1",
        tool_name=CALL_TOOL,
        arguments=dict(arguments),
        headers={b"a": b"b"},
    )


async def test_the_named_tool_takes_the_place_of_the_outer_one() -> None:
    call = wrapped(name="get_slots", arguments={"city": "Pune"})
    assert await Wellformed().inbound(call) is PASS
    assert (call.tool_name, call.arguments) == ("get_slots", {"city": "Pune"})
    assert call.raw_arguments == b'{"city":"Pune"}'
    assert call.headers is None, "what they repeat is about the outer call"


def test_a_tool_without_arguments_may_be_called_without() -> None:
    call = wrapped(name="ping")
    assert unwrap(call) is None
    assert call.arguments == {}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": 3}, "name"),
        ({"name": CALL_TOOL, "arguments": {"name": "x"}}, "name"),
        ({"name": "x", "arguments": [1]}, "arguments"),
        ({"name": "x", "city": "Pune"}, "city"),
    ],
)
async def test_a_call_that_names_no_tool_is_refused_with_its_place(
    arguments: dict[str, object], field: str
) -> None:
    verdict = await Wellformed().inbound(wrapped(**arguments))
    assert isinstance(verdict, Refuse)
    assert verdict.error is ErrorCode.SCHEMA_VIOLATION
    assert verdict.details == {"field": field}


def test_a_version_pinned_by_a_header_is_kept() -> None:
    call = wrapped(name="get_slots")
    call.headers = {b"x-mcp-tool-version": b"1.2"}
    assert unwrap(call) is None
    assert call.tool_name == "get_slots@1.2"


def test_two_pins_are_one_too_many() -> None:
    call = wrapped(name="get_slots@1")
    call.headers = {b"x-mcp-tool-version": b"2"}
    refusal = unwrap(call)
    assert refusal is not None
    assert "keep one" in refusal.public


async def test_at_a_server_s_own_endpoint_its_own_tool_of_that_name_is_called() -> None:
    call = wrapped(name="get_slots")
    call.endpoint = Endpoint(EndpointKind.SERVER, "inner")
    assert await Wellformed().inbound(call) is PASS
    assert call.tool_name == CALL_TOOL


async def test_other_methods_with_that_name_are_left_alone() -> None:
    call = Call(Method.PROMPTS_GET, "c-1", tool_name=CALL_TOOL)
    assert await Wellformed().inbound(call) is PASS
    assert call.tool_name == CALL_TOOL

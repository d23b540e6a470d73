from dataclasses import replace

import msgspec

from bascule.gateway.call import Call, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.tool import Home
from bascule.guards.fixed import fix_arguments, whole_schema
from fakes.catalogue import make_tool

WHOLE = {
    "type": "object",
    "properties": {"day": {"type": "string"}, "dealer": {"type": "integer"}},
    "required": ["dealer"],
}
SHOWN = replace(
    make_tool("reserve", bundle="desk", input_schema={"properties": {"day": {"type": "string"}}}),
    defaults={"dealer": 7},
    home=Home("book", "booking", WHOLE),
)


def call_of(**arguments: object) -> Call:
    raw = msgspec.json.encode(arguments)
    return Call(Method.TOOLS_CALL, "c", arguments=arguments, raw_arguments=raw)


def test_a_call_gets_what_the_bundle_fixes() -> None:
    call = call_of(day="monday")
    assert fix_arguments(SHOWN, call) is None
    assert call.arguments == {"day": "monday", "dealer": 7}
    assert msgspec.json.decode(call.raw_arguments) == call.arguments, "the digest proves what ran"
    assert SHOWN.defaults == {"dealer": 7}


def test_whoever_sends_it_is_told_that_there_is_no_such_argument() -> None:
    for value in (7, 8, None):
        call = call_of(dealer=value)
        refusal = fix_arguments(SHOWN, call)
        assert refusal is not None
        assert refusal.error is ErrorCode.SCHEMA_VIOLATION
        assert "'dealer' is no argument of this tool" in refusal.public
        assert "7" not in refusal.public
        assert call.arguments == {"dealer": value}


def test_a_call_is_held_against_the_schema_that_has_all_arguments() -> None:
    assert whole_schema(SHOWN) is WHOLE
    plain = make_tool()
    assert whole_schema(plain) is plain.input_schema

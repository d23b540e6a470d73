from dataclasses import replace

import pytest

from bascule.gateway.call import Call, Method
from bascule.gateway.errors import ErrorCode
from bascule.policy.access import Access
from bascule.policy.authorise import Authorise
from bascule.policy.pinning import header_pin, refuse_pin, split_pin
from fakes.catalogue import make_principal, make_snapshot, make_tool

TOOL = replace(make_tool("book"), version="1.2.0")


def call_of(name: str, **fields: object) -> Call:
    return Call(Method.TOOLS_CALL, "c", tool_name=name, principal=make_principal(), **fields)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("book@1.2", ("book", "1.2")),
        ("a@b@2", ("a@b", "2")),
        ("book", ("book", "")),
        ("book@", ("book@", "")),
        ("@1", ("@1", "")),
    ],
)
def test_a_version_may_stand_behind_the_name(name: str, parts: tuple[str, str]) -> None:
    assert split_pin(name) == parts


@pytest.mark.parametrize("version", ["", "1", "1.2", "1.2.0"])
def test_a_version_fits_itself_and_what_begins_with_it(version: str) -> None:
    assert refuse_pin(TOOL, version) is None


@pytest.mark.parametrize("version", ["2", "1.20", "1.2.0.1", "1.", "v1", "latest"])
def test_another_version_is_refused_with_the_one_there_is(version: str) -> None:
    refusal = refuse_pin(TOOL, version)
    assert refusal is not None
    assert refusal.error is ErrorCode.TOOL_NOT_FOUND
    assert refusal.details == {"available": ["1.2.0"]}


def test_a_header_pins_as_well() -> None:
    assert header_pin(call_of("book")) == ""
    assert header_pin(call_of("book", headers={})) == ""
    assert header_pin(call_of("book", headers={b"x-mcp-tool-version": b" 1.2 "})) == "1.2"


@pytest.mark.parametrize(
    ("name", "headers", "fits"),
    [
        ("book@1.2", None, True),
        ("book@2", None, False),
        ("book", {b"x-mcp-tool-version": b"1"}, True),
        ("book", {b"x-mcp-tool-version": b"2"}, False),
        ("other@1", None, False),
    ],
)
async def test_calls_go_to_the_version_they_pin_or_nowhere(
    name: str, headers: dict[bytes, bytes] | None, fits: bool
) -> None:
    call = call_of(name, headers=headers)
    verdict = await Authorise(Access(make_snapshot([TOOL]))).inbound(call)
    assert (call.tool == TOOL) is fits, verdict
    if fits:
        assert call.tool_name == "book", "records and metrics know it by its name"

import msgspec
import pytest

from bascule.protocol.versions import Era
from bascule.upstreams.mcp.described import Described, describe
from bascule.upstreams.mcp.messages import Incoming


def answer(result: bytes) -> Incoming:
    return Incoming(id="1", result=msgspec.Raw(result))


def test_capabilities_are_kept_as_they_came() -> None:
    described = describe(
        answer(b'{"capabilities": {"x": 1.50} ,"instructions":"Be kind."}'),
        Era.LEGACY,
        "2025-06-18",
    )
    assert described == Described(Era.LEGACY, "2025-06-18", b'{"x": 1.50}', "Be kind.")


@pytest.mark.parametrize(
    "result", [b"{}", b"[]", b'{"capabilities":[]}', b'{"capabilities":7}', b'{"instructions":7}']
)
def test_server_that_tells_less_than_it_should_has_no_capabilities(result: bytes) -> None:
    assert describe(answer(result), Era.MODERN) == Described(Era.MODERN, "2026-07-28")


def test_endless_instructions_are_cut() -> None:
    result = msgspec.json.encode({"instructions": "x" * 100_000})
    assert len(describe(answer(result), Era.MODERN).instructions) == 65_536

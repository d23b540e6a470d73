import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.call import Call, Method
from bascule.gateway.errors import ErrorCode
from bascule.protocol.headers import decode_value
from bascule.protocol.messages import decode
from bascule.transports.likeness import headers_like, looks_modern
from bascule.transports.reading import read_call
from fakes.mcp import legacy, modern

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def headers_of(message: object):
    return headers_like(decode(json.dumps(message).encode()), "2025-06-18")


def test_a_message_of_the_handshake_era_is_of_the_version_agreed_on() -> None:
    headers = headers_of(legacy())

    assert headers == {b"mcp-protocol-version": b"2025-06-18"}
    assert not looks_modern(headers)


def test_a_stateless_message_repeats_itself() -> None:
    headers = headers_of(modern("resources/read", {"uri": "file:///ü"}))

    assert headers[b"mcp-method"] == b"resources/read"
    assert decode_value(headers[b"mcp-name"].decode()) == "file:///ü"
    assert looks_modern(headers)


@given(names)
def test_whatever_the_name_the_reader_finds_no_mismatch(name: str) -> None:
    message = modern("tools/call", {"name": name})
    headers = headers_of(message)
    call = Call(Method.MALFORMED, "c-1")

    read_call(call, json.dumps(message).encode(), headers, tuple(headers.items()))

    assert call.fault is None
    assert call.tool_name == name


@pytest.mark.parametrize("method", ["tools/\x00", "täst", "x" * 1000])
def test_an_odd_method_is_refused_not_misread(method: str) -> None:
    message = modern(method)
    headers = headers_of(message)
    call = Call(Method.MALFORMED, "c-1")

    read_call(call, json.dumps(message).encode(), headers, tuple(headers.items()))

    assert call.fault is not None
    assert call.fault.error in {ErrorCode.HEADER_MISMATCH, ErrorCode.UNKNOWN_METHOD}

"""Answers of success become tool results."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.errors import UpstreamFailed
from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.rest.answers import to_result_body


def answer(
    body: bytes, media_type: str | None = "application/json", *, status: int = 200,
    wraps: bool = False,
) -> dict[str, object]:  # fmt: skip
    """The result body as a client would decode it."""
    headers = [] if media_type is None else [("content-type", media_type)]
    result = to_result_body(HttpResponse(status, headers, body), wraps=wraps)
    return json.loads(msgspec.json.encode(result))


def test_an_object_is_text_and_structured_content() -> None:
    assert answer(b'{"a": 1.50}') == {
        "content": [{"type": "text", "text": '{"a": 1.50}'}],
        "structuredContent": {"a": 1.5},
    }


def test_the_very_bytes_are_passed_on() -> None:
    response = HttpResponse(200, [("content-type", "application/json")], b'{"n": 1.000, "n2":1E2}')

    structured = to_result_body(response, wraps=False)["structuredContent"]

    assert isinstance(structured, msgspec.Raw)
    assert bytes(structured) == response.body


def test_line_breaks_between_tokens_never_reach_the_wire() -> None:
    body = json.dumps({"a": "x\ny", "b": [1, 2]}, indent=2).replace("\n", "\r\n").encode()
    result = to_result_body(
        HttpResponse(200, [("content-type", "application/json")], body), wraps=False
    )

    encoded = msgspec.json.encode(result)

    assert b"\n" not in encoded
    assert b"\r" not in encoded
    assert json.loads(encoded)["structuredContent"] == {"a": "x\ny", "b": [1, 2]}


@pytest.mark.parametrize("body", [b"[1, 2]", b'"a"', b"5", b"null", b" [ ] "])
def test_anything_but_an_object_stands_under_result(body: bytes) -> None:
    assert answer(body)["structuredContent"] == {"result": json.loads(body)}


def test_an_object_stands_under_result_where_the_schema_says_so() -> None:
    assert answer(b'{"a": 1}', wraps=True)["structuredContent"] == {"result": {"a": 1}}


@pytest.mark.parametrize("status", [200, 202, 204, 205])
def test_no_content_is_said(status: int) -> None:
    result = answer(b"", None, status=status)

    assert result == {"content": [{"type": "text", "text": f"Done (HTTP {status}, no content)."}]}


def test_text_is_text() -> None:
    assert answer(b"a;b\n1;2", "text/csv") == {"content": [{"type": "text", "text": "a;b\n1;2"}]}


def test_bytes_are_described() -> None:
    (content,) = answer(b"\x89PNG" * 300, "image/png")["content"]

    assert (
        content["text"] == "The answer is 1,200 bytes of image/png, which cannot be shown as text."
    )


@pytest.mark.parametrize(
    "body", [b"{", b"<html>", b'{"a": "\xff"}', b'{"a": \x01}', b"{} {}", b"[" * 100_000]
)
def test_json_that_is_none_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailed, match="is not"):
        answer(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a":1}', {"a": 1}),
        (b"hello", None),
        (b"\xff\xfe\x00", None),
        (b"\xef\xbb\xbf[]", {"result": []}),
    ],
)
def test_a_body_without_a_type_is_what_it_reads_as(body: bytes, expected: object) -> None:
    result = answer(body, None)

    assert result.get("structuredContent") == expected
    assert result["content"]


@given(
    st.binary(max_size=60), st.sampled_from(["application/json", "text/plain", "image/png", None])
)
def test_any_body_is_a_result_that_encodes_or_a_named_failure(
    body: bytes, media_type: str | None
) -> None:
    try:
        answer(body, media_type)
    except UpstreamFailed:
        assert media_type == "application/json"

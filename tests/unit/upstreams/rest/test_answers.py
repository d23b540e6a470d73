"""Answers of success become tool results."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.errors import UpstreamFailed
from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.rest.answers import head_result_body, may_be_kept, to_result_body
from bascule.upstreams.rest.limits import AnswerLimits


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


@pytest.mark.parametrize("media_type", ["text/plain", "text/html; charset=utf-8", None])
def test_text_is_the_result_where_one_is_promised(media_type: str | None) -> None:
    assert answer(b"hello", media_type, wraps=True) == {
        "content": [{"type": "text", "text": "hello"}],
        "structuredContent": {"result": "hello"},
    }


def test_text_that_is_the_result_is_whole_there() -> None:
    response = HttpResponse(200, [("content-type", "text/plain")], b"x" * 500)

    result = to_result_body(response, wraps=True, limits=AnswerLimits(text_characters=100))

    assert result["structuredContent"] == {"result": "x" * 500}
    assert "structured content" in result["content"][0]["text"]  # type: ignore[index]


def test_xml_is_text_too() -> None:
    assert answer(b"<a/>", "application/atom+xml")["content"][0]["text"] == "<a/>"


def test_text_is_decoded_by_its_charset() -> None:
    assert answer(b"\xfc", "text/plain; charset=iso-8859-1")["content"][0]["text"] == "ü"


@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1"])
def test_json_of_another_charset_is_read_where_it_says_so(charset: str) -> None:
    body = '{"a":"ü"}'.encode(charset)

    result = answer(body, f"application/json; charset={charset}")

    assert result["structuredContent"] == {"a": "ü"}
    assert result["content"][0]["text"] == '{"a":"ü"}'


def test_an_image_is_an_image_and_other_bytes_are_a_resource() -> None:
    assert answer(b"\x89PNG", "image/png")["content"] == [
        {"type": "image", "data": "iVBORw==", "mimeType": "image/png"}
    ]
    (block,) = answer(b"%PDF", "application/pdf; v=1")["content"]
    assert block["resource"]["mimeType"] == "application/pdf"


def test_a_drawing_in_xml_is_text() -> None:
    assert answer(b"<svg/>", "image/svg+xml")["content"][0]["text"] == "<svg/>"


def test_text_is_cut_and_structured_content_is_not() -> None:
    body = json.dumps({"a": "x" * 500}).encode()
    response = HttpResponse(200, [("content-type", "application/json")], body)

    result = to_result_body(response, wraps=False, limits=AnswerLimits(text_characters=100))

    text = result["content"][0]["text"]  # type: ignore[index]
    assert len(text) < 300
    assert "structured content" in text
    assert bytes(result["structuredContent"]) == body  # type: ignore[arg-type]


def test_lines_are_an_array_also_where_they_came_at_once() -> None:
    result = answer(b'{"a":1}\n2\n', "application/x-ndjson")

    assert result["structuredContent"] == {"result": [{"a": 1}, 2]}
    assert result["content"][0]["text"] == '{"a":1}\n2'
    assert answer(b"data: x\n\n", "text/event-stream")["content"][0]["text"] == "x"


def test_headers_a_caller_can_act_on_follow() -> None:
    headers = [
        ("content-type", "application/json"), ("location", "http://10.0.0.5/b/7?k=secret"),
        ("link", '</b?page=2>; rel="next"'), ("retry-after", "3"), ("server", "x"),
    ]  # fmt: skip

    result = to_result_body(
        HttpResponse(201, headers, b"{}"),
        wraps=False,
        origin="http://10.0.0.5",
        secrets=("secret",),
    )

    assert [block["text"] for block in result["content"]] == [  # type: ignore[attr-defined]
        "{}",
        "Location: /b/7?k=[removed]\nNext page: /b?page=2\nAsk again in 3 seconds.",
    ]


def test_headers_that_say_nothing_add_nothing() -> None:
    headers = [("link", "</x>; rel=last"), ("retry-after", "soon")]

    assert len(to_result_body(HttpResponse(204, headers, b""), wraps=False)["content"]) == 1  # type: ignore[arg-type]


def test_an_answer_to_head_tells_its_headers() -> None:
    headers = [("content-type", "text/csv"), ("content-length", "1234")]

    (block,) = head_result_body(HttpResponse(200, headers, b""))["content"]  # type: ignore[misc]

    assert block["text"] == "HTTP 200\ncontent-type: text/csv\ncontent-length: 1234"


@pytest.mark.parametrize(
    ("directive", "kept"),
    [("", True), ("max-age=5", True), ("No-Store", False), ("max-age=5, no-cache=x", False)],
)
def test_what_must_not_be_kept_is_not(directive: str, kept: bool) -> None:
    response = HttpResponse(200, [("cache-control", directive)], b"")

    assert may_be_kept(response) is kept


@pytest.mark.parametrize(
    "body", [b"{", b"<html>", b'{"a": "\xff"}', b'{"a": \x01}', b"{} {}", b"[" * 100_000]
)
def test_json_that_is_none_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailed, match="is not"):
        answer(body)


def test_what_came_in_place_of_json_is_told_to_caller_and_operator() -> None:
    body = b"<p>Sign in, sk-1234567890</p>" + b"." * 10_000
    response = HttpResponse(200, [("content-type", "application/json")], body)

    with pytest.raises(UpstreamFailed) as caught:
        to_result_body(response, wraps=False, secrets=("sk-1234567890",))

    failure = caught.value
    assert "<p>Sign in, [removed]</p>...." in failure.public
    assert "characters in all" in failure.public
    assert len(failure.public) < 2_500
    assert "<p>Sign in, [removed]</p>" in failure.private
    assert len(failure.private) < 600


def test_bytes_that_call_themselves_json_are_counted_not_shown() -> None:
    with pytest.raises(UpstreamFailed, match="1,000 bytes came that are no text") as caught:
        answer(b"\x80" * 1_000)

    assert "\ufffd" not in caught.value.public + caught.value.private


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

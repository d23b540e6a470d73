"""Media types are read leniently, charsets from a short list."""

import pytest

from bascule.upstreams.rest.media import decode_text, essence, is_json, is_text


def test_the_essence_has_no_parameters_and_no_capitals() -> None:
    assert essence(" Application/JSON; charset=utf-8") == "application/json"
    assert essence("") == ""


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json", "text/json"])
def test_json_is_recognised(kind: str) -> None:
    assert is_json(kind)


@pytest.mark.parametrize("kind", ["application/x-ndjson", "text/plain", "application/jsonl", ""])
def test_what_merely_looks_like_json_is_not(kind: str) -> None:
    assert not is_json(kind)


def test_text_is_recognised_also_outside_text() -> None:
    assert is_text("text/csv")
    assert is_text("application/atom+xml")
    assert is_text("application/x-ndjson")
    assert not is_text("image/png")


@pytest.mark.parametrize(
    ("body", "media_type", "text"),
    [
        (b"\xc3\xbc", "text/plain", "ü"),
        (b"\xfc", "text/plain; charset=ISO-8859-1", "ü"),
        (b"\x80", 'text/plain; charset="windows-1252"; format=flowed', "€"),
        (b"\xff", "text/plain", "\ufffd"),
        (b"\xc3\xbc", "text/plain; charset=zlib_codec", "ü"),
        (b"\xef\xbb\xbfa", "text/plain", "a"),
    ],
)
def test_text_is_decoded_by_its_charset_or_as_utf8(body: bytes, media_type: str, text: str) -> None:
    assert decode_text(body, media_type) == text

"""Media types are read leniently, charsets from a short list."""

import pytest

from bascule.upstreams.rest.media import (
    Sequence,
    charset_of,
    decode_text,
    essence,
    is_json,
    is_text,
    is_xml,
    sequence_of,
    with_parameter,
)


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
    assert is_text("application/xml")
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


@pytest.mark.parametrize(
    ("body", "media_type", "text"),
    [
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xfc</a>', "application/xml", "ü"),
        (b"<?xml version='1.0' encoding='windows-1252'?><a>\x80</a>", "text/xml", "€"),
        (b'<?xml version="1.0"?><a>\xc3\xbc</a>', "image/svg+xml", "ü"),
        (b'<?xml encoding="ISO-8859-1"?><a>\xc3\xbc</a>', "text/xml; charset=utf-8", "Ã¼"),
        ("<a>ü</a>".encode("utf-16"), "application/xml", "ü"),
    ],
)
def test_xml_may_name_its_charset_itself(body: bytes, media_type: str, text: str) -> None:
    assert text in decode_text(body, media_type)


def test_a_parameter_is_added_only_where_there_is_none() -> None:
    assert with_parameter("text/plain", "charset", "utf-8") == "text/plain; charset=utf-8"
    assert with_parameter("text/plain; a=b;", "charset", "x") == "text/plain; a=b; charset=x"
    assert with_parameter("text/plain; Charset=x", "charset", "y") == "text/plain; Charset=x"


@pytest.mark.parametrize(
    ("kind", "sequence"),
    [
        ("text/event-stream", Sequence.EVENTS), ("application/x-ndjson", Sequence.LINES),
        ("application/jsonl", Sequence.LINES), ("application/geo+json-seq", Sequence.RECORDS),
        ("application/json", None), ("text/plain", None), ("", None),
    ],
)  # fmt: skip
def test_sequences_are_recognised(kind: str, sequence: Sequence | None) -> None:
    assert sequence_of(kind) is sequence


def test_xml_and_charsets_are_told_by_the_media_type() -> None:
    assert is_xml("text/xml")
    assert is_xml("application/atom+xml")
    assert not is_xml("text/html")
    assert charset_of("text/plain; charset=windows-1252") == "cp1252"
    assert charset_of("text/plain; charset=utf-8") == ""

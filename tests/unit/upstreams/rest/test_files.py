"""Files are read from arguments, and nothing but files."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.rest.files import File, default_type, read_file
from bascule.upstreams.rest.values import Unwritable


@given(st.binary())
def test_data_arrives_as_the_bytes_it_stands_for(content: bytes) -> None:
    file = read_file({"data": base64.b64encode(content).decode()})

    assert file == File("", "application/octet-stream", content)


def test_text_is_utf8_and_says_so() -> None:
    assert read_file({"text": "é", "filename": "é.txt"}) == File(
        "é.txt", "text/plain; charset=utf-8", "é".encode()
    )
    assert read_file("plain").content == b"plain"


def test_blanks_in_base64_do_no_harm() -> None:
    assert read_file({"data": "AA\n H/ \r\n"}).content == b"\x00\x01\xff"


def test_the_first_media_type_that_is_none_of_a_range_is_taken() -> None:
    assert default_type(("image/*", "image/png", "image/gif"), "x/y") == "image/png"
    assert default_type(("image/*",), "x/y") == "x/y"
    assert read_file({"text": "x"}, ("text/csv",)).content_type == "text/csv"


@pytest.mark.parametrize("chosen", ["image/webp", 'image/png; note="a b"', "Image/PNG"])
def test_a_media_type_within_what_is_offered_is_the_callers_choice(chosen: str) -> None:
    assert read_file({"data": "", "content_type": chosen}, ("image/*",)).content_type == chosen
    assert read_file({"data": "", "content_type": chosen}, ("*/*",)).content_type == chosen


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (5, "must be a file"), (["x"], "must be a file"), ({}, "either"),
        ({"text": "x", "data": "AA=="}, "either"), ({"data": 5}, "as a string"),
        ({"data": "hello"}, "not base64"), ({"data": "AAH_"}, "not base64"),
        ({"data": "é"}, "not base64"), ({"text": "x", "filename": 5}, "string"),
        ({"text": "x", "content_type": 5}, "media type"),
        ({"text": "x", "content_type": "text"}, "media type"),
        ({"text": "x", "content_type": "text/plain\r\nX: y"}, "media type"),
        ({"text": "x", "content_type": "text/" + "x" * 300}, "media type"),
        ({"text": "x", "content_type": "text/html"}, "one of image/png"),
    ],
)  # fmt: skip
def test_what_is_no_file_is_refused(value: object, reason: str) -> None:
    with pytest.raises(Unwritable, match=reason):
        read_file(value, ("image/png",))


@pytest.mark.parametrize("name", ["a\r\nb", "a\0", "../x", "a/../b", "C:\\x", "..", "x" * 256])
def test_a_name_that_goes_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(Unwritable, match="filename"):
        read_file({"text": "x", "filename": name})


@pytest.mark.parametrize("name", ["a.txt", 'say "hi".txt', "dir/a.txt", "..a", "über.pdf"])
def test_any_other_name_is_the_callers_choice(name: str) -> None:
    assert read_file({"text": "x", "filename": name}).name == name

"""Answers as content blocks: whole where they fit, and said to be cut where they do not."""

import base64

import pytest

from bascule.upstreams.rest.blocks import file_block, text_block
from bascule.upstreams.rest.limits import USUAL, AnswerLimits

SMALL = AnswerLimits(text_characters=10, embedded_bytes=4)


def test_text_that_fits_is_whole() -> None:
    assert text_block("x" * 10, SMALL) == {"type": "text", "text": "x" * 10}


def test_text_that_does_not_fit_is_cut_and_says_so() -> None:
    text = text_block("0123456789abc", SMALL)["text"]

    assert text.startswith("0123456789\n[Cut off here: these are the first 10 of 13 characters.")
    assert "page by page" in text
    assert "structured content" in text_block("x" * 11, SMALL, is_structured=True)["text"]


@pytest.mark.parametrize("kind", ["image/png", "audio/wav"])
def test_images_and_sound_are_what_they_are(kind: str) -> None:
    assert file_block(b"\0\xff", kind, USUAL) == {
        "type": kind.partition("/")[0],
        "data": base64.b64encode(b"\0\xff").decode(),
        "mimeType": kind,
    }


def test_any_other_file_is_a_resource() -> None:
    assert file_block(b"%PDF", "application/pdf", USUAL) == {
        "type": "resource",
        "resource": {
            "uri": "bascule://answer/content",
            "mimeType": "application/pdf",
            "blob": base64.b64encode(b"%PDF").decode(),
        },
    }


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="report 1.pdf"', "report%201.pdf"),
        ("attachment; filename*=UTF-8''%e2%82%ac.pdf", "%E2%82%AC.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="a\\\\b.txt"', "b.txt"),
        ('attachment; filename=".."', "content"),
        ("attachment", "content"), ("", "content"), (None, "content"),
        ("a\r\nb: c", "content"),
        (f'attachment; filename="{"x" * 500}"', "x" * 100),
    ],
)  # fmt: skip
def test_a_resource_has_the_name_of_its_file(disposition: str | None, name: str) -> None:
    block = file_block(b"x", "a/b", USUAL, disposition)

    assert block["resource"]["uri"] == f"bascule://answer/{name}"


def test_a_file_that_is_too_large_is_only_described() -> None:
    text = file_block(b"x" * 5, "image/png", SMALL)["text"]

    assert (
        text == "The answer is 5 bytes of image/png, which is more than the 4 that are passed on."
    )

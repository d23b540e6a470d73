"""Bytes are told apart by what they are."""

import gzip

import pytest

from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.syntax import MAX_DOCUMENT_BYTES, announces_openapi, read


def test_json_and_yaml_are_told_apart_by_content() -> None:
    assert read(b'\xef\xbb\xbf\n {"a": 1}').root == {"a": 1}
    assert read(b"a: 1").root == {"a": 1}


def test_lines_are_found_in_either() -> None:
    assert read(b'{\n"a": 1}').lines([("a",)]) == {("a",): 2}
    assert read(b"b: 2\na: 1").lines([("a",)]) == {("a",): 2}
    assert read(b"a: 1").lines([]) == {}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"<!doctype html>", "HTML"),
        (gzip.compress(b"openapi: 3.0.0", mtime=0), "compressed"),
        (b"openapi: 3.0.0\ninfo: \xff", r"not UTF-8 text \(line 2\)"),
        (b"x" * (MAX_DOCUMENT_BYTES + 1), "at most 52,428,800"),
    ],
)
def test_what_is_not_a_document_is_named(document: bytes, reason: str) -> None:
    with pytest.raises(DocumentRejected, match=reason):
        read(document)


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        (b"openapi: 3.1.0", True),
        (b"# ours\nswagger: '2.0'", True),
        (b'{"info":{},"openapi":"3.0.0"}', True),
        (b"info: x\n" + b"#" * 200_000 + b"\nopenapi: 3.0.0", True),
        (b"see: openapi", False),
        (b"type: object", False),
        (b"openapi_version: 3", False),
    ],
)
def test_a_main_document_announces_itself(document: bytes, answer: bool) -> None:
    assert announces_openapi(document) is answer

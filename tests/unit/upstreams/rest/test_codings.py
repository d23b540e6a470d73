"""Compressed answers are undone, and never into more than may be."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.errors import UpstreamFailed
from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.rest.codings import decoded


def body_of(body: bytes, coding: str, most_bytes: int = 1000) -> bytes:
    return decoded(HttpResponse(200, [("content-encoding", coding)], body), most_bytes).body


@given(st.binary(max_size=500))
def test_what_was_compressed_is_what_it_was(body: bytes) -> None:
    assert body_of(gzip.compress(body, mtime=0), "gzip") == body
    assert body_of(zlib.compress(body), "deflate") == body
    assert body_of(zlib.compress(gzip.compress(body, mtime=0)), "gzip, Deflate") == body
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    assert body_of(raw.compress(body) + raw.flush(), "deflate") == body


@pytest.mark.parametrize("coding", ["", "identity", "Identity , identity"])
def test_what_was_not_is_left_alone(coding: str) -> None:
    assert body_of(b"plain", coding) == b"plain"
    assert body_of(b"", "br") == b""


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"x", "br"),
        (b"plain", "gzip"),
        (gzip.compress(b"x" * 99, mtime=0)[:-9], "gzip"),
        (b"", "gzip, x"),
    ],
)
def test_what_cannot_be_undone_is_a_failure(body: bytes, coding: str) -> None:
    with pytest.raises(UpstreamFailed, match="cannot be undone"):
        body_of(body or b"x", coding)


def test_a_small_answer_does_not_become_a_large_one() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000, mtime=0)

    with pytest.raises(UpstreamFailed, match="larger than 1000 bytes"):
        body_of(bomb, "gzip")

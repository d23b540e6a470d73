from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.http1.parsing import Garbled, ResponseReader, Stage


def read(
    *chunks: bytes,
    bodyless: bool = False,
    body_limit: int | None = 1000,
    header_limit: int = 500,
) -> ResponseReader:
    reader = ResponseReader(header_limit)
    reader.begin(bodyless=bodyless, body_limit=body_limit)
    for chunk in chunks:
        reader.feed(chunk)
    return reader


def test_response_with_length_is_read() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\nContent-Length: 2  \r\nX-A:  b c  \r\n\r\nhi")
    assert reader.status == 200
    assert reader.headers == [("content-length", "2"), ("x-a", "b c")]
    assert reader.take() == b"hi"
    assert reader.reusable


def test_chunked_response_is_read_without_its_trailers() -> None:
    reader = read(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n",
        b"1;x=y\r\n!\r\n0\r\nX-T: 1\r\n\r\n",
    )
    assert reader.take() == b"hi!"
    assert reader.headers == [("transfer-encoding", "Chunked")]
    assert reader.reusable


def test_body_without_framing_ends_with_the_connection() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\n\r\nab", b"cd")
    assert not reader.done
    assert reader.end()
    assert reader.take() == b"abcd"
    assert not reader.reusable


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 5\r\n\r\nab", b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"]
)
def test_framed_body_does_not_end_with_the_connection(framing: bytes) -> None:
    assert not read(b"HTTP/1.1 200 OK\r\n" + framing).end()


def test_header_section_does_not_end_with_the_connection() -> None:
    assert not read(b"HTTP/1.1 200 OK\r\nX: 1\r\n").end()


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_status_without_body_needs_no_length(status: bytes) -> None:
    assert read(b"HTTP/1.1 " + status + b"\r\n\r\n").reusable


def test_not_modified_may_state_the_length_it_would_have_had() -> None:
    assert read(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n").reusable


@pytest.mark.parametrize(
    "framing", [b"", b"Content-Length: 5000\r\n", b"Transfer-Encoding: chunked\r\n"]
)
def test_answer_to_head_has_no_body_whatever_it_announces(framing: bytes) -> None:
    reader = read(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n", bodyless=True)
    assert reader.done
    assert reader.take() == b""


def test_reader_goes_on_after_an_answer_to_head() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", bodyless=True)
    reader.begin(bodyless=False, body_limit=100)
    reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    assert reader.take() == b"hi"


def test_body_in_answer_to_head_makes_the_connection_unusable() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", bodyless=True)
    assert reader.done
    assert not reader.reusable


def test_interim_responses_are_skipped() -> None:
    reader = read(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    )
    assert reader.status == 200
    assert reader.headers == [("content-length", "0")]


def test_endless_interim_responses_are_refused() -> None:
    with pytest.raises(Garbled, match="100"):
        read(b"HTTP/1.1 100 Continue\r\n\r\n" * 17)


def test_unasked_protocol_switch_is_refused() -> None:
    with pytest.raises(Garbled, match="switched protocols"):
        read(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")


@pytest.mark.parametrize(
    ("version", "connection", "reusable"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: keep-alive\r\n", True),
    ],
)
def test_keep_alive_follows_version_and_header(
    version: bytes, connection: bytes, reusable: bool
) -> None:
    head = b"HTTP/" + version + b" 200 OK\r\n" + connection + b"Content-Length: 0\r\n\r\n"
    assert read(head).reusable is reusable


@pytest.mark.parametrize("surplus", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"junk"])
def test_bytes_after_the_response_make_the_connection_unusable(surplus: bytes) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    reader = read(whole + surplus)
    assert reader.take() == b"hi"
    assert not reader.reusable
    later = read(whole)
    later.feed(surplus)
    assert not later.reusable


def test_second_response_never_mixes_into_the_first() -> None:
    reader = read(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
        b"HTTP/1.1 500 Evil\r\nX: 1\r\nContent-Length: 4\r\n\r\nevil"
    )
    assert (reader.status, reader.take()) == (200, b"hi")
    assert reader.headers == [("content-length", "2")]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"<html></html>",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(Garbled):
        read(garbage)


@pytest.mark.parametrize(
    "chunks",
    [
        [b"HTTP/1.1 200 OK\r\nX: " + b"a" * 600 + b"\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nX: ", *[b"a" * 100] * 6],
        [b"HTTP/1.1 200 OK\r\n", *[b"X: a\r\n"] * 100],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"X: a\r\n" * 100 + b"\r\n"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", *[b"a" * 100] * 6],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;", *[b"a" * 100] * 6],
    ],
    ids=["at once", "in pieces", "many headers", "with the end", "trailer", "chunk extension"],
)
def test_headers_beyond_the_limit_are_refused(chunks: list[bytes]) -> None:
    with pytest.raises(Garbled, match="headers are larger than 500 bytes"):
        read(*chunks)


def test_announced_body_beyond_the_limit_is_refused_before_it_comes() -> None:
    with pytest.raises(Garbled, match="larger than 1000 bytes"):
        read(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")


@pytest.mark.parametrize("framing", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_unannounced_body_beyond_the_limit_is_refused(framing: bytes) -> None:
    piece = b"a" * 100
    wire = b"64\r\n" + piece + b"\r\n" if framing else piece
    with pytest.raises(Garbled, match="larger than 1000 bytes"):
        read(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n", *[wire] * 11)


def test_body_of_a_stream_has_no_limit_but_is_counted() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"a" * 3000, body_limit=None)
    assert reader.pending_bytes == 3000
    reader.take()
    assert (reader.pending_bytes, reader.body_bytes) == (0, 3000)


def test_body_in_crumbs_is_read_whole_and_does_not_pile_up() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"ab"] * 500)
    assert len(reader.chunks) <= 256
    assert reader.take() == b"ab" * 500
    assert reader.take() == b""


def test_bytes_while_nothing_is_expected_are_surplus() -> None:
    reader = ResponseReader(500)
    reader.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    assert reader.surplus
    assert reader.stage is Stage.IDLE


@given(
    cuts=st.lists(st.integers(min_value=0, max_value=200), max_size=12),
    body=st.binary(max_size=40),
    chunked=st.booleans(),
)
def test_reading_does_not_depend_on_how_the_bytes_arrive(
    cuts: list[int], body: bytes, chunked: bool
) -> None:
    if chunked:
        piece = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        rest = b"Transfer-Encoding: chunked\r\n\r\n" + piece + b"0\r\n\r\n"
    else:
        rest = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    wire = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nX-A: b\r\n" + rest
    edges = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    reader = read(*(wire[a:b] for a, b in pairwise(edges)))
    assert (reader.status, reader.take(), reader.reusable) == (201, body, True)
    assert ("x-a", "b") in reader.headers


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_read_or_refused(chunks: list[bytes]) -> None:
    with suppress(Garbled):
        read(b"HTTP/1.1 200 OK\r\n", *chunks)
    with suppress(Garbled):
        read(*chunks)

"""What the lane accepts, llhttp must read the same: nobody in front may see another message."""

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.transports.heads import MOST_HEAD_BYTES, PlainHead, may_become_plain, read_head
from bascule.transports.reply import HeaderList

LINES = [
    b"Host: x", b"Content-Length: 3", b"Content-Length: 0003", b"content-length:3",
    b"Content-Length:\t3 ", b"Content-Length: 3,3", b"Transfer-Encoding: chunked",
    b"transfer-encoding : x", b"Transfer-Encoding:", b"X: \x80\xff", b"X:\t",
    b"Connection: keep-alive", b"Connection: upgrade", b"Connection:", b"Proxy-Connection: close",
    b"Upgrade: h2c", b"Expect: 100-continue", b"TE: trailers", b"Content-Length: +3",
    b"Content-Length: 3\x0b", b"X: a\x0bb", b"Content_Length: 9", b": x", b"X\xaa: y", b"\tX: y",
    b"Content-Length: 3\r\n x", b'"X": y', b"Content-Length: 3\r",
]  # fmt: skip
STARTS = [
    b"POST /mcp HTTP/1.1", b"POST /mcp HTTP/1.1", b"POST /mcp/a//b~._- HTTP/1.1",
    b"POST  /mcp HTTP/1.1", b"POST /mcp  HTTP/1.1", b"POST /mcp HTTP/1.1 ",
]  # fmt: skip
BREAKERS = b"\r\n\t \x00\x0b\x0c\x7f\x80:;,0+-aA"


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    lines = draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=5))
    raw = bytearray(b"\r\n".join([draw(st.sampled_from(STARTS)), *lines]) + b"\r\n\r\n")
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(raw) - 5))
        byte = draw(st.sampled_from(BREAKERS))
        raw[place : place + draw(st.integers(0, 1))] = bytes([byte])
    return bytes(raw)


class Reader:
    """What llhttp makes of a request."""

    def __init__(self) -> None:
        self.headers: HeaderList = []
        self.url = self.body = b""
        self.messages = 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.strip(b" \t")))

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.messages += 1


@given(heads())
@settings(max_examples=2000)
def test_whatever_is_accepted_llhttp_reads_the_same(raw: bytes) -> None:
    raw = raw[: raw.find(b"\r\n\r\n") + 4]
    head = read_head(raw)
    if head is None:
        return
    reader = Reader()
    parser = httptools.HttpRequestParser(reader)
    parser.feed_data(raw + b"A" * head.length)
    assert reader.messages == 1
    assert reader.body == b"A" * head.length
    assert (reader.url.decode(), reader.headers) == (head.path, head.headers)
    assert parser.should_keep_alive()


def test_a_plain_head_is_read() -> None:
    raw = b"POST /mcp/bundles/a HTTP/1.1\r\nHost: x\r\nContent-Length:  12 \r\n\r\n"
    headers = [(b"host", b"x"), (b"content-length", b"12")]
    assert read_head(raw) == PlainHead("/mcp/bundles/a", headers, 12)


def test_a_head_beyond_the_bound_is_not() -> None:
    raw = b"POST /mcp HTTP/1.1\r\nContent-Length: 1\r\nX: %b\r\n\r\n"
    assert read_head(raw % (b"y" * (MOST_HEAD_BYTES - len(raw)))) is not None
    assert read_head(raw % (b"y" * MOST_HEAD_BYTES)) is None


@given(heads())
def test_nothing_that_is_accepted_was_given_up_before_it_was_whole(raw: bytes) -> None:
    raw = raw[: raw.find(b"\r\n\r\n") + 4]
    if read_head(raw) is None:
        return
    for end in range(1, len(raw)):
        assert may_become_plain(raw[:end], end - 1)


@pytest.mark.parametrize(
    "begun",
    [b"\x16\x03\x01\x02", b"HELLO\r\n", b"GET /mcp", b"P\0ST", b"POST /mcp HTTP/1.1\nHost: x\n\n",
     b"POST /mcp HTTP/1.1\r\nHost: x\n", b"POST /mcp" + b"x" * MOST_HEAD_BYTES],
)  # fmt: skip
def test_what_cannot_become_plain_is_known_at_once(begun: bytes) -> None:
    assert not may_become_plain(begun, 0)

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.mcp.events import Event, EventReader, EventTooLarge

STREAM = (
    b"\xef\xbb\xbf: comment\n\ndata: one\r\n\r\nevent: other\rdata:two\rdata:  three\r\rid: 7\n"
    b"retry: 250\ndata\n\nretry: x\nid: a\0b\nunknown: x\ndata: last\n\ndata: unfinished"
)
EVENTS = [
    Event("message", b"one"),
    Event("other", b"two\n three"),
    Event("message", b""),
    Event("message", b"last"),
]


def read(*pieces: bytes, limit: int = 1000) -> list[Event]:
    reader = EventReader(limit)
    return [event for piece in pieces for event in reader.feed(piece)]


def test_events_are_read_with_every_kind_of_line_end() -> None:
    assert read(STREAM) == EVENTS


def test_reader_remembers_what_a_client_resumes_with() -> None:
    reader = EventReader(1000)
    assert (reader.last_id, reader.retry_ms) == (None, None)
    reader.feed(STREAM)
    assert (reader.last_id, reader.retry_ms) == ("7", 250)


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM)), max_size=20))
def test_reading_does_not_depend_on_how_the_bytes_arrive(cuts: list[int]) -> None:
    edges = sorted({0, len(STREAM), *cuts})
    assert read(*(STREAM[a:b] for a, b in pairwise(edges))) == EVENTS


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    try:
        events = read(*pieces, limit=50)
    except EventTooLarge:
        return
    assert all(len(event.data) <= 50 for event in events)


@pytest.mark.parametrize(
    "pieces",
    [[b"a" * 30] * 4, [b"data: " + b"a" * 60 + b"\n"] * 2, [b"data: " + b"a" * 120 + b"\n\n"]],
    ids=["line without end", "event without end", "at once"],
)
def test_event_beyond_the_limit_is_refused(pieces: list[bytes]) -> None:
    with pytest.raises(EventTooLarge):
        read(*pieces, limit=100)


def test_event_of_endless_empty_lines_of_data_is_refused() -> None:
    with pytest.raises(EventTooLarge):
        read(b"data:\n" * 70_000, limit=10_000_000)


def test_an_id_goes_back_as_the_bytes_it_was() -> None:
    reader = EventReader(1000)
    reader.feed("id: 7€\n\n".encode())
    assert reader.last_id is not None
    assert reader.last_id.encode("latin-1") == "7€".encode()

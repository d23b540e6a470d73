from hypothesis import given
from hypothesis import strategies as st

from bascule.transports.lines import LineSplitter


@given(st.lists(st.binary(max_size=30)), st.integers(1, 40))
def test_lines_are_the_same_however_the_bytes_are_cut(chunks: list[bytes], limit: int) -> None:
    whole = b"".join(chunks)
    once = list(LineSplitter(limit).feed(whole))
    splitter = LineSplitter(limit)
    by_pieces = [line for chunk in chunks for line in splitter.feed(chunk)]

    # A line too long is told of as soon as it is known, so it may come before its end does.
    assert [line for line in by_pieces if line is not None] == [
        line for line in once if line is not None
    ]
    assert [line for line in once if line is not None] == [
        line for line in whole.split(b"\n")[:-1] if len(line) <= limit
    ]
    assert by_pieces.count(None) == once.count(None)


def test_a_line_too_long_is_told_of_once_and_the_next_is_whole() -> None:
    splitter = LineSplitter(3)

    assert list(splitter.feed(b"abcd")) == [None]
    assert list(splitter.feed(b"efgh")) == []
    assert list(splitter.feed(b"ij\nok\n")) == [b"ok"]


def test_what_has_no_end_yet_is_no_line() -> None:
    splitter = LineSplitter(10)

    assert list(splitter.feed(b"half")) == []
    assert list(splitter.feed(b" way\n\n")) == [b"half way", b""]

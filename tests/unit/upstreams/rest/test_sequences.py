"""Sequences are read the same however they are cut, and whole within their limits."""

import json
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.rest.limits import USUAL, AnswerLimits
from bascule.upstreams.rest.media import Sequence
from bascule.upstreams.rest.sequences import Transcript

EVENTS, LINES, RECORDS = Sequence


def read(
    sequence: Sequence, *pieces: bytes, limits: AnswerLimits = USUAL
) -> tuple[list[str], dict[str, object]]:
    """The items as they came, and the result as a client would decode it."""
    transcript = Transcript(sequence, limits)
    items = [one for piece in pieces for one in transcript.take(piece)]
    items += transcript.finish()
    assert transcript.count == len(items)
    return items, json.loads(msgspec.json.encode(transcript.result()))


def text_of(result: dict[str, object]) -> str:
    (block,) = result["content"]  # type: ignore[misc]
    return block["text"]


@pytest.mark.parametrize(
    ("sequence", "body", "items"),
    [
        (LINES, b'{"a":1}\n\n[2]\r\n"last"', ['{"a":1}', "[2]", '"last"']),
        (RECORDS, b'\x1e{"a":\n1}\n\x1e2\n\x1e"last"', ['{"a":\n1}', "2", '"last"']),
        (
            EVENTS,
            b"data: a\ndata: b\n\n: c\nevent: end\ndata: d\n\ndata: last",
            ["a\nb", "end: d", "last"],
        ),
    ],
)  # fmt: skip
def test_items_are_told_apart(sequence: Sequence, body: bytes, items: list[str]) -> None:
    found, result = read(sequence, body)

    assert found == items
    assert text_of(result) == "\n".join(items)


@given(st.sampled_from(Sequence), st.data())
def test_items_are_the_same_however_they_are_cut(sequence: Sequence, data: st.DataObject) -> None:
    body = 'data: {"a":"é"}\n\n\x1e{"b":\n2}\n\x1e3\r\n[4]'.encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)))) | {0, len(body)})
    pieces = [body[start:end] for start, end in pairwise(cuts)]

    assert read(sequence, *pieces) == read(sequence, body)


def test_json_texts_are_structured_content_as_well() -> None:
    _, result = read(LINES, b'{"a":1.50}\n[1]\n')
    assert result["structuredContent"] == {"result": [{"a": 1.5}, [1]]}

    _, result = read(RECORDS, b'\x1e{"a":\n1}\n')
    assert result["structuredContent"] == {"result": [{"a": 1}]}
    assert "structuredContent" not in read(EVENTS, b"data: 1\n\n")[1]


@pytest.mark.parametrize("body", [b"1\n{\n2\n", b'"\xff"\n', b"[" * 5000 + b"\n"])
def test_what_is_no_json_leaves_no_structured_content(body: bytes) -> None:
    found, result = read(LINES, body)

    assert found
    assert "structuredContent" not in result


def test_text_beyond_the_limit_is_cut_and_said_while_structured_content_stays_whole() -> None:
    _, result = read(LINES, b"11111\n22222\n33333\n", limits=AnswerLimits(text_characters=8))

    assert text_of(result).startswith("11111\n22\n[Cut off here: these are the first 8 of 17 ch")
    assert result["structuredContent"] == {"result": [11111, 22222, 33333]}


@pytest.mark.parametrize("sequence", Sequence)
def test_what_is_too_long_ends_early_and_is_not_half_structured(sequence: Sequence) -> None:
    transcript = Transcript(sequence, AnswerLimits(stream_bytes=20))
    transcript.take(b"data: 1\n\n")
    transcript.take(b"data: " + b"x" * 30)

    assert transcript.is_full
    assert transcript.finish() == []
    assert "structuredContent" not in transcript.result()


def test_an_event_that_is_too_long_ends_it_too() -> None:
    transcript = Transcript(EVENTS, AnswerLimits(stream_bytes=10))

    assert transcript.take(b"data: 12345") == []
    assert transcript.is_full


def test_nothing_is_said_to_be_nothing() -> None:
    assert text_of(read(LINES)[1]) == "Done (nothing came)."
    assert read(LINES)[1]["structuredContent"] == {"result": []}


def test_the_ending_is_said() -> None:
    transcript = Transcript(EVENTS, USUAL)
    transcript.take(b"data: a\n\n")

    (block,) = transcript.result("Over.")["content"]  # type: ignore[misc]
    assert block["text"] == "a\n[Over.]"


@pytest.mark.parametrize("sequence", list(Sequence))
def test_no_secret_comes_into_it(sequence: Sequence) -> None:
    body = b'data: {"a": "s3cr3t\\/TOKEN"}\n\n'
    if sequence is not Sequence.EVENTS:
        body = b'\x1e{"a": "s3cr3t\\/TOKEN"}\n'.lstrip(
            b"" if sequence is Sequence.RECORDS else b"\x1e"
        )
    transcript = Transcript(sequence, AnswerLimits(), ["s3cr3t/TOKEN"])
    for at in range(0, len(body), 5):
        transcript.take(body[at : at + 5])
    transcript.finish()

    said = str(transcript.result())
    assert "TOKEN" not in said
    assert "[removed]" in said

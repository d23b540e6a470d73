import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.rego.messages import (
    MOST_ANSWER_BYTES,
    PREFIX_BYTES,
    Answers,
    Evaluate,
    Failed,
    Garbled,
    Load,
    Loaded,
    Ready,
    ResponseReader,
    framed,
    request_in,
)


def test_a_request_arrives_as_it_was_sent() -> None:
    load = Load("d", {"a.rego": "package a\n# é"}, "{}", ("x",))
    assert request_in(framed(load)[PREFIX_BYTES:]) == load
    evaluate = Evaluate("d", (b'{"a":"\xc3\xa9"}', b"{}"), 0.05)
    assert request_in(framed(evaluate)[PREFIX_BYTES:]) == evaluate


@given(st.integers(1, 40))
def test_responses_arrive_whole_however_the_pipe_cuts_them(size: int) -> None:
    sent = [Ready(), Loaded(), Answers(((True, ""), (False, "no: é"))), Failed("why")]
    stream = b"".join(framed(one) for one in sent)
    reader = ResponseReader()
    found = [
        one
        for start in range(0, len(stream), size)
        for one in reader.feed(stream[start : start + size])
    ]
    assert found == sent


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_a_response_or_refused(raw: bytes) -> None:
    try:
        ResponseReader().feed(len(raw).to_bytes(4, "big") + raw)
    except Garbled as error:
        assert str(error)  # noqa: PT017 - either is right


def test_a_response_larger_than_any_is_refused_before_it_is_held() -> None:
    with pytest.raises(Garbled, match="bytes"):
        ResponseReader().feed((MOST_ANSWER_BYTES + 1).to_bytes(4, "big"))


def test_a_request_is_no_response() -> None:
    with pytest.raises(Garbled):
        ResponseReader().feed(framed(Load("d", {}, "{}")))
    with pytest.raises(Garbled):
        request_in(msgspec.msgpack.encode({"type": "loaded"}))

"""What comes piece by piece is told while it comes, and is the result at the end."""

import asyncio
import json
import math
import time
from typing import Any, cast

import pytest

from bascule.gateway.backchannel import Notification, Question
from bascule.gateway.call import Call, Method, More
from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.upstreams.http1 import ResponseStream
from bascule.upstreams.rest.limits import USUAL, AnswerLimits
from bascule.upstreams.rest.media import Sequence
from bascule.upstreams.rest.relaying import relay_sequence
from bascule.upstreams.rest.sequences import Transcript


class FakeStream:
    """Gives pieces, and raises what is among them."""

    def __init__(self, *pieces: bytes | Exception, deadline: float = math.inf) -> None:
        self.pieces = list(pieces)
        self.deadline = deadline

    async def next_piece(self) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


class FakeChannel:
    """Takes every notification; its caller reads, or never does."""

    interactive = False

    def __init__(self, *, reads: bool = True) -> None:
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self._reads = reads

    def notify(self, note: Notification) -> bool:
        self.notes.append((note.method, json.loads(note.params)))
        return True

    async def drained(self) -> None:
        if not self._reads:
            await asyncio.Event().wait()

    async def ask(self, question: Question, deadline: float) -> bytes:
        raise NotImplementedError


def call(channel: FakeChannel | None, **more: Any) -> Call:
    return Call(Method.TOOLS_CALL, "c", tool_name="watch", back=channel, more=More(**more))


async def relay(
    stream: FakeStream, caller: Call, limits: AnswerLimits = USUAL, secrets: tuple[str, ...] = ()
) -> str:
    """The text of the result."""
    transcript = Transcript(Sequence.EVENTS, limits)
    async with asyncio.timeout(5):
        result = await relay_sequence(cast("ResponseStream", stream), transcript, caller, secrets)
    (block,) = cast("list[dict[str, str]]", result["content"])
    return block["text"]


ONE, TWO = b"data: one key\n\n", b"data: two\n\n"


async def test_each_event_is_progress_for_who_asked_for_it() -> None:
    channel = FakeChannel()

    text = await relay(FakeStream(ONE, TWO), call(channel, progress_token="t"), secrets=("key",))

    assert text == "one key\ntwo"
    assert channel.notes == [
        (
            "notifications/progress",
            {"progressToken": "t", "progress": 1, "message": "one [removed]"},
        ),
        ("notifications/progress", {"progressToken": "t", "progress": 2, "message": "two"}),
    ]


async def test_each_event_is_a_log_message_for_who_asked_for_those() -> None:
    channel = FakeChannel()

    await relay(FakeStream(TWO), call(channel, log_level="debug"))

    assert channel.notes == [
        ("notifications/message", {"level": "info", "logger": "watch", "data": "two"})
    ]


@pytest.mark.parametrize("more", [{}, {"log_level": "error"}])
async def test_who_asked_for_nothing_is_told_only_the_result(more: dict[str, str]) -> None:
    channel = FakeChannel()

    assert await relay(FakeStream(ONE, TWO), call(channel, **more)) == "one key\ntwo"
    assert channel.notes == []


async def test_who_cannot_be_told_gets_the_result_all_the_same() -> None:
    assert await relay(FakeStream(ONE), call(None, progress_token=1)) == "one key"


async def test_what_is_told_on_the_way_is_cut() -> None:
    channel = FakeChannel()

    await relay(FakeStream(b"data: " + b"x" * 5_000 + b"\n\n"), call(channel, progress_token=1))

    message = channel.notes[0][1]["message"]
    assert (len(message), message[-1]) == (2_000, "…")


async def test_what_came_before_the_deadline_is_the_result() -> None:
    late = UpstreamTimeout("late")

    assert "time for it was over" in await relay(FakeStream(ONE, late), call(None))
    with pytest.raises(UpstreamTimeout):
        await relay(FakeStream(b": hello\n\n", late), call(None))


async def test_a_stream_that_breaks_off_is_a_failure() -> None:
    with pytest.raises(UpstreamFailed):
        await relay(FakeStream(ONE, UpstreamFailed("cut")), call(None))


async def test_more_than_the_limit_is_not_read() -> None:
    stream = FakeStream(ONE, *[TWO] * 10)

    text = await relay(stream, call(None), AnswerLimits(stream_bytes=30))

    assert text == "one key\ntwo\n[The upstream went on for longer than answers are read.]"
    assert stream.pieces


async def test_a_caller_who_does_not_read_is_not_waited_for_beyond_the_deadline() -> None:
    channel = FakeChannel(reads=False)
    stream = FakeStream(ONE, deadline=time.monotonic() + 0.05)

    assert await relay(stream, call(channel, progress_token=1)) == "one key"

import asyncio
import json

import pytest

from bascule.transports import sse
from bascule.transports.sse import KeepAlive, encode_event, encode_priming
from fakes.streams import until


def test_an_event_carries_one_message() -> None:
    assert encode_event(b"{}") == b"event: message\ndata: {}\n\n"
    assert encode_event(b"{}", "s.1") == b"id: s.1\nevent: message\ndata: {}\n\n"


@pytest.mark.parametrize("message", [b'{\r\n "a":\n1}', b'{"a":1}\n\n', b'{"a":\r1}'])
def test_line_ends_of_an_upstream_do_not_end_the_event(message: bytes) -> None:
    event = encode_event(message)
    assert event.count(b"\n") == 3
    assert b"\r" not in event
    assert json.loads(event.split(b"data: ")[1]) == {"a": 1}


def test_a_priming_event_has_an_id_and_empty_data() -> None:
    assert encode_priming("s.0") == b"id: s.0\nretry: 1000\ndata:\n\n"


class Counting:
    def __init__(self) -> None:
        self.beats = 0

    def beat(self, now: float) -> None:
        self.beats += 1


async def test_all_streams_are_looked_after_as_long_as_there_are_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sse, "_TICK_SECONDS", 0.0)
    keep_alive, one, other = KeepAlive(), Counting(), Counting()
    keep_alive.add(one)
    keep_alive.add(other)
    await until(lambda: one.beats > 1 and other.beats > 1)
    keep_alive.remove(one)
    beats = one.beats
    more = other.beats + 2
    await until(lambda: other.beats >= more)
    assert one.beats == beats
    keep_alive.remove(other)
    keep_alive.remove(other)
    for _ in range(3):
        await asyncio.sleep(0)
    assert not keep_alive._ticking
    keep_alive.add(one)
    await until(lambda: one.beats > beats)

"""The way back over HTTP, on an outlet that notes everything."""

from typing import Any

import pytest

from bascule.gateway.backchannel import CallerGone, Notification, Question
from bascule.gateway.call import Call, Method, More
from bascule.protocol.versions import Era
from bascule.state.memory import MemoryState
from bascule.transports.backchannels import (
    MOST_UNSENT_BYTES,
    EventStream,
    LazyStream,
    is_primed,
)
from bascule.transports.event_log import EventLog
from bascule.transports.reply import HeaderList, Reply
from bascule.transports.sse import COMMENT, KeepAlive
from fakes.mcp import modern
from fakes.streams import StreamSite, messages

REPLY = Reply(404, b'{"id":1}', [])


class FakeOutlet:
    """Notes what is sent."""

    def __init__(self) -> None:
        self.begun = False
        self.unsent = 0
        self.written: list[bytes] = []
        self.headers: HeaderList = []
        self.ends = self.aborts = self.waits = 0

    def begin(self, status: int, headers: HeaderList) -> None:
        assert status == 200
        self.begun, self.headers = True, headers

    def write(self, data: bytes) -> None:
        self.written.append(data)

    async def drained(self) -> None:
        self.waits += 1

    def end(self) -> None:
        self.ends += 1

    def abort(self) -> None:
        self.aborts += 1


def progress() -> Notification:
    return Notification("notifications/progress", b'{"progressToken":"t","progress":1}')


def log(level: str) -> Notification:
    return Notification("notifications/message", b'{"level":"%b"}' % level.encode())


class Channel:
    """A backchannel and what is around it."""

    def __init__(self, more: More | None = None, era: Era = Era.MODERN, **options: Any) -> None:
        self.outlet, self.keep_alive = FakeOutlet(), KeepAlive()
        self.stream = EventStream(self.outlet, self.keep_alive, "c-1", **options)
        call = Call(Method.TOOLS_CALL, "c-1", era=era, more=more or More(progress_token="t"))
        self.back = LazyStream(call, self.stream)


async def test_an_answer_that_nothing_precedes_is_whole() -> None:
    channel = Channel()
    assert channel.back.conclude(REPLY) is REPLY
    assert not channel.outlet.begun
    assert not channel.keep_alive._streams


async def test_what_precedes_the_answer_makes_it_an_event() -> None:
    channel = Channel()
    assert channel.back.notify(progress())
    assert (b"content-type", b"text/event-stream") in channel.outlet.headers
    assert (b"x-accel-buffering", b"no") in channel.outlet.headers
    assert (b"x-correlation-id", b"c-1") in channel.outlet.headers
    assert channel.back.conclude(REPLY) is None
    assert channel.outlet.written[1] == b"event: message\ndata: " + REPLY.body + b"\n\n"
    assert channel.outlet.ends == 1


async def test_nothing_follows_the_answer() -> None:
    channel = Channel()
    channel.back.notify(progress())
    channel.back.conclude(REPLY)
    written = list(channel.outlet.written)
    assert not channel.back.notify(progress())
    channel.back.give_up()
    with pytest.raises(CallerGone):
        await channel.back.ask(Question("roots/list", b""), 0.0)
    assert channel.outlet.written == written
    assert channel.outlet.ends == 1


async def test_only_what_the_request_asked_for_is_told() -> None:
    quiet = Channel(More(uri="a:b"))
    assert not quiet.back.notify(progress())
    assert not quiet.back.notify(log("emergency"))
    assert not quiet.outlet.begun
    chosen = Channel(More(log_level="error"))
    assert not chosen.back.notify(log("info"))
    assert chosen.back.notify(log("error"))
    other = Notification("notifications/tools/list_changed", b"{}")
    assert not chosen.back.notify(other)
    assert Channel(era=Era.LEGACY).back.notify(other)


async def test_a_client_that_lags_behind_is_not_told_more() -> None:
    channel = Channel()
    channel.outlet.unsent = MOST_UNSENT_BYTES + 1
    assert not channel.back.notify(progress())
    assert channel.stream.is_full
    await channel.back.drained()
    assert channel.outlet.waits == 1


async def test_a_modern_call_cannot_ask() -> None:
    channel = Channel()
    assert not channel.back.interactive
    with pytest.raises(CallerGone):
        await channel.back.ask(Question("roots/list", b""), 0.0)


async def test_a_call_that_takes_long_opens_its_stream_only_where_told_to() -> None:
    waiting, patient = Channel(), Channel()
    waiting.stream.opens_by_itself = True
    now = waiting.stream._last
    for channel in (waiting, patient):
        channel.stream.beat(now + 9)
        assert not channel.outlet.begun
        channel.stream.beat(now + 11)
    assert waiting.outlet.begun
    assert not patient.outlet.begun


async def test_a_quiet_stream_gets_a_comment() -> None:
    channel = Channel()
    channel.back.notify(progress())
    now = channel.stream._last
    channel.stream.beat(now + 14)
    assert len(channel.outlet.written) == 1
    channel.stream.beat(now + 16)
    assert channel.outlet.written[1:] == [COMMENT]


@pytest.mark.parametrize("primed", [True, False])
async def test_a_stream_with_a_log_numbers_its_events(primed: bool) -> None:
    store = MemoryState()
    channel = Channel(new_log=lambda: EventLog(store, "s"), primed=primed)
    channel.back.notify(progress())
    first, second = channel.outlet.written
    assert first.startswith(b"id: c" if primed else COMMENT)
    assert second.split(b"\n")[0].endswith(b".1")


async def test_a_client_that_does_not_read_can_be_cut_off() -> None:
    channel = Channel()
    channel.back.notify(progress())
    channel.stream.cut()
    assert (channel.outlet.ends, channel.outlet.aborts) == (1, 1)


async def test_events_are_replayed_as_they_were() -> None:
    channel = Channel()
    channel.stream.replay(b"id: x.1\n\n")
    assert channel.outlet.begun
    assert channel.outlet.written == [b"id: x.1\n\n"]


def test_only_the_latest_legacy_revision_knows_priming() -> None:
    assert is_primed("2025-11-25")
    assert not is_primed("2025-06-18")


async def test_a_modern_call_is_a_stream_only_if_it_wants_to_be_told() -> None:
    site = StreamSite()
    meta = modern()["params"]["_meta"]
    params = {"name": "get_slots", "_meta": {**meta, "progressToken": 5}}
    exchange = await site.post(modern(params=params))
    assert exchange.headers["content-type"] == "text/event-stream"
    told = messages(exchange)
    assert [one.get("method") for one in told] == ["notifications/progress"] * 2 + [None]
    assert told[0]["params"]["progressToken"] == 5
    assert told[-1]["result"]["resultType"] == "complete"
    assert "id:" not in exchange.body.decode()
    assert "retry" not in exchange.body.decode()
    as_json = await site.post(modern(params=params), {"Accept": "application/json"})
    assert as_json.status == 500, "this tool insists on telling, and has no way to"

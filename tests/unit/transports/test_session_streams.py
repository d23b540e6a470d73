"""What legacy clients open with GET."""

import asyncio

import pytest

from bascule.gateway.backchannel import Notification
from bascule.gateway.call import Call, Result
from bascule.transports.sessions import SessionConfig
from fakes.feed import FakeFeed
from fakes.mcp import FakeSite
from fakes.streams import StreamSite, deleting, events, getting, messages, until

CHANGED = Notification("notifications/tools/list_changed", b"{}")


def site_with(*feeds: FakeFeed) -> StreamSite:
    waiting = list(feeds)

    async def stream(call: Call) -> Result:
        return Result({}, feed=waiting.pop(0))

    return StreamSite(stream=stream)


async def test_a_session_is_told_what_changes() -> None:
    feed = FakeFeed(CHANGED)
    site = site_with(feed)
    headers = await site.begin()
    async with site.serving(getting(headers)) as exchange:
        await until(lambda: messages(exchange) if exchange.sent else None)
    assert exchange.headers["content-type"] == "text/event-stream"
    [message] = messages(exchange)
    assert message == {"jsonrpc": "2.0", "method": CHANGED.method, "params": {}}
    assert feed.closed == 1
    actions = [record.action for record in site.recorder.records]
    assert actions == ["stream", "stream/ended"]
    assert site.recorder.last.metadata["notifications"] == 1


async def test_a_second_stream_ends_the_first() -> None:
    first_feed, second_feed = FakeFeed(), FakeFeed()
    site = site_with(first_feed, second_feed)
    headers = await site.begin()
    async with site.serving(getting(headers)) as first:
        await until(lambda: first.sent)
        async with site.serving(getting(headers)) as second:
            await until(lambda: first_feed.closed)
            second_feed.put(CHANGED)
            await until(lambda: messages(second) if second.sent else None)
    assert messages(first) == []


async def test_a_stream_without_anything_to_tell_stays_open_until_the_session_ends() -> None:
    site = StreamSite()
    headers = await site.begin()
    async with site.serving(getting(headers)) as exchange:
        await until(lambda: events(exchange) if exchange.sent else None)
        assert (await site.play(deleting(headers))).status == 204
        await until(lambda: exchange.sent[-1]["body"] == b"")


async def test_a_drain_ends_all_streams_and_those_to_come() -> None:
    site = StreamSite()
    headers = await site.begin()
    async with site.serving(getting(headers)) as exchange:
        await until(lambda: exchange.sent)
        site.http.drain()
        await until(lambda: exchange.sent[-1].get("body") == b"")
    assert (await site.play(getting(headers))).status == 200


async def test_what_broke_with_the_stream_is_sent_again() -> None:
    site = site_with(FakeFeed(CHANGED, CHANGED), FakeFeed(CHANGED))
    headers = await site.begin()
    async with site.serving(getting(headers)) as broken:
        await until(lambda: len(messages(broken)) == 2 if broken.sent else False)
    seen = events(broken)[1]["id"]
    async with site.serving(getting(headers, **{"Last-Event-ID": seen})) as resumed:
        await until(lambda: len(messages(resumed)) == 2 if resumed.sent else False)
    assert events(resumed)[1]["id"] == events(broken)[2]["id"]


async def test_a_stream_needs_a_session_and_a_client_that_reads_events() -> None:
    site = StreamSite()
    headers = await site.begin()
    assert (await site.play(getting({}))).status == 400
    assert (await site.play(getting(headers, Accept="application/json"))).status == 406
    modern = {**headers, "MCP-Protocol-Version": "2026-07-28"}
    assert (await site.play(getting(modern))).status == 405
    assert (await FakeSite().play(getting({}))).status == 405


async def test_there_are_only_so_many_streams() -> None:
    feed = FakeFeed()
    site = site_with(feed)
    site.sessions._config = SessionConfig(max_streams=0)
    exchange = await site.play(getting(await site.begin()))
    assert exchange.status == 503
    assert feed.closed == 1


async def test_a_slow_reader_is_cut_off() -> None:
    feed = FakeFeed()
    site = site_with(feed)
    headers = await site.begin()
    exchange = getting(headers)
    stuck = asyncio.Event()

    async def send(event: dict[str, object]) -> None:
        exchange.sent.append(event)
        await stuck.wait()

    exchange.send = send  # pyright: ignore[reportAttributeAccessIssue]
    async with site.serving(exchange):
        await until(lambda: exchange.sent)
        for _ in range(3):
            feed.put(Notification("notifications/message", b'{"data":"%b"}' % (b"x" * 200_000)))
        await until(lambda: feed.closed)
    assert len(exchange.sent) == 1


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS", "PATCH"])
async def test_other_methods_mean_nothing(method: str) -> None:
    site = StreamSite()
    exchange = getting(await site.begin())
    exchange.scope["method"] = method
    await site.play(exchange)
    assert (exchange.status, exchange.headers["allow"]) == (405, "POST, GET, DELETE")

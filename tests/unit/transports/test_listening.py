"""`subscriptions/listen` over HTTP."""

import asyncio
import json
from typing import Any

import pytest

from bascule.gateway.backchannel import Notification
from bascule.gateway.call import Call, Result
from bascule.gateway.feed import ListenFilter
from bascule.protocol.messages import SUBSCRIPTION_KEY
from bascule.transports import disconnect
from fakes.feed import FakeFeed
from fakes.mcp import modern
from fakes.streams import StreamSite, messages, posting, until

CHANGED = Notification("notifications/tools/list_changed", b'{"_meta":{"a":1}}')


def listen(message_id: Any = 9, **wanted: Any) -> dict[str, Any]:
    notifications = wanted or {"toolsListChanged": True}
    return modern("subscriptions/listen", {"notifications": notifications}, id=message_id)


def site_with(feed: FakeFeed) -> StreamSite:
    async def play(call: Call) -> Result:
        return Result({}, feed=feed)

    return StreamSite(play)


@pytest.mark.parametrize("message_id", [9, "9", 0, ""])
async def test_a_subscription_is_acknowledged_first_and_tags_all_it_brings(message_id: Any) -> None:
    feed = FakeFeed(CHANGED, granted=ListenFilter(tools_list_changed=True))
    site = site_with(feed)
    async with site.serving(posting(listen(message_id), {})) as exchange:
        await until(lambda: len(messages(exchange)) == 2 if exchange.sent else False)
        assert not feed.closed
        feed.put(None)
        await until(lambda: len(messages(exchange)) == 3)
    first, second, last = messages(exchange)
    tag = {SUBSCRIPTION_KEY: message_id}
    assert first["method"] == "notifications/subscriptions/acknowledged"
    assert first["params"] == {"_meta": tag, "notifications": {"toolsListChanged": True}}
    assert second["params"] == {"_meta": {"a": 1, **tag}}
    assert (last["id"], last["result"]["resultType"]) == (message_id, "complete")
    assert last["result"]["_meta"][SUBSCRIPTION_KEY] == message_id
    assert "id:" not in exchange.body.decode()
    assert [record.action for record in site.recorder.records] == [
        "subscriptions/listen",
        "subscriptions/listen/ended",
    ]


async def test_a_client_that_leaves_ends_its_subscription(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnect, "_SWEEP_SECONDS", 0.0)
    feed = FakeFeed()
    site = site_with(feed)
    async with site.serving(posting(listen(), {})) as exchange:
        await until(lambda: exchange.sent)
    assert feed.closed == 1
    assert [one["method"] for one in messages(exchange)] == [
        "notifications/subscriptions/acknowledged"
    ]


async def test_a_drain_ends_a_subscription_with_its_result() -> None:
    feed = FakeFeed()
    site = site_with(feed)
    async with site.serving(posting(listen(), {})) as exchange:
        await until(lambda: exchange.sent)
        site.http.drain()
        await until(lambda: feed.closed)
    assert messages(exchange)[-1]["result"]["resultType"] == "complete"


async def test_a_subscription_that_cannot_be_recorded_is_not_given() -> None:
    feed = FakeFeed()
    site = site_with(feed)
    site.recorder.fails = True
    exchange = await site.post(listen())
    assert exchange.status == 503
    assert feed.closed == 1


async def test_a_subscription_needs_a_client_that_reads_events() -> None:
    site = site_with(FakeFeed())
    exchange = await site.post(listen(), {"Accept": "application/json"})
    assert (exchange.status, exchange.answer["error"]["code"]) == (400, -32600)


async def test_a_refused_subscription_is_answered_as_a_whole() -> None:
    site = site_with(FakeFeed())
    exchange = await site.post(listen(toolsListChanged="yes"))
    assert exchange.answer["error"]["code"] == -32602
    assert (await site.post(listen(), {"Authorization": None})).status == 401


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    feed = FakeFeed()
    site = site_with(feed)
    exchange, stuck = posting(listen(), {}), asyncio.Event()

    async def send(event: dict[str, object]) -> None:
        exchange.sent.append(event)
        await stuck.wait()

    exchange.send = send  # pyright: ignore[reportAttributeAccessIssue]
    async with site.serving(exchange):
        await until(lambda: exchange.sent)
        for _ in range(3):
            feed.put(Notification("notifications/x", json.dumps({"d": "x" * 200_000}).encode()))
        await until(lambda: feed.closed)
    assert len(exchange.sent) == 1

import asyncio
import json

import pytest

from bascule.protocol.messages import SUBSCRIPTION_KEY
from bascule.transports import feeding
from bascule.transports.outbox import Outbox
from fakes.channel import IDENTITY, FakeFeed


async def everything_in(outbox: Outbox) -> list[dict]:
    outbox.close()
    messages = []
    while (message := await outbox.next()) is not None:
        messages.append(json.loads(message))
    return messages


async def test_a_subscription_has_its_id_on_all_that_it_brings() -> None:
    outbox, feed = Outbox(), FakeFeed()
    feed.tell("notifications/resources/updated", b'{"uri":"a:b","_meta":{"x":1}}')
    feed.end()

    feeding.begin(feed, outbox, 3)
    await feeding.tell(feed, outbox, 3)
    feeding.end(outbox, 3, IDENTITY)

    first, note, result, notice = await everything_in(outbox)
    assert first["params"]["_meta"] == {SUBSCRIPTION_KEY: 3}
    assert note["params"] == {"uri": "a:b", "_meta": {"x": 1, SUBSCRIPTION_KEY: 3}}
    assert result["result"]["_meta"][SUBSCRIPTION_KEY] == 3
    assert notice["params"]["requestId"] == 3


async def test_a_session_is_told_without_an_id() -> None:
    outbox, feed = Outbox(), FakeFeed()
    feed.tell("notifications/tools/list_changed")
    feed.end()

    await feeding.tell(feed, outbox)

    assert (await everything_in(outbox))[0]["params"] == {}
    assert feed.closed


@pytest.mark.parametrize("params", [b"[]", b"{", b'{"_meta":5}'])
async def test_a_note_that_cannot_be_tagged_is_dropped_and_no_other(params: bytes) -> None:
    outbox, feed = Outbox(), FakeFeed()
    feed.tell("notifications/tasks", params)
    feed.tell("notifications/tools/list_changed")
    feed.end()

    await feeding.tell(feed, outbox, "s")

    assert [one["method"] for one in await everything_in(outbox)] == [
        "notifications/tools/list_changed"
    ]


async def test_a_feed_is_closed_by_who_stops_listening() -> None:
    feed = FakeFeed()
    telling = asyncio.ensure_future(feeding.tell(feed, Outbox(), 1))
    await asyncio.sleep(0)
    telling.cancel()
    await asyncio.wait([telling])

    assert feed.closed

import asyncio
from collections.abc import AsyncIterator

from bascule.gateway.state import MOST_VALUE_BYTES, StateStore


async def received(messages: AsyncIterator[bytes], count: int) -> list[bytes]:
    async with asyncio.timeout(5):
        return [await anext(messages) for _ in range(count)]


async def test_messages_arrive_in_order_and_as_they_were(store: StateStore):
    sent = [b"%d" % n for n in range(50)] + [b"", bytes(range(256)), bytes(MOST_VALUE_BYTES)]
    async with store.subscribe("a") as messages:
        for message in sent:
            await store.publish("a", message)

        assert await received(messages, len(sent)) == sent


async def test_everybody_subscribed_gets_every_message(store: StateStore):
    async with store.subscribe("a") as one, store.subscribe("a") as other:
        await store.publish("a", b"1")

        assert await received(one, 1) == [b"1"]
        assert await received(other, 1) == [b"1"]


async def test_channels_do_not_mix(store: StateStore):
    async with store.subscribe("a") as a, store.subscribe("*") as star:
        await store.publish("b", b"0")
        await store.publish("*", b"2")
        await store.publish("a", b"1")

        assert await received(a, 1) == [b"1"]
        assert await received(star, 1) == [b"2"]


async def test_who_was_not_there_is_not_told_later(store: StateStore):
    await store.publish("a", b"before")
    async with store.subscribe("a") as messages:
        await store.publish("a", b"during")
        assert await received(messages, 1) == [b"during"]
    await store.publish("a", b"after")

    async with store.subscribe("a") as messages:
        await store.publish("a", b"again")
        assert await received(messages, 1) == [b"again"]


async def test_one_that_leaves_takes_nothing_from_one_that_stays(store: StateStore):
    async with store.subscribe("a") as staying:
        async with store.subscribe("a"):
            pass
        await store.publish("a", b"1")

        assert await received(staying, 1) == [b"1"]


async def test_a_reader_that_waits_is_woken(store: StateStore):
    async with asyncio.timeout(5), store.subscribe("a") as messages, asyncio.TaskGroup() as group:
        waiting = group.create_task(received(messages, 1))
        await asyncio.sleep(0)
        assert not waiting.done()
        await store.publish("a", b"1")

    assert waiting.result() == [b"1"]


async def test_a_reader_can_stop_waiting_and_wait_again(store: StateStore):
    async with store.subscribe("a") as messages:
        waiting = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await store.publish("a", b"1")

        assert await received(messages, 1) == [b"1"]

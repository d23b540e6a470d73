import asyncio

from bascule.transports.outbox import Outbox

LARGE = b"x" * 100_000


async def test_messages_leave_in_the_order_they_were_put_in() -> None:
    outbox = Outbox()
    for message in (b"1", b"2", b"3"):
        outbox.put(message)

    assert [await outbox.next() for _ in range(3)] == [b"1", b"2", b"3"]


async def test_who_waits_for_a_message_gets_the_one_put_in_later() -> None:
    outbox = Outbox()
    asyncio.get_running_loop().call_soon(outbox.put, b"late")

    async with asyncio.timeout(5):
        assert await outbox.next() == b"late"


async def test_a_closed_outbox_gives_what_is_in_it_then_nothing_and_takes_no_more() -> None:
    outbox = Outbox()
    outbox.put(b"last")
    outbox.close()
    outbox.put(b"too late")

    assert [await outbox.next(), await outbox.next()] == [b"last", None]


async def test_closing_wakes_who_waits() -> None:
    outbox = Outbox()
    asyncio.get_running_loop().call_soon(outbox.close)

    async with asyncio.timeout(5):
        assert await outbox.next() is None


async def test_a_message_is_unsent_until_the_one_after_it_is_asked_for() -> None:
    outbox = Outbox()
    outbox.put(LARGE)
    await outbox.next()
    waiting = asyncio.ensure_future(outbox.drained())
    await asyncio.sleep(0)
    before = (outbox.unsent, waiting.done())

    outbox.put(b"small")
    await outbox.next()
    async with asyncio.timeout(5):
        await waiting

    assert before == (len(LARGE), False)
    assert outbox.unsent == 5


async def test_who_waits_for_a_drain_is_let_go_when_nothing_can_be_sent_any_more() -> None:
    outbox = Outbox()
    outbox.put(LARGE)
    asyncio.get_running_loop().call_soon(outbox.close)

    async with asyncio.timeout(5):
        await outbox.drained()

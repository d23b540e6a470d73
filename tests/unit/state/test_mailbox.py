import asyncio

from bascule.state.mailbox import Mailbox


async def test_messages_wait_in_order():
    mailbox = Mailbox()
    assert mailbox.offer(b"1")
    assert mailbox.offer(b"2")

    assert [await anext(mailbox), await anext(mailbox)] == [b"1", b"2"]


async def test_a_reader_that_came_first_is_woken():
    mailbox = Mailbox()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        reading = group.create_task(mailbox.__anext__())
        await asyncio.sleep(0)
        mailbox.offer(b"1")

    assert reading.result() == b"1"


async def test_a_reader_waits_again_once_it_has_read_everything():
    mailbox = Mailbox()
    mailbox.offer(b"1")
    await anext(mailbox)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        reading = group.create_task(mailbox.__anext__())
        await asyncio.sleep(0)
        mailbox.offer(b"2")

    assert reading.result() == b"2"


async def test_beyond_the_bound_the_newest_are_dropped_until_some_are_read():
    mailbox = Mailbox(most_messages=2)

    assert [mailbox.offer(b"%d" % n) for n in range(3)] == [True, True, False]
    assert await anext(mailbox) == b"0"
    assert mailbox.offer(b"3")
    assert [await anext(mailbox), await anext(mailbox)] == [b"1", b"3"]


async def test_large_messages_fill_it_before_many_do():
    mailbox = Mailbox(most_bytes=10)

    assert [mailbox.offer(bytes(6)), mailbox.offer(bytes(6))] == [True, False]
    await anext(mailbox)
    assert mailbox.offer(bytes(10))


async def test_reading_goes_on_for_as_long_as_messages_come():
    mailbox = Mailbox()
    mailbox.offer(b"1")
    mailbox.offer(b"2")
    seen: list[bytes] = []

    async with asyncio.timeout(5):
        async for message in mailbox:
            seen.append(message)
            if len(seen) == 2:
                break

    assert seen == [b"1", b"2"]

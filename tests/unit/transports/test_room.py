import asyncio

from bascule.transports.room import Room


async def test_as_many_enter_as_there_is_room_for() -> None:
    room = Room(2)
    await room.enter()
    await room.enter()
    third = asyncio.ensure_future(room.enter())
    await asyncio.sleep(0)
    waited = not third.done()

    room.leave()
    async with asyncio.timeout(5):
        await third

    assert waited


async def test_who_goes_on_after_a_wait_need_not_wait_again() -> None:
    room = Room(1)
    await room.enter()
    room.leave()
    await room.enter()
    room.enter_again()
    room.leave()
    other = asyncio.ensure_future(room.enter())
    await asyncio.sleep(0)
    full = not other.done()

    room.leave()
    async with asyncio.timeout(5):
        await other

    assert full

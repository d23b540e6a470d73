import asyncio

from bascule.gateway.state import StateStore


async def test_entries_are_numbered_from_one_without_gaps(store: StateStore):
    numbers = [await store.append("a", b"%d" % n, most=10, ttl_seconds=60) for n in range(5)]

    assert numbers == [1, 2, 3, 4, 5]
    assert await store.read("a", 0) == [(1, b"0"), (2, b"1"), (3, b"2"), (4, b"3"), (5, b"4")]


async def test_a_reader_gets_what_came_after_the_number_it_names(store: StateStore):
    for n in range(5):
        await store.append("a", b"%d" % n, most=10, ttl_seconds=60)

    assert await store.read("a", 3) == [(4, b"3"), (5, b"4")]
    assert await store.read("a", 5) == []
    assert await store.read("a", 1_000_000) == []
    assert await store.read("nowhere", 0) == []


async def test_the_oldest_entries_go_and_the_numbers_run_on(store: StateStore):
    for n in range(1, 301):
        assert await store.append("a", b"%d" % n, most=70, ttl_seconds=60) == n

    assert await store.read("a", 0) == [(n, b"%d" % n) for n in range(231, 301)]


async def test_entries_written_at_once_all_get_numbers_of_their_own(store: StateStore):
    async with asyncio.timeout(10):
        numbers = await asyncio.gather(
            *(store.append("a", b"%d" % n, most=100, ttl_seconds=60) for n in range(100))
        )

    assert sorted(numbers) == list(range(1, 101))
    assert dict(await store.read("a", 0)) == {n: b"%d" % k for k, n in enumerate(numbers)}


async def test_logs_do_not_mix(store: StateStore):
    await store.append("a", b"1", most=10, ttl_seconds=60)
    assert await store.append("b", b"2", most=10, ttl_seconds=60) == 1

    assert await store.read("b", 0) == [(1, b"2")]


async def test_a_log_lives_from_its_last_entry_and_begins_anew_thereafter(store: StateStore):
    await store.append("kept", b"1", most=10, ttl_seconds=0.02)
    await store.append("kept", b"2", most=10, ttl_seconds=60)
    await store.append("gone", b"1", most=10, ttl_seconds=0.05)
    async with asyncio.timeout(5):
        while await store.read("gone", 0):
            await asyncio.sleep(0.005)

    assert [value for _, value in await store.read("kept", 0)] == [b"1", b"2"]
    assert await store.append("gone", b"2", most=10, ttl_seconds=60) == 1
    assert await store.read("gone", 0) == [(1, b"2")]

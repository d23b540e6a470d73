import asyncio

import pytest

from bascule.gateway.state import MOST_VALUE_BYTES, StateStore

NAMES = ["session:1", "", "a b\n", "é\0", "*", "x" * 1000]


async def expired(store: StateStore, key: str) -> None:
    """Wait until the value is gone, asking as a caller would."""
    async with asyncio.timeout(5):
        while await store.get(key) is not None:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("key", NAMES)
@pytest.mark.parametrize("value", [b"", b"x", bytes(range(256))])
async def test_a_value_comes_back_as_it_was_put(store: StateStore, key: str, value: bytes):
    await store.put(key, value, 60)

    assert await store.get(key) == value


async def test_what_was_never_put_is_not_there(store: StateStore):
    assert await store.get("a") is None
    assert await store.take("a") is None
    await store.delete("a")


async def test_a_later_value_replaces_the_earlier_and_its_life(store: StateStore):
    await store.put("a", b"1", 0.02)
    await store.put("a", b"2", 60)
    await store.put("b", b"-", 0.05)
    await expired(store, "b")

    assert await store.get("a") == b"2"


async def test_a_value_expires(store: StateStore):
    await store.put("a", b"1", 0.02)
    await expired(store, "a")

    assert await store.take("a") is None
    assert await store.put_new("a", b"2", 60)


async def test_a_deleted_value_is_gone(store: StateStore):
    await store.put("a", b"1", 60)
    await store.delete("a")

    assert await store.get("a") is None


async def test_put_new_leaves_what_is_there(store: StateStore):
    assert await store.put_new("a", b"1", 60)
    assert not await store.put_new("a", b"2", 60)

    assert await store.get("a") == b"1"


async def test_a_value_of_no_bytes_is_a_value(store: StateStore):
    assert await store.put_new("a", b"", 60)

    assert not await store.put_new("a", b"", 60)
    assert await store.take("a") == b""
    assert await store.take("a") is None


async def test_of_many_that_put_the_same_new_name_one_succeeds(store: StateStore):
    async with asyncio.timeout(10):
        done = await asyncio.gather(
            *(store.put_new("nonce", str(n).encode(), 60) for n in range(50))
        )

    assert done.count(True) == 1
    assert await store.get("nonce") == str(done.index(True)).encode()


async def test_of_many_that_take_one_value_one_gets_it(store: StateStore):
    await store.put("a", b"1", 60)

    async with asyncio.timeout(10):
        taken = await asyncio.gather(*(store.take("a") for _ in range(50)))

    assert sorted(map(bool, taken)) == [False] * 49 + [True]
    assert await store.get("a") is None


async def test_names_of_values_logs_and_channels_do_not_meet(store: StateStore):
    await store.put("a", b"1", 60)
    await store.append("a", b"2", most=10, ttl_seconds=60)

    assert await store.get("a") == b"1"
    assert await store.read("a", 0) == [(1, b"2")]
    await store.delete("a")
    assert await store.read("a", 0) == [(1, b"2")]


async def test_the_largest_value_fits_and_one_byte_more_does_not(store: StateStore):
    largest = bytes(MOST_VALUE_BYTES)
    await store.put("a", largest, 60)
    assert await store.get("a") == largest

    for refused in (
        store.put("b", largest + b"x", 60),
        store.put_new("b", largest + b"x", 60),
        store.append("b", largest + b"x", most=1, ttl_seconds=60),
        store.publish("b", largest + b"x"),
    ):
        with pytest.raises(ValueError, match="1048577"):
            await refused
    assert await store.get("b") is None


@pytest.mark.parametrize("ttl_seconds", [0, -1, float("inf"), float("nan")])
async def test_a_life_must_be_of_some_length_and_end(store: StateStore, ttl_seconds: float):
    for refused in (
        store.put("a", b"", ttl_seconds),
        store.put_new("a", b"", ttl_seconds),
        store.append("a", b"", most=1, ttl_seconds=ttl_seconds),
    ):
        with pytest.raises(ValueError, match="cannot live"):
            await refused


async def test_a_caller_that_gives_up_leaves_the_store_in_order(store: StateStore):
    await store.put("a", b"1", 60)

    for rounds in range(20):
        asked = asyncio.ensure_future(store.get("a"))
        for _ in range(rounds % 5):
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
        assert await store.put_new(f"b{rounds}", b"2", 60)

    async with asyncio.timeout(5):
        assert await asyncio.gather(*(store.get("a") for _ in range(20))) == [b"1"] * 20

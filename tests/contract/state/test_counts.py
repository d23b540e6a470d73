import asyncio
import secrets

import pytest

from bascule.gateway.state import StateStore
from bascule.state.redis import open_redis

NAMES = ["rate:1", "", "a b\n", "é\0", "*", "x" * 1000]


async def forgotten(store: StateStore, key: str, ttl_seconds: float = 60) -> None:
    """Wait until a count begins anew, counting as a caller would."""
    async with asyncio.timeout(5):
        while await store.count(key, ttl_seconds) != 1:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("key", NAMES)
async def test_a_count_goes_up_by_one_each_time(store: StateStore, key: str):
    assert [await store.count(key, 60) for _ in range(5)] == [1, 2, 3, 4, 5]


async def test_counts_of_other_names_go_their_own_way(store: StateStore):
    await store.count("a", 60)

    assert await store.count("b", 60) == 1
    assert await store.count("a", 60) == 2


async def test_of_many_that_count_at_once_each_gets_a_number_of_its_own(store: StateStore):
    async with asyncio.timeout(10):
        numbers = await asyncio.gather(*(store.count("a", 60) for _ in range(200)))

    assert sorted(numbers) == list(range(1, 201))


async def test_a_count_lives_from_its_first_and_no_later_one_prolongs_it(store: StateStore):
    await store.count("a", 0.05)

    await forgotten(store, "a")

    assert await store.count("a", 60) == 2


async def test_a_later_life_does_not_cut_a_count_short(store: StateStore):
    await store.count("a", 60)
    await store.count("a", 0.001)
    await store.count("b", 0.05)
    await forgotten(store, "b")

    assert await store.count("a", 60) == 3


async def test_names_of_counts_and_values_do_not_meet(store: StateStore):
    await store.put("a", b"7", 60)
    await store.append("a", b"-", most=9, ttl_seconds=60)

    assert await store.count("a", 60) == 1
    assert await store.get("a") == b"7"
    await store.delete("a")
    assert await store.take("a") is None
    assert await store.count("a", 60) == 2


@pytest.mark.parametrize("ttl_seconds", [0, -1, float("inf"), float("nan")])
async def test_the_life_of_a_count_must_be_of_some_length_and_end(
    store: StateStore, ttl_seconds: float
):
    with pytest.raises(ValueError, match="cannot live"):
        await store.count("a", ttl_seconds)


async def test_two_processes_of_one_installation_count_together(valkey_url: str):
    name = secrets.token_hex(8)
    async with (
        open_redis(valkey_url, name, command_seconds=20) as one,
        open_redis(valkey_url, name, command_seconds=20) as other,
    ):
        both = [
            *(one.count("a", 60) for _ in range(50)),
            *(other.count("a", 60) for _ in range(50)),
        ]

        async with asyncio.timeout(60):
            assert sorted(await asyncio.gather(*both)) == list(range(1, 101))


async def test_two_installations_on_one_server_count_apart(valkey_url: str):
    names = [secrets.token_hex(8), secrets.token_hex(8)]
    async with open_redis(valkey_url, names[0]) as one, open_redis(valkey_url, names[1]) as other:
        await one.count("a", 60)

        assert await other.count("a", 60) == 1

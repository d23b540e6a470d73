import asyncio
import time

import pytest

from bascule.catalogue import caching
from bascule.catalogue.caching import Cache, Fresh, Key
from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout

ANN = Key("acme", "alpha", "read note://x", "ann")
BOB = ANN._replace(scope="bob")


class Source:
    """Gives numbered answers; waits for `release` where there is one."""

    def __init__(self, ttl_ms: int = 60_000, *, public: bool = False, size_bytes: int = 10) -> None:
        self.fetched = 0
        self.release: asyncio.Event | None = None
        self.error: Exception | None = None
        self._like = (ttl_ms, public, size_bytes)

    async def fetch(self) -> Fresh[str]:
        self.fetched += 1
        answer = Fresh(str(self.fetched), *self._like)
        if self.release is not None:
            await self.release.wait()
        if self.error is not None:
            raise self.error
        return answer


async def ask(cache: Cache[str], source: Source, key: Key = ANN, deadline: float = 0) -> str:
    return (await cache.get(key, source.fetch, deadline)).value


async def test_an_answer_is_kept_for_as_long_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, source = Cache[str](), Source(1000)
    now = time.monotonic()
    monkeypatch.setattr(caching.time, "monotonic", lambda: now)
    assert [await ask(cache, source) for _ in range(2)] == ["1", "1"]
    now += 0.4
    assert (await cache.get(ANN, source.fetch, 0)).ttl_ms in {599, 600}
    now += 0.7
    assert await ask(cache, source) == "2"


async def test_nothing_is_kept_longer_than_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, source = Cache[str](), Source(2**53 - 1)
    now = time.monotonic()
    monkeypatch.setattr(caching.time, "monotonic", lambda: now)
    assert await ask(cache, source) == "1"
    now += caching.MOST_SECONDS + 1
    assert await ask(cache, source) == "2"


async def test_a_private_answer_is_nobody_else_s() -> None:
    cache, source = Cache[str](), Source()
    assert [await ask(cache, source, key) for key in (ANN, BOB, ANN, BOB)] == ["1", "2", "1", "2"]


async def test_a_public_answer_is_for_all_of_the_tenant() -> None:
    cache, source = Cache[str](), Source(public=True)
    other = BOB._replace(tenant="other")
    assert [await ask(cache, source, key) for key in (ANN, BOB, other)] == ["1", "1", "2"]


async def test_who_asks_meanwhile_gets_the_same_answer() -> None:
    cache, source = Cache[str](), Source()
    source.release = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        asking = [group.create_task(ask(cache, source)) for _ in range(5)]
        while not source.fetched:
            await asyncio.sleep(0)
        source.release.set()
    assert {one.result() for one in asking} == {"1"}


@pytest.mark.parametrize(("ttl_ms", "key"), [(0, ANN), (60_000, BOB)])
async def test_what_may_not_be_shared_is_fetched_by_each(ttl_ms: int, key: Key) -> None:
    cache, source = Cache[str](), Source(ttl_ms)
    source.release = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        first = group.create_task(ask(cache, source))
        second = group.create_task(ask(cache, source, key))
        while not source.fetched:
            await asyncio.sleep(0)
        source.release.set()
    assert (first.result(), second.result()) == ("1", "2")


async def test_who_leaves_or_fails_takes_nobody_along() -> None:
    cache, source = Cache[str](), Source()
    source.release = asyncio.Event()
    async with asyncio.timeout(5):
        first = asyncio.ensure_future(ask(cache, source))
        second = asyncio.ensure_future(ask(cache, source))
        while not source.fetched:
            await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        source.release.set()
        assert await second == "2"
    source.error = UpstreamFailed("no")
    cache.drop("acme", "alpha")
    with pytest.raises(UpstreamFailed):
        await ask(cache, source)
    source.error = None
    assert await ask(cache, source) == "4"


async def test_nobody_waits_for_another_longer_than_until_the_own_deadline() -> None:
    cache, source = Cache[str](), Source()
    source.release = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        first = group.create_task(ask(cache, source))
        while not source.fetched:
            await asyncio.sleep(0)
        with pytest.raises(UpstreamTimeout):
            await ask(cache, source, deadline=time.monotonic() + 0.01)
        source.release.set()
    assert first.result() == "1"


async def test_what_is_dropped_is_fetched_anew() -> None:
    cache, source = Cache[str](), Source()
    other = ANN._replace(about="read note://y")
    elsewhere = ANN._replace(upstream="beta")
    for key in (ANN, other, elsewhere):
        await ask(cache, source, key)
    cache.drop("acme", "alpha", "read note://x")
    assert [await ask(cache, source, key) for key in (ANN, other, elsewhere)] == ["4", "2", "3"]
    cache.drop("acme", "alpha")
    assert [await ask(cache, source, key) for key in (other, elsewhere)] == ["5", "3"]


async def test_an_answer_on_its_way_when_all_is_dropped_is_not_kept() -> None:
    cache, source = Cache[str](), Source()
    source.release = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        first = group.create_task(ask(cache, source))
        while not source.fetched:
            await asyncio.sleep(0)
        cache.drop("acme", "alpha")
        source.release.set()
    assert (first.result(), await ask(cache, source)) == ("1", "2")


async def test_what_was_not_asked_for_longest_goes_first() -> None:
    cache, source = Cache[str](most_entries=2), Source()
    keys = [ANN._replace(about=name) for name in "abc"]
    for key in (keys[0], keys[1], keys[0], keys[2]):
        await ask(cache, source, key)
    assert [await ask(cache, source, key) for key in (keys[0], keys[2])] == ["1", "3"]
    assert await ask(cache, source, keys[1]) == "4"


async def test_bytes_are_bounded_and_one_answer_takes_but_a_part_of_them() -> None:
    cache, small, large = Cache[str](most_bytes=160), Source(size_bytes=10), Source(size_bytes=11)
    await ask(cache, large)
    assert await ask(cache, large) == "2"
    keys = [ANN._replace(about=str(number)) for number in range(17)]
    for key in keys:
        await ask(cache, small, key)
    assert await ask(cache, small, keys[0]) == "18"


async def test_no_entries_keep_nothing() -> None:
    cache, source = Cache[str](most_entries=0), Source()
    assert [await ask(cache, source) for _ in range(2)] == ["1", "2"]

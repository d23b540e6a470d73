"""Exports take turns at the disk, and a tenant has but a few of them."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from bascule.api.exports import MOST_PER_TENANT, Exports, TooManyExports


async def test_empty_blocks_are_left_out() -> None:
    blocks = Exports().read(iter([b"a", b"", b"b", b""]))
    assert [block async for block in blocks] == [b"a", b"b"]


async def test_one_of_them_reads_at_a_time() -> None:
    exports, go = Exports(), threading.Event()
    seen: list[str] = []

    def blocks(name: str) -> Iterator[bytes]:
        seen.append(f"{name} begins")
        go.wait(5)
        seen.append(f"{name} ends")
        yield b"x"

    async def take(name: str) -> int:
        return len([block async for block in exports.read(blocks(name))])

    async with asyncio.timeout(10):
        both = asyncio.gather(take("first"), take("second"))
        while not seen:
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        go.set()
        assert await both == [1, 1]
    assert seen == ["first begins", "first ends", "second begins", "second ends"]


async def test_a_reader_that_takes_its_time_keeps_nobody_waiting() -> None:
    exports = Exports()
    slow = exports.read(iter([b"a", b"b"]))
    assert await anext(slow) == b"a"
    async with asyncio.timeout(5):
        assert [block async for block in exports.read(iter([b"c"]))] == [b"c"]
    assert await anext(slow) == b"b"


async def test_a_tenant_has_few_at_a_time_whatever_others_have() -> None:
    exports = Exports()
    with exports.place("acme"):
        with exports.place("acme"):
            assert MOST_PER_TENANT == 2
            with pytest.raises(TooManyExports), exports.place("acme"):
                raise AssertionError
            with exports.place("eve"):
                pass
        with exports.place("acme"):
            pass

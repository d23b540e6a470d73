"""Values are kept as long as they may be, and never longer."""

import asyncio

import pytest

from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.failures import SecretUnavailable
from bascule.upstreams.secrets.references import Kind, Reference
from bascule.upstreams.secrets.resolver import Freshness, SecretResolver
from bascule.upstreams.secrets.sources import Stored

BOX = SecretBox([b"k" * 32])


class FakeSource:
    """Gives what it was told; `None` fails."""

    def __init__(self, value: str | None) -> None:
        self.value = value
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self, reference: Reference) -> str:
        self.asked += 1
        await self.gate.wait()
        if self.value is None:
            raise SecretUnavailable(f"{reference}: out of order.")
        return self.value


class Bench:
    """A resolver with one fake source for files, and a clock."""

    def __init__(self, value: str | None = "one", *, ttl: float = 30, stale: float = 600) -> None:
        self.now = 0.0
        self.source = FakeSource(value)
        self.stored = Stored(BOX)
        self.resolver = SecretResolver(
            self.stored, {Kind.FILE: self.source}, Freshness(ttl, stale), lambda: self.now
        )

    async def read(self, text: str = "${file:/key}") -> str:
        async with asyncio.timeout(5):
            return await self.resolver.resolve("t", text)


async def test_texts_are_put_together() -> None:
    assert await Bench().read("a ${file:/key} $${b} ${file:/key}") == "a one ${b} one"
    assert await Bench().read("plain") == "plain"


async def test_what_a_reference_brings_in_is_not_looked_at_again() -> None:
    assert await Bench("${file:/etc/shadow}").read() == "${file:/etc/shadow}"


async def test_a_value_is_kept_for_its_time_and_then_read_again() -> None:
    bench = Bench(ttl=30)
    assert await bench.read() == "one"
    bench.source.value, bench.now = "two", 29.9
    assert await bench.read() == "one"
    bench.now = 30
    assert await bench.read() == "two"
    assert bench.source.asked == 2


async def test_many_who_want_it_at_once_read_it_once() -> None:
    bench = Bench()
    bench.source.gate.clear()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        reading = [group.create_task(bench.read()) for _ in range(100)]
        await asyncio.sleep(0)
        bench.source.gate.set()
    assert {one.result() for one in reading} == {"one"}
    assert bench.source.asked == 1


async def test_a_source_that_fails_keeps_the_last_value_until_it_is_too_old() -> None:
    bench = Bench(ttl=30, stale=100)
    await bench.read()
    bench.source.value = None
    for now in (30, 60, 100):
        bench.now = now
        assert await bench.read() == "one"
    bench.now = 101.1
    with pytest.raises(SecretUnavailable, match="cannot be made ready") as caught:
        await bench.read()
    assert caught.value.private == "${file:/key}: out of order."
    bench.now, bench.source.value = 103, "two"
    assert await bench.read() == "two"


async def test_a_source_that_fails_is_left_alone_for_a_moment() -> None:
    bench = Bench(None)
    for _ in range(50):
        with pytest.raises(SecretUnavailable):
            await bench.read()
    assert bench.source.asked == 1
    bench.now, bench.source.value = 1.0, "one"
    assert await bench.read() == "one"


async def test_what_was_not_accepted_is_read_again_at_once() -> None:
    bench = Bench()
    await bench.read()
    bench.source.value = "two"
    bench.resolver.forget("Bearer ${file:/key} ${file:/never-read}")
    assert await bench.read() == "two"


async def test_secrets_of_tenants_count_at_once() -> None:
    bench = Bench()
    for value in ("one", "two"):
        secrets = {"crm": BOX.close("t", "crm", value)}
        bench.resolver.follow(Snapshot(1, {"t": TenantView("t", secrets=secrets)}))
        assert await bench.read("${secret:crm}") == value
    assert bench.resolver.generation("t") == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${secret:none}", "no secret none"),
        ("${vault:kv/x#f}", "security.vault_url"),
        ("${aws:x}", "not set up"),
        ("${", "no closing brace"),
    ],
)
async def test_what_leads_nowhere_fails(text: str, reason: str) -> None:
    with pytest.raises(SecretUnavailable) as caught:
        await Bench().read(text)
    assert reason in caught.value.private


async def test_closing_ends_what_is_being_read() -> None:
    bench = Bench()
    bench.source.gate.clear()
    reading = asyncio.ensure_future(bench.read())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await bench.resolver.close()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_the_generation_grows_where_a_value_read_again_is_another_one() -> None:
    bench = Bench(ttl=30, stale=60)
    await bench.read()
    first = bench.resolver.generation("t")
    bench.now = 30
    await bench.read()
    assert bench.resolver.generation("t") == first, "it is the same value"
    bench.source.value, bench.now = "two", 60
    await bench.read()
    second = bench.resolver.generation("t")
    assert second > first
    bench.source.value, bench.now = None, 200
    with pytest.raises(SecretUnavailable):
        await bench.read()
    assert bench.resolver.generation("t") > second

"""Headers are made ready once, renewed when they must be, and never show what they hold."""

import asyncio
import itertools

import pytest

from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.upstreams.credentials.credentials import Credentials
from bascule.upstreams.credentials.tokens import Token
from bascule.upstreams.secrets import SecretResolver, SecretUnavailable
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.resolver import Freshness
from bascule.upstreams.secrets.sources import Stored

BOX = SecretBox([b"k" * 32])


class FakeTokens:
    """Gives tokens that count up; the same one until it is forgotten or renewed."""

    def __init__(self, life: float = 600) -> None:
        self.life = life
        self.forgotten = 0
        self.closed = False
        self._numbers = itertools.count(1)
        self._token = ""
        self.gate = asyncio.Event()
        self.gate.set()

    async def current(self) -> Token:
        await self.gate.wait()
        self._token = self._token or f"token-number-{next(self._numbers)}"
        return Token(self._token, self.life, self.life)

    def forget(self) -> None:
        self.forgotten += 1
        self._token = ""

    async def close(self) -> None:
        self.closed = True


class Bench:
    """Credentials with a header that refers to a secret, and a clock."""

    def __init__(self, tokens: FakeTokens | None = None, *headers: tuple[str, str]) -> None:
        self.now = 0.0
        self.resolver = SecretResolver(Stored(BOX), {}, Freshness(30, 600))
        self.set_secret("hunter2hunter2")
        self.tokens = tokens
        self.credentials = Credentials(
            "t",
            headers or (("X-Api-Key", "${secret:crm}"),),
            self.resolver,
            tokens,  # type: ignore[arg-type]
            lambda: self.now,
        )

    def set_secret(self, value: str) -> None:
        view = TenantView("t", secrets={"crm": BOX.close("t", "crm", value)})
        self.resolver.follow(Snapshot(1, {"t": view}))


async def test_headers_are_made_ready_once_and_looked_at_again_after_a_while() -> None:
    bench = Bench()
    credentials = bench.credentials
    assert credentials.fresh() is None
    ready = await credentials.prepared()
    assert ready.lines == b"X-Api-Key: hunter2hunter2\r\n"
    assert credentials.fresh() is ready
    assert await credentials.prepared() is ready
    bench.now = 30
    assert credentials.fresh() is None
    assert (await credentials.prepared()).lines == ready.lines


async def test_another_secret_counts_with_the_next_request() -> None:
    bench = Bench()
    await bench.credentials.prepared()
    bench.set_secret("correct horse")
    assert bench.credentials.fresh() is None
    assert (await bench.credentials.prepared()).lines == b"X-Api-Key: correct horse\r\n"


async def test_a_token_comes_last_and_decides_how_long_it_is_fresh() -> None:
    bench = Bench(FakeTokens(life=10))
    ready = await bench.credentials.prepared()
    assert ready.lines == (b"X-Api-Key: hunter2hunter2\r\nauthorization: Bearer token-number-1\r\n")
    assert ready.until == 10
    assert ready.secrets == ("hunter2hunter2", "token-number-1")


def test_its_names_are_set_by_nobody_else() -> None:
    assert Bench().credentials.names == {"x-api-key"}
    assert Bench(FakeTokens()).credentials.names == {"x-api-key", "authorization"}


async def test_parts_of_a_value_are_secrets_as_well_and_short_ones_are_none() -> None:
    ready = await Bench(None, ("A", "Basic ${secret:crm}"), ("B", "x${secret:crm}y")).credentials \
        .prepared()  # fmt: skip
    assert ready.secrets == ("Basic hunter2hunter2", "xhunter2hunter2y", "hunter2hunter2")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "snow ☃"])
async def test_what_would_break_a_message_is_not_sent_and_not_repeated(value: str) -> None:
    bench = Bench()
    bench.set_secret(value)
    with pytest.raises(SecretUnavailable) as caught:
        await bench.credentials.prepared()
    assert "the header X-Api-Key cannot be sent" in caught.value.private
    assert value not in caught.value.private


async def test_what_was_refused_is_got_anew_once_for_all() -> None:
    tokens = FakeTokens()
    bench = Bench(tokens)
    refused = await bench.credentials.prepared()
    tokens.gate.clear()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        renewing = [group.create_task(bench.credentials.renewed(refused)) for _ in range(100)]
        await asyncio.sleep(0)
        tokens.gate.set()
    assert {one.result().lines for one in renewing if one.result()} == {
        b"X-Api-Key: hunter2hunter2\r\nauthorization: Bearer token-number-2\r\n"
    }
    assert all(one.result() for one in renewing)
    assert tokens.forgotten == 1


async def test_a_service_that_refuses_everything_does_not_make_it_ask_on_and_on() -> None:
    tokens = FakeTokens()
    bench = Bench(tokens)
    refused = await bench.credentials.prepared()
    for _ in range(10):
        renewed = await bench.credentials.renewed(refused)
        refused = renewed or refused
    assert tokens.forgotten == 1
    bench.now += 10
    assert await bench.credentials.renewed(refused) is not None
    assert tokens.forgotten == 2


async def test_what_was_renewed_meanwhile_is_used_without_asking() -> None:
    tokens = FakeTokens()
    bench = Bench(tokens)
    refused = await bench.credentials.prepared()
    tokens.forget()
    bench.now = 31
    newer = await bench.credentials.prepared()
    assert await bench.credentials.renewed(refused) == newer
    assert tokens.forgotten == 1


async def test_where_nothing_changed_there_is_nothing_to_try() -> None:
    bench = Bench()
    refused = await bench.credentials.prepared()
    assert await bench.credentials.renewed(refused) is None


async def test_closing_ends_what_is_under_way() -> None:
    tokens = FakeTokens()
    async with asyncio.timeout(5):
        await Bench(tokens).credentials.close()
        await Bench().credentials.close()
    assert tokens.closed

"""One token for all, renewed early, and by one request."""

import asyncio
import json
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from bascule.gateway.connector import ClientCredentials
from bascule.gateway.errors import UpstreamUnreachable
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.upstreams.credentials.failures import TokenRefused, TokenUnavailable
from bascule.upstreams.credentials.tokens import Tokens
from bascule.upstreams.http1 import HttpRequest, HttpResponse
from bascule.upstreams.secrets import SecretResolver, SecretUnavailable
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.sources import Stored

BOX = SecretBox([b"k" * 32])
Answer = Callable[[int], HttpResponse | Exception]


def granted(number: int, expires_in: object = 3600) -> HttpResponse:
    members = {"access_token": f"token-{number}", "expires_in": expires_in}
    return HttpResponse(200, [], json.dumps(members).encode())


class FakeEndpoint:
    """Answers requests for tokens; `gate` holds them back."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[HttpRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        self.requests.append(request)
        await self.gate.wait()
        answer = self.answer(len(self.requests))
        if isinstance(answer, Exception):
            raise answer
        return answer


class Bench:
    """Tokens from a fake endpoint, with a clock."""

    def __init__(self, answer: Answer = granted, reference: str = "${secret:crm}") -> None:
        self.now = 1000.0
        self.endpoint = FakeEndpoint(answer)
        self.resolver = SecretResolver(Stored(BOX), {})
        self.set_secret("hunter2")
        wanted = ClientCredentials("https://login.example/token", "gateway", reference)
        self.tokens = Tokens("t", wanted, self.endpoint, self.resolver, lambda: self.now)  # type: ignore[arg-type]

    def set_secret(self, value: str) -> None:
        view = TenantView("t", secrets={"crm": BOX.close("t", "crm", value)})
        self.resolver.follow(Snapshot(1, {"t": view}))

    @property
    def count(self) -> int:
        return len(self.endpoint.requests)

    async def current(self) -> str:
        async with asyncio.timeout(5):
            return (await self.tokens.current()).value


async def test_a_token_serves_until_shortly_before_its_end() -> None:
    bench = Bench()
    for now in (1000.0, 1001.0, 1000 + 3539):
        bench.now = now
        assert await bench.current() == "token-1"
    assert bench.count == 1


async def test_in_its_last_minute_it_serves_while_another_is_got() -> None:
    bench = Bench()
    await bench.current()
    bench.endpoint.gate.clear()
    bench.now = 1000 + 3540
    assert await bench.current() == "token-1"
    await asyncio.sleep(0)
    assert bench.count == 2
    assert await bench.current() == "token-1"
    bench.endpoint.gate.set()
    async with asyncio.timeout(5):
        while await bench.current() != "token-2":
            await asyncio.sleep(0)
    assert bench.count == 2


async def test_a_thousand_calls_at_its_end_make_one_request() -> None:
    bench = Bench()
    await bench.current()
    bench.now += 3600
    bench.endpoint.gate.clear()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        calls = [group.create_task(bench.current()) for _ in range(1000)]
        await asyncio.sleep(0)
        bench.endpoint.gate.set()
    assert {one.result() for one in calls} == {"token-2"}
    assert bench.count == 2


async def test_who_gives_up_waiting_does_not_end_the_request_of_others() -> None:
    bench = Bench()
    bench.endpoint.gate.clear()
    first, second = (asyncio.ensure_future(bench.current()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    bench.endpoint.gate.set()
    assert await second == "token-1"
    assert bench.count == 1


async def test_a_token_with_a_short_life_is_renewed_in_the_middle_of_it() -> None:
    bench = Bench(lambda number: granted(number, 30))
    await bench.current()
    bench.now += 14.9
    assert await bench.current() == "token-1"
    assert bench.count == 1
    bench.now += 0.1
    await bench.current()
    await asyncio.sleep(0)
    assert bench.count == 2


@pytest.mark.parametrize("expires_in", [0, -1])
async def test_a_token_without_a_life_serves_those_who_waited_for_it(expires_in: int) -> None:
    bench = Bench(lambda number: granted(number, expires_in))
    assert await asyncio.gather(*(bench.current() for _ in range(5))) == ["token-1"] * 5
    assert await bench.current() == "token-2"


async def test_without_a_word_on_its_life_it_lives_five_minutes() -> None:
    bench = Bench(lambda number: granted(number, None))
    await bench.current()
    bench.now += 239
    assert await bench.current() == "token-1"
    bench.now += 61
    assert await bench.current() == "token-2"


async def test_an_endpoint_that_is_away_is_named_and_left_alone_for_a_moment() -> None:
    bench = Bench(lambda _: UpstreamUnreachable("x", private="https://login.example: refused"))
    with capture_logs() as logs:
        for _ in range(20):
            with pytest.raises(TokenUnavailable) as caught:
                await bench.current()
    assert bench.count == 1
    assert "https://login.example: refused" in caught.value.private
    assert [one["event"] for one in logs] == ["upstream.no_token"]
    bench.now += 1
    bench.endpoint.answer = granted
    assert await bench.current() == "token-2"


async def test_a_renewal_that_fails_leaves_the_token_that_is_still_valid() -> None:
    bench = Bench()
    await bench.current()
    bench.now += 3540
    bench.endpoint.answer = lambda _: HttpResponse(503, [], b"")
    for _ in range(20):
        assert await bench.current() == "token-1"
        await asyncio.sleep(0)
    assert bench.count == 2
    bench.now += 60
    with pytest.raises(TokenUnavailable):
        await bench.current()


async def test_a_refusal_holds_until_the_secret_is_another_one() -> None:
    bench = Bench(lambda _: HttpResponse(401, [], b'{"error": "invalid_client"}'))
    for _ in range(20):
        with pytest.raises(TokenRefused) as caught:
            await bench.current()
    assert bench.count == 1
    assert "hunter2" not in caught.value.private
    bench.endpoint.answer = granted
    bench.set_secret("correct horse")
    assert await bench.current() == "token-2"


async def test_a_forgotten_token_is_not_given_again() -> None:
    bench = Bench()
    await bench.current()
    bench.tokens.forget()
    assert await bench.current() == "token-2"


async def test_a_secret_that_is_missing_is_no_request() -> None:
    bench = Bench(reference="${secret:none}")
    with pytest.raises(SecretUnavailable):
        await bench.current()
    assert bench.count == 0


async def test_an_unusable_address_is_said_to_be_one() -> None:
    bench = Bench()
    wanted = ClientCredentials("ftp://login.example", "gateway", "${secret:crm}")
    tokens = Tokens("t", wanted, bench.endpoint, bench.resolver, lambda: bench.now)  # type: ignore[arg-type]
    with pytest.raises(TokenUnavailable) as caught:
        await tokens.current()
    assert "token_url is unusable" in caught.value.private


async def test_closing_ends_a_request_under_way() -> None:
    bench = Bench()
    bench.endpoint.gate.clear()
    asking = asyncio.ensure_future(bench.current())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await bench.tokens.close()
        with pytest.raises(asyncio.CancelledError):
            await asking

"""Requests go out with the gateway's credentials, and with nobody else's."""

import asyncio
import math
import time

import pytest

from bascule.gateway.errors import UpstreamTimeout
from bascule.upstreams.credentials.client import CredentialedClient
from bascule.upstreams.credentials.credentials import Ready
from bascule.upstreams.http1 import HttpClient, HttpRequest, Origin
from fakes.replies import Asked, replying

SECRET = "hunter2hunter2"


class FakeCredentials:
    """Gives each of `values` in turn; the next one when the last was refused."""

    names = frozenset({"x-api-key"})

    def __init__(self, *values: str) -> None:
        self._values = list(values)
        self.is_ready = True
        self.stuck = False

    def _ready(self) -> Ready:
        value = self._values[0]
        return Ready(f"x-api-key: {value}\r\n".encode(), (value,), 0, 0)

    def fresh(self) -> Ready | None:
        return self._ready() if self.is_ready else None

    async def prepared(self) -> Ready:
        if self.stuck:
            await asyncio.get_running_loop().create_future()
        return self._ready()

    async def renewed(self, refused: Ready) -> Ready | None:
        if self.stuck:
            await asyncio.get_running_loop().create_future()
        if len(self._values) == 1:
            return None
        self._values.pop(0)
        return self._ready()


def soon() -> float:
    return time.monotonic() + 5


def asking(origin: Origin, method: str = "GET") -> HttpRequest:
    headers = [("x-other", "1"), ("X-API-Key", "the caller's")]
    return HttpRequest(origin, method, "/", headers, b"body" if method == "POST" else b"")


def keeper(asked: Asked) -> tuple[int, bytes]:
    good = asked.header("x-api-key") == SECRET
    return (
        (200, b"welcome") if good else (401, b"not " + (asked.header("x-api-key") or "").encode())
    )


@pytest.mark.parametrize("ready", [True, False])
async def test_a_request_carries_the_credentials_in_place_of_the_callers(ready: bool) -> None:
    credentials = FakeCredentials(SECRET)
    credentials.is_ready = ready
    async with replying(keeper) as service, HttpClient() as client:
        sender = CredentialedClient(client, credentials)  # type: ignore[arg-type]
        assert (await sender.request(asking(service.origin), soon())).body == b"welcome"
    (asked,) = service.asked
    assert [value for name, value in asked.headers if name == "x-api-key"] == [SECRET]
    assert asked.header("x-other") == "1"


async def test_what_was_refused_is_sent_once_more_with_new_credentials_whatever_it_does() -> None:
    async with replying(keeper) as service, HttpClient() as client:
        credentials = FakeCredentials("expired-token", SECRET)
        sender = CredentialedClient(client, credentials)  # type: ignore[arg-type]
        response = await sender.request(asking(service.origin, "POST"), soon())
    assert response.status == 200
    assert [asked.body for asked in service.asked] == [b"body", b"body"]


async def test_a_second_refusal_is_the_answer_and_repeats_no_secret() -> None:
    async with replying(keeper) as service, HttpClient() as client:
        credentials = FakeCredentials("expired-token", "another-wrong-one", SECRET)
        sender = CredentialedClient(client, credentials)  # type: ignore[arg-type]
        response = await sender.request(asking(service.origin), soon())
    assert (response.status, response.body) == (401, b"not [removed]")
    assert len(service.asked) == 2


async def test_a_refusal_repeats_no_secret_that_json_escaped() -> None:
    told = rb'{"bad": "s3cr3t\/TOKEN"}'
    async with replying(lambda _: (400, told)) as service, HttpClient() as client:
        sender = CredentialedClient(client, FakeCredentials("s3cr3t/TOKEN"))  # type: ignore[arg-type]
        response = await sender.request(asking(service.origin), soon())
    assert response.body == b'{"bad": "[removed]"}'


async def test_secrets_sent_before_are_remembered_a_while() -> None:
    async with replying(lambda _: (401, b"")) as service, HttpClient() as client:
        credentials = FakeCredentials(*(f"secret-number-{at}" for at in range(9)))
        sender = CredentialedClient(client, credentials)  # type: ignore[arg-type]
        assert sender.secrets == ()
        for _ in range(8):
            await sender.request(asking(service.origin), soon())
    assert sender.secrets == tuple(f"secret-number-{at}" for at in range(5, 9))


async def test_an_answer_of_success_is_left_as_it_is() -> None:
    async with replying(lambda _: (200, SECRET.encode())) as service, HttpClient() as client:
        sender = CredentialedClient(client, FakeCredentials(SECRET))  # type: ignore[arg-type]
        assert (await sender.request(asking(service.origin), soon())).body == SECRET.encode()
        assert sender.secrets == (SECRET,)


async def test_a_stream_carries_credentials_and_is_opened_once_more() -> None:
    async with replying(keeper) as service, HttpClient() as client:
        credentials = FakeCredentials("expired-token", SECRET)
        credentials.is_ready = False
        sender = CredentialedClient(client, credentials)  # type: ignore[arg-type]
        async with sender.stream(asking(service.origin), math.inf) as response:
            assert (response.status, await response.read()) == (200, b"welcome")
    # An answer to the first may still be under way.
    assert sender.secrets == (SECRET, "expired-token")
    assert len(service.asked) == 2


async def test_a_stream_that_stays_refused_is_given() -> None:
    async with replying(keeper) as service, HttpClient() as client:
        sender = CredentialedClient(client, FakeCredentials("wrong"))  # type: ignore[arg-type]
        async with sender.stream(asking(service.origin), soon()) as response:
            assert response.status == 401


async def test_credentials_have_to_be_ready_before_the_deadline() -> None:
    credentials = FakeCredentials("expired-token", SECRET)
    credentials.is_ready, credentials.stuck = False, True
    async with replying(keeper) as service, HttpClient() as client:
        sender = CredentialedClient(client, credentials)  # type: ignore[arg-type]
        with pytest.raises(UpstreamTimeout, match="Nothing was sent"):
            await sender.request(asking(service.origin), time.monotonic() + 0.01)
        assert service.asked == []
        credentials.is_ready = True
        with pytest.raises(UpstreamTimeout) as caught:
            await sender.request(asking(service.origin), time.monotonic() + 0.2)
    assert "its token was renewed" in caught.value.private

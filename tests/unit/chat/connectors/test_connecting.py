"""What every provider over HTTP has in common, against a server on loopback."""

import httpx2
import pytest

from bascule.chat.connectors.connecting import (
    MOST_EVENT_BYTES,
    discreet,
    http_client,
    meaning_of,
    require_events,
)
from bascule.chat.connectors.wording import failure
from bascule.chat.models import FailureKind, ModelFailure
from fakes.model_servers import Reply, provider


async def test_a_redirect_is_not_followed():
    async with provider(Reply()) as elsewhere:
        to = {"location": f"{elsewhere.url}/x"}
        async with (
            provider(Reply(status=307, error={}, headers=to)) as script,
            http_client(httpx2.AsyncClient, 5) as client,
        ):
            assert (await client.post(script.url, json={})).status_code == 307
    assert elsewhere.seen == []


@pytest.mark.parametrize(
    ("status", "end"), [(200, b"x"), (400, b"x"), (200, b"x\n")], ids=["event", "error", "lines"]
)
async def test_an_event_without_an_end_does_not_fill_the_memory(status, end):
    endless = Reply([end * 65_536] * (MOST_EVENT_BYTES // 65_536 + 2), status=status)
    if end.endswith(b"\n"):
        endless.chunks = [b"data: x\n" * 8192] * (MOST_EVENT_BYTES // 65_536 + 2)
    async with provider(endless) as script, http_client(httpx2.AsyncClient, 5) as client:
        with pytest.raises(ModelFailure) as failed:
            await client.post(script.url, json={})
    assert failed.value.kind is FailureKind.REJECTED


@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
async def test_many_events_are_no_long_one(line):
    one = b"data: " + b"x" * 65_536 + line + line
    several = Reply([one[:-1], one[-1:]] * (MOST_EVENT_BYTES // 65_536 + 2))
    async with provider(several) as script, http_client(httpx2.AsyncClient, 5) as client:
        answer = await client.post(script.url, json={})
    assert len(answer.content) > MOST_EVENT_BYTES


@pytest.mark.parametrize(
    ("kind", "sort"),
    [
        ("text/html; charset=utf-8", FailureKind.NO_SUCH_MODEL),
        ("application/json", FailureKind.REJECTED),
    ],
)
async def test_a_document_in_place_of_events_shows_how_it_begins(kind, sort):
    page = Reply([b"what it is ", b"and more" * 100], content_type=kind)
    async with provider(page) as script, http_client(httpx2.AsyncClient, 5) as client:
        with pytest.raises(ModelFailure) as failed:
            async with client.stream("POST", script.url, json={}) as response:
                await require_events(response)
    assert failed.value.kind is sort
    assert "llm.base_url" in failed.value.private
    assert "what it is" in failed.value.private


@pytest.mark.parametrize("kind", ["text/event-stream", "text/plain", "text/event-stream;x=y"])
async def test_a_stream_of_events_may_be_named_loosely(kind):
    async with (
        provider(Reply([b"data: 1\n\n"], content_type=kind)) as script,
        http_client(httpx2.AsyncClient, 5) as client,
        client.stream("POST", script.url, json={}) as response,
    ):
        await require_events(response)
        assert b"".join([one async for one in response.aiter_bytes()]) == b"data: 1\n\n"


def test_a_secret_that_is_repeated_is_not_told():
    told = failure(FailureKind.UNAUTHORISED, "no key sk-geheim-1", retry_after_seconds=3)
    with pytest.raises(ModelFailure) as failed, discreet("sk-geheim-1"):
        raise told
    assert failed.value.private == "no key ********"
    assert (failed.value.kind, failed.value.retry_after_seconds) == (told.kind, 3)
    assert failed.value.__cause__ is None


@pytest.mark.parametrize("secret", ["", "none", "sk-another"])
def test_without_the_secret_a_failure_stays_as_it_is(secret):
    told = failure(FailureKind.REJECTED, "none of it")
    with pytest.raises(ModelFailure) as failed, discreet(secret):
        raise told
    assert failed.value is told


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, FailureKind.NO_SUCH_MODEL),
        (401, FailureKind.UNAUTHORISED),
        (418, FailureKind.REJECTED),
        (429, FailureKind.RATE_LIMITED),
        (503, FailureKind.OVERLOADED),
        (200, FailureKind.OVERLOADED),
    ],
)
def test_a_status_says_what_is_wrong(status: int, kind: FailureKind) -> None:
    assert meaning_of(status) is kind

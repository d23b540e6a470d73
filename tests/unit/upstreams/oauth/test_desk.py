"""The person at the desk is shown an address, and their browser is known when it is back."""

import asyncio
from urllib.parse import urlsplit

import pytest

from bascule.upstreams.oauth.desk import DeskConsent
from bascule.upstreams.oauth.ports import Callback, Pending


def pending(consent: DeskConsent, state: str = "state") -> Pending:
    return Pending(
        state, "https://a/authorize", "t", "", "s", "https://a", "https://h", "https://a/t",
        consent.redirect_uri, "v", "c",
    )  # fmt: skip


async def visit(consent: DeskConsent, query: str, *, head: str | None = None) -> str:
    place = urlsplit(consent.redirect_uri)
    assert place.hostname is not None
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    usual = f"GET {place.path}?{query} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n"
    writer.write((usual if head is None else head).encode())
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer.decode()


async def test_the_answer_reaches_who_asked_and_only_once() -> None:
    shown: list[str] = []
    async with DeskConsent.listening(shown.append) as consent, asyncio.timeout(5):
        asking = asyncio.ensure_future(consent.ask(pending(consent)))
        other = asyncio.ensure_future(consent.ask(pending(consent, "other")))
        await asyncio.sleep(0)

        page = await visit(consent, "state=state&code=c&iss=https%3A%2F%2Fa")
        again = await visit(consent, "state=state&code=evil")

        assert await asking == Callback("state", "c", "https://a")
        assert shown == ["https://a/authorize"] * 2
        assert page.startswith("HTTP/1.1 200")
        assert "frame" in page or "default-src 'none'" in page
        assert again.startswith("HTTP/1.1 400")
        assert not other.done()
        other.cancel()


async def test_nobody_is_expected_at_other_addresses() -> None:
    async with DeskConsent.listening(lambda url: None) as consent:
        place = urlsplit(consent.redirect_uri)
        for head in (
            f"GET / HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n",
            f"POST {place.path}?state=s HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n",
            f"GET {place.path}?state=s HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            f"GET {place.path}?state=s HTTP/1.1\r\n\r\n",
            "nonsense\r\n\r\n",
        ):
            assert (await visit(consent, "", head=head)).startswith("HTTP/1.1 404")
        assert (await visit(consent, "state=unknown&code=<b>")).startswith("HTTP/1.1 400")


async def test_a_head_without_end_is_hung_up_on() -> None:
    async with DeskConsent.listening(lambda url: None) as consent:
        assert await visit(consent, "", head="GET /" + "x" * 40_000) == ""


async def test_who_is_not_waited_for_any_more_is_a_stranger() -> None:
    async with DeskConsent.listening(lambda url: None) as consent:
        asking = asyncio.ensure_future(consent.ask(pending(consent)))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

        assert (await visit(consent, "state=state&code=c")).startswith("HTTP/1.1 400")

"""Against a service that speaks the interface, over HTTP."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bascule.gateway.elevation import Elevation
from bascule.upstreams.egress import ANYWHERE
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.pim import Pim, PimConfig, PimFailed, PimQuestion
from fakes.replies import Replies, replying

NOW = 1_769_853_600.0  # 2026-01-31T10:00:00Z
QUESTION = PimQuestion("acme", "ann@example.org", ("admin", "user"), "delete_customer", "crm", "9f")
GRANTED: dict[str, Any] = {
    "elevated": True,
    "elevation_expires_at": "2026-01-31T11:00:00Z",
    "scope": "delete_customer",
    "approval_reference": "PIM-2026-001234",
}
DENIED = {"elevated": False, "elevation_url": "https://pim.example/ask?for=delete"}


@dataclass
class Desk:
    """A manager that gives the answer it is told to, and what asks it."""

    replies: Replies
    pim: Pim
    answer: list[tuple[int, bytes]]
    now: list[float] = field(default_factory=lambda: [NOW])

    def says(self, document: object, status: int = 200) -> None:
        self.answer[0] = (status, json.dumps(document).encode())

    async def check(self, **changes: Any) -> Elevation:
        async with asyncio.timeout(10):
            return await self.pim.check(replace(QUESTION, **changes))

    async def failure(self) -> str:
        with pytest.raises(PimFailed) as caught:
            await self.check()
        assert "Try again later" in caught.value.public
        return caught.value.private


@asynccontextmanager
async def opened(**config: Any) -> AsyncGenerator[Desk]:
    answer, now = [(200, json.dumps(GRANTED).encode())], [NOW]
    async with (
        replying(lambda _: answer[0]) as replies,
        HttpClient(PoolConfig(rules=ANYWHERE)) as client,
    ):
        settings: dict[str, Any] = {
            "url": str(replies.origin),
            "token": "s3cret",
            "timeout_seconds": 5.0,
            **config,
        }
        yield Desk(
            replies,
            Pim(PimConfig(**{"page_url": settings["url"], **settings}), client, lambda: now[0]),
            answer,
            now,
        )


async def test_who_is_elevated_there_has_a_grant() -> None:
    async with opened() as desk:
        grant = (await desk.check()).grant
    assert grant is not None
    assert (grant.id, grant.reference) == ("PIM-2026-001234", "PIM-2026-001234")
    assert (grant.scope.text, grant.granted_at, grant.expires_at) == (
        "tool:delete_customer", NOW, NOW + 3600,
    )  # fmt: skip
    (asked,) = desk.replies.asked
    assert (asked.method, asked.target) == ("POST", "/api/pim/check-elevation")
    assert asked.header("authorization") == "Bearer s3cret"
    assert json.loads(asked.body) == {
        "user_id": "ann@example.org",
        "role": "admin,user",
        "scope": "delete_customer",
        "roles": ["admin", "user"],
        "tenant": "acme",
        "tool": "delete_customer",
        "bundle": "crm",
        "digest": "9f",
    }


async def test_without_a_token_none_is_sent_and_a_path_comes_before_its_own() -> None:
    async with (
        replying(lambda _: (200, json.dumps(DENIED).encode())) as replies,
        HttpClient(PoolConfig(rules=ANYWHERE)) as client,
    ):
        pim = Pim(PimConfig(f"{replies.origin}/base/", page_url=f"{replies.origin}/base/"), client)
        await pim.check(QUESTION)
    (asked,) = replies.asked
    assert asked.target == "/base/api/pim/check-elevation"
    assert asked.header("authorization") is None


async def test_who_is_not_elevated_is_sent_where_it_says() -> None:
    async with opened() as desk:
        desk.says(DENIED)
        assert await desk.check() == Elevation(None, "https://pim.example/ask?for=delete")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "/here",
        "https://a b",
        "https://é.example",
        "http://" + "x" * 3000,
    ],
)
async def test_an_address_that_nobody_can_be_sent_to_is_replaced_by_its_own(
    url: str | None,
) -> None:
    async with opened() as desk:
        desk.says({"elevated": False, "elevation_url": url})
        assert (await desk.check()).url == str(desk.replies.origin)


@pytest.mark.parametrize(
    "scope", ["delete_customer", "tool:delete_customer", "bundle:crm", "call:delete_customer:9f"]
)
async def test_the_scope_may_be_the_tool_its_bundle_or_the_call(scope: str) -> None:
    async with opened() as desk:
        desk.says({**GRANTED, "scope": scope})
        grant = (await desk.check()).grant
    assert grant is not None
    assert grant.scope.text == (scope if ":" in scope else f"tool:{scope}")


@pytest.mark.parametrize(
    "scope", ["", "delete", "*", "tool:other", "bundle:other", "call:delete_customer:00", "bundle"]
)
async def test_a_scope_of_something_else_refuses(scope: str) -> None:
    async with opened() as desk:
        desk.says({**GRANTED, "scope": scope})
        assert "a scope that is not the tool's" in await desk.failure()


async def test_a_tool_of_no_bundle_is_not_covered_by_a_bundle_of_no_name() -> None:
    async with opened() as desk:
        for scope in ("bundle", "bundle:"):
            desk.says({**GRANTED, "scope": scope})
            with pytest.raises(PimFailed):
                await desk.check(bundle="")


@pytest.mark.parametrize(
    "moment", ["2026-01-31T10:00:00Z", "2026-01-31T09:59:59+00:00", NOW, NOW - 1, 0]
)
async def test_what_is_over_is_no_elevation(moment: object) -> None:
    async with opened() as desk:
        desk.says({**GRANTED, "elevation_expires_at": moment})
        found = await desk.check()
    assert found.grant is None
    assert found.url


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (None, "does not say until when"),
        ("soon", "no time of RFC 3339"),
        ("2026-01-31T11:00:00", "no offset"),
        (True, "cannot be read"),
        ([], "cannot be read"),
    ],
)
async def test_an_end_that_cannot_be_told_refuses(moment: object, reason: str) -> None:
    async with opened() as desk:
        desk.says({**GRANTED, "elevation_expires_at": moment})
        assert reason in await desk.failure()


async def test_an_end_in_seconds_of_the_epoch_is_one() -> None:
    async with opened() as desk:
        desk.says({**GRANTED, "elevation_expires_at": NOW + 30})
        grant = (await desk.check()).grant
    assert grant is not None
    assert grant.expires_at == NOW + 30


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, b"", "status 500"),
        (302, b"", "status 302"),
        (401, b'{"elevated": true}', "status 401"),
        (200, b"", "cannot be read"),
        (200, b"elevated", "cannot be read"),
        (200, b"[]", "cannot be read"),
        (200, b"{}", "cannot be read"),
        (200, b'{"elevated": "true"}', "cannot be read"),
        (200, b'{"elevated": 1}', "cannot be read"),
        (200, b'{"elevated": true, "scope": 7}', "cannot be read"),
        (200, b'{"elevated":' + b"[" * 100_000, "cannot be read"),
    ],
)
async def test_any_other_answer_refuses(status: int, body: bytes, reason: str) -> None:
    async with opened() as desk:
        desk.answer[0] = (status, body)
        assert reason in await desk.failure()


async def test_a_manager_that_is_away_refuses() -> None:
    async with opened() as desk:
        pass
    async with HttpClient(PoolConfig(rules=ANYWHERE)) as client:
        pim = Pim(PimConfig(str(desk.replies.origin)), client)
        with pytest.raises(PimFailed):
            await pim.check(QUESTION)


async def test_a_manager_that_does_not_answer_in_time_refuses() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server, HttpClient(PoolConfig(rules=ANYWHERE)) as client:
        pim = Pim(PimConfig(f"http://{host}:{port}", timeout_seconds=0.05), client)
        async with asyncio.timeout(5):
            with pytest.raises(PimFailed):
                await pim.check(QUESTION)


async def test_a_connection_that_ended_meanwhile_is_made_anew() -> None:
    connections = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        if connections > 1:
            body = json.dumps(DENIED).encode()
            writer.write(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server, HttpClient(PoolConfig(rules=ANYWHERE)) as client:
        found = await Pim(PimConfig(f"http://{host}:{port}"), client).check(QUESTION)
    assert (found.url, connections) == (DENIED["elevation_url"], 2)


async def test_a_token_that_cannot_be_sent_is_not_repeated() -> None:
    async with opened(token="a\nb") as desk:
        reason = await desk.failure()
    assert "look at elevation.pim_token" in reason
    assert "a\nb" not in reason
    assert "s3cret" not in repr(PimConfig("http://x", "s3cret"))


async def test_an_elevation_is_believed_for_a_minute() -> None:
    async with opened() as desk:
        await desk.check()
        desk.says(DENIED)
        desk.now[0] += 59.9
        assert (await desk.check(digest="00")).grant, (
            "whatever the arguments: the scope is the tool"
        )
        assert len(desk.replies.asked) == 1
        desk.now[0] += 0.2
        assert (await desk.check()).grant is None


async def test_an_elevation_is_not_believed_beyond_its_end() -> None:
    async with opened() as desk:
        desk.says({**GRANTED, "elevation_expires_at": NOW + 5})
        await desk.check()
        desk.now[0] += 5
        desk.says(DENIED)
        assert (await desk.check()).grant is None


async def test_a_clock_that_was_set_back_makes_nothing_last_longer() -> None:
    async with opened() as desk:
        await desk.check()
        desk.now[0] -= 10
        desk.says(DENIED)
        assert (await desk.check()).grant is None


@pytest.mark.parametrize(
    "change",
    [{"tenant": "x"}, {"user_id": "bob"}, {"roles": ("admin",)}, {"bundle": "x"}],
    ids=lambda one: next(iter(one)),
)
async def test_what_one_was_granted_is_not_anothers(change: dict[str, Any]) -> None:
    async with opened() as desk:
        await desk.check()
        desk.says(DENIED)
        assert (await desk.check(**change)).grant is None


async def test_a_refusal_and_a_grant_for_one_call_are_asked_for_anew() -> None:
    async with opened() as desk:
        desk.says(DENIED)
        await desk.check()
        desk.says({**GRANTED, "scope": "call:delete_customer:9f"})
        assert (await desk.check()).grant
        desk.says(DENIED)
        assert (await desk.check()).grant is None
        assert len(desk.replies.asked) == 3


async def test_many_who_ask_the_same_at_once_ask_once() -> None:
    async with opened() as desk:
        async with asyncio.timeout(10):
            found = await asyncio.gather(*(desk.check() for _ in range(50)))
        assert all(one.grant for one in found)
        assert len(desk.replies.asked) == 1
        await asyncio.gather(*(desk.check(user_id=str(number)) for number in range(3)))
        assert len(desk.replies.asked) == 4


async def test_what_is_granted_for_one_call_is_asked_for_each_of_many_at_once() -> None:
    """The manager grants it to one of them, and no answer is passed on to the others."""
    left = [{**GRANTED, "scope": "call:delete_customer:9f"}]
    async with opened() as desk:
        desk.replies.answer = lambda _: (200, json.dumps(left.pop() if left else DENIED).encode())
        async with asyncio.timeout(10):
            found = await asyncio.gather(*(desk.check() for _ in range(10)))
        assert sum(one.grant is not None for one in found) == 1


def test_the_address_must_be_one() -> None:
    with pytest.raises(ValueError, match="query"):
        Pim(PimConfig("https://pim.example/?tenant=7"), HttpClient())

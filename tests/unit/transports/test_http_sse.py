import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp.client.session import ClientSession
from mcp.client.sse import sse_client

from bascule.gateway.backchannel import Question
from bascule.gateway.call import Call, Method, Result
from bascule.transports.channel import DuplexConfig
from bascule.transports.http_sse import HttpSseDoor
from fakes.catalogue import KEY
from fakes.channel import FakeGateway, answer_to, initialize
from fakes.mcp import legacy, modern
from fakes.served import served

BEARER = {"Authorization": f"Bearer {KEY}"}


class Stream:
    """A client's stream, and the address it was told to post to."""

    def __init__(self, client: httpx2.AsyncClient, lines: AsyncIterator[str]) -> None:
        self.client = client
        self.address = ""
        self._lines = lines

    async def event(self) -> tuple[str, str]:
        """The next event: its name and data."""
        name, data = "", ""
        async with asyncio.timeout(5):
            async for line in self._lines:
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    data = line.removeprefix("data: ")
                elif not line and name:
                    return name, data
        raise AssertionError("the stream has ended")

    async def ended(self) -> bool:
        """Whether nothing more comes."""
        async with asyncio.timeout(5):
            return [line async for line in self._lines if line] == []

    async def post(self, message: Any, **options: Any) -> httpx2.Response:
        """Post a message to the address of this stream."""
        return await self.client.post(self.address, json=message, **options)

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Post a request, and give the next message on the stream."""
        assert (await self.post(message)).status_code == 202
        name, data = await self.event()
        assert name == "message"
        return json.loads(data)


@asynccontextmanager
async def opened(door: HttpSseDoor, path: str = "/mcp/sse") -> AsyncGenerator[Stream]:
    async with (
        served(door) as where,
        httpx2.AsyncClient(
            base_url=f"http://{where}", headers=BEARER, trust_env=False, timeout=5
        ) as client,
        client.stream("GET", path) as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream"
        stream = Stream(client, answer.aiter_lines())
        name, stream.address = await stream.event()
        assert name == "endpoint"
        yield stream


async def test_answers_to_posts_come_on_the_stream() -> None:
    async with opened(HttpSseDoor(FakeGateway().entrance())) as stream:
        handshake = await stream.ask(initialize("2024-11-05"))
        ping = await stream.ask(legacy("ping", id=2))
        stateless = await stream.ask(modern("tools/list", id=3))

    assert stream.address.startswith("/mcp/sse/messages?session=")
    assert handshake["id"] == "init"
    assert ping == {"jsonrpc": "2.0", "id": 2, "result": {}}
    assert stateless["result"]["resultType"] == "complete"


async def test_a_question_comes_on_the_stream_and_its_answer_by_post() -> None:
    async def asking(call: Call) -> Result:
        assert call.back is not None
        answer = await call.back.ask(Question("roots/list", b""), call.deadline)
        return Result({"content": [answer.decode()]})

    gateway = FakeGateway({Method.TOOLS_CALL: asking})
    async with opened(HttpSseDoor(gateway.entrance())) as stream:
        await stream.ask(initialize(roots={}))
        question = await stream.ask(legacy(id=4))
        answer = await stream.ask(answer_to(question, result={"roots": []}))

    assert question["method"] == "roots/list"
    assert answer["result"]["content"] == ['{"roots":[]}']


async def test_the_official_client_is_served() -> None:
    async def listed(_: Call) -> Result:
        tool = {"name": "t", "inputSchema": {"type": "object"}}
        return Result({"tools": [tool]})

    async def introduced(call: Call) -> Result:
        members = {"protocolVersion": call.version, "capabilities": {"tools": {}}}
        return Result({**members, "serverInfo": {"name": "b", "version": "1"}})

    gateway = FakeGateway({Method.TOOLS_LIST: listed, Method.INITIALIZE: introduced})
    async with (
        served(HttpSseDoor(gateway.entrance())) as where,
        sse_client(f"http://{where}/mcp/sse", headers=BEARER) as streams,
        ClientSession(*streams) as session,
    ):
        await session.initialize()
        tools = await session.list_tools()

    assert [tool.name for tool in tools.tools] == ["t"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Authorization": "Bearer bsc_wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
async def test_every_post_is_judged_like_the_first(headers, status) -> None:
    gateway = FakeGateway()
    async with opened(HttpSseDoor(gateway.entrance())) as stream:
        refused = await stream.post(initialize(), headers=headers)
        opening = await stream.client.get("/mcp/sse", headers=headers) if status != 415 else refused
        await stream.ask(initialize())

    assert refused.status_code == status
    assert opening.status_code == status


@pytest.mark.parametrize(
    "address",
    [
        "/mcp/sse/messages",
        "/mcp/sse/messages?session=",
        "/mcp/sse/messages?session=guess",
        "/mcp/bundles/b/sse/messages?session={id}",
    ],
)
async def test_an_address_that_was_not_given_out_leads_nowhere(address: str) -> None:
    async with opened(HttpSseDoor(FakeGateway().entrance())) as stream:
        address = address.replace("{id}", stream.address.partition("=")[2])
        refused = await stream.client.post(address, json=initialize())

    assert refused.status_code == 404


async def test_a_stolen_address_is_worth_nothing_under_another_key() -> None:
    gateway = FakeGateway()
    gateway.admit("bsc_bob", "bob")
    async with opened(HttpSseDoor(gateway.entrance())) as stream:
        stolen = await stream.post(initialize(), headers={"Authorization": "Bearer bsc_bob"})
        unknown = await stream.client.post(
            "/mcp/sse/messages?session=x", json={}, headers={"Authorization": "Bearer bsc_bob"}
        )

    assert stolen.status_code == 404
    assert stolen.content == unknown.content, "both are told the same"


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b'{"id":5}', 400), (b"[]", 400), (b" " * 101, 413)]
)
async def test_what_is_no_message_is_answered_to_the_post(body: bytes, status: int) -> None:
    entrance = FakeGateway().entrance(DuplexConfig(max_message_bytes=100))
    async with opened(HttpSseDoor(entrance)) as stream:
        answer = await stream.client.post(
            stream.address, content=body, headers={"Content-Type": "application/json"}
        )

    assert answer.status_code == status
    assert "error" in answer.json()


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("POST", "/mcp/sse", "GET"),
        ("DELETE", "/mcp/sse", "GET"),
        ("GET", "/mcp/sse/messages", "POST"),
    ],
)
async def test_other_methods_are_refused(verb: str, path: str, allowed: str) -> None:
    async with (
        served(HttpSseDoor(FakeGateway().entrance())) as where,
        httpx2.AsyncClient(trust_env=False, headers=BEARER) as client,
    ):
        answer = await client.request(verb, f"http://{where}{path}")

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_closing_the_stream_ends_the_session_and_its_calls() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def endless(_: Call) -> Result:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    door = HttpSseDoor(FakeGateway({Method.TOOLS_CALL: endless}).entrance())
    async with served(door) as where:
        base = f"http://{where}"
        async with httpx2.AsyncClient(base_url=base, headers=BEARER, trust_env=False) as client:
            async with client.stream("GET", "/mcp/sse") as answer:
                stream = Stream(client, answer.aiter_lines())
                _, stream.address = await stream.event()
                await stream.ask(initialize())
                await stream.post(legacy())
                async with asyncio.timeout(5):
                    await started.wait()
            async with asyncio.timeout(5):
                await ended.wait()
            gone = await stream.post(legacy("ping", id=2))

    assert gone.status_code == 404


async def test_streams_are_bounded() -> None:
    async with opened(HttpSseDoor(FakeGateway().entrance(), most_streams=1)) as stream:
        second = await stream.client.get("/mcp/sse")

    assert second.status_code == 503


async def test_draining_ends_idle_streams_and_opens_no_new_ones() -> None:
    door = HttpSseDoor(FakeGateway().entrance())
    async with opened(door) as stream:
        await stream.ask(initialize())
        door.drain()
        refused = await stream.client.get("/mcp/sse")

        assert await stream.ended()
    assert refused.status_code == 503


async def test_a_withdrawn_key_ends_the_stream() -> None:
    gateway = FakeGateway()
    async with opened(HttpSseDoor(gateway.entrance())) as stream:
        await stream.ask(initialize())
        gateway.revoked.revoke("key-1")

        assert (await stream.post(legacy("ping"))).status_code == 401


async def test_a_quiet_stream_is_kept_open() -> None:
    entrance = FakeGateway().entrance(DuplexConfig(keep_alive_seconds=0.01))
    async with (
        asyncio.timeout(5),
        served(HttpSseDoor(entrance)) as where,
        httpx2.AsyncClient(trust_env=False, headers=BEARER, timeout=5) as client,
        client.stream("GET", f"http://{where}/mcp/sse") as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith(":"):
                break


async def test_nobody_alone_takes_all_the_streams() -> None:
    gateway = FakeGateway()
    gateway.admit("bsc_other", "ben")
    async with opened(HttpSseDoor(gateway.entrance(), most_per_caller=1)) as stream:
        second = await stream.client.get("/mcp/sse")
        other = {"Authorization": "Bearer bsc_other"}
        async with stream.client.stream("GET", "/mcp/sse", headers=other) as answer:
            assert answer.status_code == 200

    assert second.status_code == 503


async def test_what_the_path_says_cannot_leave_the_first_event() -> None:
    path = "/mcp/servers/x%0Adata:evil%0A%0Aevent:y%C3%A4/sse"
    async with opened(HttpSseDoor(FakeGateway().entrance()), path) as stream:
        answer = await stream.ask(initialize("2024-11-05"))

    assert stream.address.startswith("/mcp/servers/x%0Adata")
    assert answer["id"] == "init"

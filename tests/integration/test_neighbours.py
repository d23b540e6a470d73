"""What one tenant sees of MCP does not hang on what another has or does, at any door."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bascule.app.keyfile import ensure_sealing_key
from bascule.gateway.principal import Principal
from bascule.gateway.seals import Seals
from bascule.gateway.tasks import TaskHandle, TaskIds
from bascule.protocol.messages import CAPABILITIES_KEY, VERSION_KEY
from fakes.mcp import legacy, modern
from fakes.neighbours import LEGACY, MODERN, Neighbour, neighbours, normal, settled
from fakes.tenants import MARKS

MINE, THEIRS = MARKS.values()
CAPABLE = {"elicitation": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}}
ASKING = {VERSION_KEY: MODERN, CAPABILITIES_KEY: CAPABLE}


async def test_nothing_another_tenant_has_or_does_is_seen_at_any_door(tmp_path: Path) -> None:
    async with asyncio.timeout(120):
        async with neighbours(tmp_path / "alone", ("default",)) as (ann, _):
            alone = await ann.everything()
            socket, stream = await ann.over_websocket(), await ann.over_sse()
        async with neighbours(tmp_path / "both") as (ann, eve):
            first = await eve.everything()  # so that whatever is kept is kept of theirs
            both = await ann.everything()
            again = await eve.everything()
            assert list(map(settled, await ann.over_websocket())) == list(map(settled, socket))
            assert list(map(settled, await ann.over_sse())) == list(map(settled, stream))
            assert MINE not in "".join(await eve.over_websocket()) + "".join(await eve.over_sse())
    assert THEIRS not in "".join(socket + stream)
    for label, answer in both.items():
        assert THEIRS not in answer.text, label
        assert normal(answer) == normal(alone[label]), label
    for label, answer in [*first.items(), *again.items()]:
        assert MINE not in answer.text, label
    for seen, mark in ((both, MINE), (again, THEIRS)):
        for part in ("tools/call", "resources/read", "prompts/get", "tools/list", "prompts/list"):
            assert [one for label, one in seen.items() if part in label and mark in one.text], part


def altered(token: str) -> str:
    """A token that nobody was ever given."""
    middle = len(token) // 2
    return token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]


def in_session(message: dict[str, Any] | None, verb: str = "POST") -> Any:
    """A request of the session that a token names."""

    async def ask(ann: Neighbour, token: str) -> httpx2.Response:
        headers = {"Mcp-Session-Id": token, "MCP-Protocol-Version": LEGACY}
        if message is not None:
            return await ann.post(message, **headers)
        given = {**ann.secret, **headers, "accept": "text/event-stream"}
        async with ann.site.client.stream(verb, "/mcp", headers=given) as response:
            if response.status_code >= 400:  # else it may be open for long
                await response.aread()
            return response

    return ask


def of_modern(method: str, params: Callable[[str], dict[str, Any]]) -> Any:
    """A request that has a token among its parameters."""

    async def ask(ann: Neighbour, token: str) -> httpx2.Response:
        return await ann.post(modern(method, {**params(token), "_meta": ASKING}))

    return ask


async def session_of(eve: Neighbour) -> str:
    return (await eve.begin())["Mcp-Session-Id"]


async def cursor_of(eve: Neighbour) -> str:
    listed = (await eve.post(modern("resources/list"))).json()["result"]
    return listed["nextCursor"]


async def state_of(eve: Neighbour) -> str:
    asked = await eve.post(modern("tools/call", {"name": "ask", "_meta": ASKING}))
    return asked.json()["result"]["requestState"]


async def task_of(eve: Neighbour) -> str:
    sealer = Seals([ensure_sealing_key(eve.data / "sealing.key")])
    principal = Principal(eve.tenant, "ann", frozenset(), key_id="same")
    return TaskIds(sealer).seal(principal, TaskHandle("words", "task-1", "search"))


def retried(token: str) -> dict[str, Any]:
    answers = {"who": {"action": "accept", "content": {"name": "Al"}}}
    return {"name": "ask", "requestState": token, "inputResponses": answers}


Get = Callable[[Neighbour], Awaitable[str]]
Ask = Callable[[Neighbour, str], Awaitable[httpx2.Response]]
HANDLES: dict[str, tuple[Get, Ask]] = {
    "a session, asked": (session_of, in_session(legacy("tools/list"))),
    "a session, called": (session_of, in_session(legacy("tools/call", {"name": "item"}))),
    "a session, listened to": (session_of, in_session(None, "GET")),
    "a session, ended": (session_of, in_session(None, "DELETE")),
    "a session, subscribed": (
        session_of, in_session(legacy("resources/subscribe", {"uri": "note://shared"})),
    ),
    "a cursor": (cursor_of, of_modern("resources/list", lambda one: {"cursor": one})),
    "a state": (state_of, of_modern("tools/call", retried)),
    "a task, got": (task_of, of_modern("tasks/get", lambda one: {"taskId": one})),
    "a task, cancelled": (task_of, of_modern("tasks/cancel", lambda one: {"taskId": one})),
}  # fmt: skip


async def test_what_another_tenant_was_given_is_worth_as_little_as_what_nobody_was(
    tmp_path: Path,
) -> None:
    async with asyncio.timeout(120), neighbours(tmp_path) as (ann, eve):
        for name, (get, ask) in HANDLES.items():
            token = await get(eve)
            nobodys = await ask(ann, altered(token))
            theirs = await ask(ann, token)
            assert theirs.is_error or "error" in theirs.json(), name
            assert normal(theirs) == normal(nobodys), name
            assert THEIRS not in theirs.text, name
            own = await ask(eve, token)
            worth = not (own.is_error and theirs.is_error) or normal(own) != normal(theirs)
            assert worth, f"{name}: it is worth nothing to anybody"


async def test_the_stream_of_another_tenant_takes_nothing_from_here(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(60),
        neighbours(tmp_path) as (ann, eve),
        eve.stream() as (address, _),
    ):
        path, _, session = address.partition("session=")
        elsewhere = f"{path}session={altered(session)}"
        theirs = await ann.api("POST", address, json=legacy("tools/list"))
        nobodys = await ann.api("POST", elsewhere, json=legacy("tools/list"))
        own = await eve.api("POST", address, json=legacy("ping"))
    assert theirs.status_code == 404
    assert normal(theirs) == normal(nobodys)
    assert own.status_code == 202


async def test_a_stream_of_events_is_not_taken_up_by_another_tenant(tmp_path: Path) -> None:
    async with asyncio.timeout(60), neighbours(tmp_path) as (ann, eve):
        streams = {"accept": "text/event-stream"}
        sessions = [await eve.begin(), await ann.begin()]
        call = legacy("tools/call", {"name": "search", "_meta": {"progressToken": 1}})
        said = await eve.post(call, Accept="text/event-stream", **sessions[0])
        event_id = next(
            (line[4:] for line in said.text.splitlines() if line.startswith("id: ")),
            "c0123456789abcdef01234567.0",
        )
        theirs, nobodys = [
            await ann.api("GET", "/mcp", headers={**streams, **sessions[1], "Last-Event-ID": one})
            for one in (event_id, "c0123456789abcdef01234567.0")
        ]
    assert theirs.status_code == 400
    assert normal(theirs) == normal(nobodys)


async def test_a_change_of_another_tenant_is_told_to_nobody_here(tmp_path: Path) -> None:
    wanted = modern("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
    async with asyncio.timeout(60), neighbours(tmp_path) as (ann, eve):
        await ann.post(modern("tools/list"))
        await eve.post(modern("tools/list"))
        async with ann.listen(wanted) as mine, eve.listen(wanted) as theirs:
            for told in (mine, theirs):
                assert "acknowledged" in await anext(told)
            switched = await eve.api(
                "POST", "/api/admin/tools/item/status", json={"status": "inactive"}
            )
            assert switched.is_success, switched.text
            assert "tools/list_changed" in await anext(theirs)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await anext(mine)


async def test_a_credential_is_good_at_its_own_tenants_host_only(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(60),
        neighbours(tmp_path, server__allowed_hosts="acme.example") as (ann, eve),
    ):
        there = {"Host": "acme.example"}
        for neighbour, status in ((ann, 401), (eve, 200)):
            neighbour.headers = there
            for answer in (
                await neighbour.post(modern("tools/list")),
                await neighbour.api("GET", "/api/admin/tools"),
                await neighbour.api("GET", "/api/mcp/tools"),
            ):
                assert answer.status_code == status, answer.text
        stranger = await ann.site.client.get(
            "/api/admin/tools", headers={**there, "Authorization": "Bearer bsc_nobodys"}
        )
        assert normal(stranger) == normal(await ann.api("GET", "/api/admin/tools"))


async def test_records_and_metrics_are_the_tenants_own(tmp_path: Path) -> None:
    async with asyncio.timeout(60), neighbours(tmp_path) as (ann, eve):
        await eve.everything()
        call = modern("tools/call", {"name": "item", "arguments": {"q": "same"}})
        assert (await ann.post(call)).status_code == 200
        for one, other in ((ann, eve), (eve, ann)):
            logs = (await one.api("GET", "/api/admin/audit-logs?limit=1000")).json()["logs"]
            assert {log["tenant"] for log in logs} == {one.tenant}
            assert MARKS[other.tenant] not in json.dumps(logs)
            assert not any({"seq", "prev", "hash", "snapshot_version"} & log.keys() for log in logs)
        text = (await ann.site.client.get("/metrics")).text
        counted = 'bascule_tool_calls_total{status="success",tenant="%s",tool="item"} %s'
        assert counted % ("default", "1.0") in text
        assert 'tenant="acme",tool="item"' in text

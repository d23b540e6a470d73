"""Many MCP servers behind one instance: real ones, a dead one, one that hangs."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from mcp.server import MCPServer

from bascule.app import looks as room
from bascule.app.instance import open_instance
from bascule.gateway.principal import KeyRecord, Principal
from bascule.identity.api_keys import NewKey, new_key
from bascule.settings.loading import load
from fakes.mcp import legacy, modern

DEAD = "http://127.0.0.1:9/mcp"
ADMIN = Principal("default", "local", frozenset({"admin"}), frozenset({"system_admin"}))


def server(name: str) -> MCPServer:
    """A server whose tool, prompt and one resource have the names of everybody's."""
    sdk = MCPServer(name, log_level="ERROR")
    sdk.add_tool(lambda q="": f"{name} found {q}", name="search", description="Searches.")
    sdk.add_tool(lambda: name, name=f"only_{name}", description="Only here.")
    sdk.prompt(name="greet")(lambda who: f"{name} greets {who}")
    sdk.resource(f"note://{name}", name="note")(lambda: f"a note of {name}")
    sdk.resource("note://shared", name="shared")(lambda: f"shared by {name}")

    @sdk.resource(f"item://{name}/{{item}}", name="item")
    def item(item: str) -> str:
        return f"{name} has {item}"

    return sdk


class Moody:
    """Passes on to an application, unless it was told to hang."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.awake = asyncio.Event()
        self.awake.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.awake.wait()
        await self._app(scope, receive, send)


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """Serve it; gives its URL."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1
    )
    served = uvicorn.Server(config)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        serving = group.create_task(served._serve())
        while not served.started:
            await asyncio.sleep(0)
        try:
            yield f"http://127.0.0.1:{served.servers[0].sockets[0].getsockname()[1]}/mcp"
        finally:
            served.should_exit = True
            await serving


class Site:
    """An instance, and its administrator."""

    def __init__(self, client: httpx2.AsyncClient, key: NewKey) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {key.secret}"}

    async def add(self, name: str, url: str) -> None:
        added = await self.client.post(
            "/api/admin/servers", headers=self.headers, json={"name": name, "url": url}
        )
        assert added.status_code == 201, added.text

    async def ask(
        self, method: str, params: Mapping[str, object] | None = None, path: str = "/mcp"
    ) -> dict[str, Any]:
        """The `result`, or the `error`, of a modern request."""
        message = modern(method, params or {})
        headers = {
            **self.headers,
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": method,
        }
        for member in ("name", "uri"):
            if params and member in params:
                headers["Mcp-Name"] = str(params[member])
        answer = (await self.client.post(path, headers=headers, json=message)).json()
        return answer.get("result") or answer["error"]

    async def old(self, method: str, params: Mapping[str, object]) -> dict[str, Any]:
        headers = {**self.headers, "Accept": "application/json, text/event-stream"}
        message = legacy(method, params)
        answer = (await self.client.post("/mcp", headers=headers, json=message)).json()
        return answer.get("result") or answer["error"]


@asynccontextmanager
async def site(tmp_path: Path, servers: Mapping[str, str | Any]) -> AsyncIterator[Site]:
    """An instance with these servers: applications, or URLs."""
    key = new_key()
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        urls = {
            name: one if isinstance(one, str) else await stack.enter_async_context(listening(one))
            for name, one in servers.items()
        }
        keys = {key.digest: KeyRecord("local", ADMIN)}
        instance = await stack.enter_async_context(open_instance(load(None, {}), tmp_path, keys))
        transport = httpx2.ASGITransport(instance.front)
        client = await stack.enter_async_context(
            httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        )
        made = Site(client, key)
        for name, url in urls.items():
            await made.add(name, url)
        yield made


def app(name: str) -> Any:
    return server(name).streamable_http_app()


def names(result: dict[str, Any], member: str, key: str = "name") -> list[str]:
    return [one[key] for one in result[member]]


async def test_four_servers_at_once_one_of_them_dead(tmp_path: Path) -> None:
    servers = {"alpha": app("alpha"), "beta": app("beta"), "gamma": app("gamma"), "dead": DEAD}
    async with site(tmp_path, servers) as one:
        tools = await one.ask("tools/list")
        assert names(tools, "tools") == [
            *("alpha_search", "only_alpha", "beta_search", "only_beta", "gamma_search"),
            "only_gamma",
        ]
        assert tools["_meta"]["io.bascule/missing"] == ["dead"]
        assert tools["ttlMs"] == 0
        metrics = (await one.client.get("/metrics")).text
        assert 'bascule_upstream_list_failures_total{tenant="default",upstream="dead"}' in metrics
        call = await one.ask("tools/call", {"name": "beta_search", "arguments": {"q": "x"}})
        assert call["content"][0]["text"] == "beta found x"
        assert (await one.ask("tools/list", path="/mcp/servers/dead"))["data"]["code"] == "E4001"


async def test_a_server_s_own_endpoint_is_that_server(tmp_path: Path) -> None:
    async with site(tmp_path, {"alpha": app("alpha"), "beta": app("beta")}) as one:
        path = "/mcp/servers/beta"
        assert names(await one.ask("tools/list", path=path), "tools") == ["search", "only_beta"]
        call = await one.ask("tools/call", {"name": "search", "arguments": {}}, path)
        assert call["content"][0]["text"] == "beta found "
        got = await one.ask("prompts/get", {"name": "greet", "arguments": {"who": "ann"}}, path)
        assert got["messages"][0]["content"]["text"] == "beta greets ann"
        assert (await one.ask("tools/call", {"name": "only_alpha", "arguments": {}}, path))["data"][
            "code"
        ] == "E3001"


async def test_the_first_call_of_a_server_may_be_of_a_name_that_another_has_too(
    tmp_path: Path,
) -> None:
    """Before all have been looked at, a name tells nothing about whose it is elsewhere."""
    async with site(tmp_path, {name: app(name) for name in ("alpha", "beta", "gamma")}) as one:
        for name in ("alpha", "beta", "gamma"):
            search = {"name": "search", "arguments": {"q": "x"}}
            call = await one.ask("tools/call", search, f"/mcp/servers/{name}")
            assert call["content"][0]["text"] == f"{name} found x"


async def test_prompts_and_resources_go_to_whose_they_are(tmp_path: Path) -> None:
    async with site(tmp_path, {"alpha": app("alpha"), "beta": app("beta"), "dead": DEAD}) as one:
        prompts = await one.ask("prompts/list")
        assert names(prompts, "prompts") == ["alpha_greet", "beta_greet"]
        got = await one.ask("prompts/get", {"name": "beta_greet", "arguments": {"who": "ann"}})
        assert got["messages"][0]["content"]["text"] == "beta greets ann"
        reads = {
            "note://beta": "a note of beta",
            "note://shared": "shared by alpha",
            "item://beta/7": "beta has 7",
        }
        for uri, text in reads.items():
            read = await one.ask("resources/read", {"uri": uri})
            assert read["contents"][0]["text"] == text
        absent = await one.ask("resources/read", {"uri": "nope://x"})
        assert (absent["code"], absent["data"]["uri"]) == (-32602, "nope://x")
        absent = await one.old("resources/read", {"uri": "nope://x"})
        assert absent["code"] == -32002


async def test_resources_are_listed_server_after_server(tmp_path: Path) -> None:
    async with site(tmp_path, {"alpha": app("alpha"), "beta": app("beta"), "dead": DEAD}) as one:
        uris: list[str] = []
        missing: list[str] = []
        params: dict[str, object] = {}
        for _ in range(10):
            page = await one.ask("resources/list", params)
            uris += names(page, "resources", "uri")
            missing += page["_meta"].get("io.bascule/missing", [])
            if "nextCursor" not in page:
                break
            params = {"cursor": page["nextCursor"]}
        assert uris == ["note://alpha", "note://shared", "note://beta"]
        assert missing == ["dead"]


async def test_a_rule_decides_who_sees_and_uses_what(tmp_path: Path) -> None:
    async with site(tmp_path, {"alpha": app("alpha"), "beta": app("beta")}) as one:
        for rule in (
            {"name": "beta", "effect": "allow", "bundles": ["beta"]},
            {"name": "no items", "effect": "deny", "resources": ["item://*"]},
        ):
            made = await one.client.post(
                "/api/admin/policies", headers=one.headers, json={**rule, "roles": ["user"]}
            )
            assert made.status_code == 201
        key = await one.client.post(
            "/api/admin/keys", headers=one.headers, json={"name": "ann", "roles": ["user"]}
        )
        one.headers = {"Authorization": f"Bearer {key.json()['key']}"}
        assert names(await one.ask("tools/list"), "tools") == ["beta_search", "only_beta"]
        assert names(await one.ask("prompts/list"), "prompts") == ["beta_greet"]
        assert (await one.ask("resources/templates/list"))["resourceTemplates"] == []
        read = await one.ask("resources/read", {"uri": "note://shared"})
        assert read["contents"][0]["text"] == "shared by beta"
        for uri in ("item://beta/7", "note://alpha"):
            assert (await one.ask("resources/read", {"uri": uri}))["data"]["code"] == "E3005"


async def test_without_a_rule_nothing_tells_that_a_server_is_there(tmp_path: Path) -> None:
    async with site(tmp_path, {"alpha": app("alpha"), "dead": DEAD}) as one:
        key = await one.client.post(
            "/api/admin/keys", headers=one.headers, json={"name": "eve", "roles": ["user"]}
        )
        one.headers = {"Authorization": f"Bearer {key.json()['key']}"}
        discovered = await one.ask("server/discover")
        assert discovered["capabilities"] == {"tools": {"listChanged": True}}
        tools = await one.ask("tools/list")
        assert tools["tools"] == []
        assert "io.bascule/missing" not in tools["_meta"]


async def test_a_server_that_hangs_holds_a_list_up_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(room, "_PATIENCE_SECONDS", 0.2)
    slow = Moody(app("slow"))
    async with site(tmp_path, {"alpha": app("alpha"), "slow": slow}) as one:
        slow.awake.clear()
        tools = await one.ask("tools/list")
        assert names(tools, "tools") == ["search", "only_alpha"]
        assert tools["_meta"]["io.bascule/missing"] == ["slow"]
        slow.awake.set()
        async with asyncio.timeout(10):
            while "io.bascule/missing" in tools["_meta"]:
                tools = await one.ask("tools/list")
        assert names(tools, "tools")[0] == "alpha_search"


async def test_what_is_offered_is_advertised_and_nothing_else(tmp_path: Path) -> None:
    async with site(tmp_path, {"alpha": app("alpha")}) as one:
        advertised = (await one.ask("server/discover"))["capabilities"]
        assert {"tools", "prompts", "resources"} <= advertised.keys()
        assert "tasks" not in json.dumps(advertised)
        assert "completions" not in advertised


async def test_of_a_dead_server_that_is_alone_nothing_but_the_failure_is_told(
    tmp_path: Path,
) -> None:
    async with site(tmp_path, {"dead": DEAD}) as one:
        assert (await one.ask("server/discover"))["capabilities"] == {
            "tools": {"listChanged": True}
        }
        for method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list"):
            assert (await one.ask(method))["data"]["code"] == "E4001"


async def test_a_removed_server_is_gone_at_once(tmp_path: Path) -> None:
    async with site(tmp_path, {"alpha": app("alpha"), "beta": app("beta")}) as one:
        assert len((await one.ask("tools/list"))["tools"]) == 4
        await one.client.delete("/api/admin/servers/beta", headers=one.headers)
        assert names(await one.ask("tools/list"), "tools") == ["search", "only_alpha"]


async def test_a_server_added_anew_under_a_name_answers_for_itself(tmp_path: Path) -> None:
    servers = {"alpha": app("alpha"), "dead": DEAD}
    async with listening(app("beta")) as url, site(tmp_path, servers) as one:
        assert await one.ask("tools/list")
        await one.client.delete("/api/admin/servers/alpha", headers=one.headers)
        await one.add("alpha", url)
        assert names(await one.ask("tools/list"), "tools") == ["search", "only_beta"]
        read = await one.ask("resources/read", {"uri": "note://shared"})
        assert read["contents"][0]["text"] == "shared by beta"

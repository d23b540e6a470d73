"""Servers that others wrote, five at once behind one gateway, and the official clients before it.

Three reference servers from npm and two written with the official Python SDK, over stdio and over
Streamable HTTP; each client does the same things in both eras.
"""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import mcp_types as types
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from bascule.protocol.versions import LATEST_LEGACY_VERSION, MODERN_VERSION
from fakes.instances import BASCULE, Instance, environment, serving
from fakes.processes import running

CLIENTS = Path(__file__).parents[1] / "clients"
PACKAGES = CLIENTS / "node_modules" / "@modelcontextprotocol"
SDK_SERVER = Path(__file__).with_name("sdk_server.py")
NEGOTIATED = {"auto": MODERN_VERSION, "legacy": LATEST_LEGACY_VERSION}
SERVERS = ("everything", "files", "local", "memory", "remote")
LOG_LEVEL = "io.modelcontextprotocol/logLevel"

# The client warns of what is deprecated, and still there.
pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
both_eras = pytest.mark.parametrize("mode", list(NEGOTIATED))


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway with the five servers behind it, and a user's key; `shared` is a directory."""

    instance: Instance
    key: str
    shared: Path

    def address(self, door: str, where: str = "") -> str:
        url = f"{self.instance.mcp_url}{where}"
        return f"ws{url.removeprefix('http')}/ws" if door == "ws" else url


def commands(shared: Path) -> dict[str, list[str | Path]]:
    def from_npm(package: str, *arguments: str | Path) -> list[str | Path]:
        return ["node", PACKAGES / package / "dist" / "index.js", *arguments]

    return {
        "everything": from_npm("server-everything", "stdio"),
        "files": from_npm("server-filesystem", shared),
        "memory": from_npm("server-memory"),
        "local": [sys.executable, SDK_SERVER, "local"],
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    shared = tmp_path_factory.mktemp("shared")
    (shared / "note.txt").write_text("kept")
    port = free_port()
    with (
        running(sys.executable, SDK_SERVER, "remote", str(port)) as remote,
        serving(tmp_path_factory.mktemp("real") / "data") as instance,
        instance.api() as admin,
    ):
        wanted: list[dict[str, Any]] = [
            {"name": name, "command": [str(word) for word in command]}
            for name, command in commands(shared).items()
        ]
        for one in (*wanted, {"name": "remote", "url": f"http://127.0.0.1:{port}/mcp"}):
            assert admin.post("/api/admin/servers", json=one).status_code == 201
        rule = {"name": "users", "effect": "allow", "roles": ["user"], "bundles": list(SERVERS)}
        assert admin.post("/api/admin/policies", json=rule).status_code == 201
        made = admin.post("/api/admin/keys", json={"name": "ann", "roles": ["user"]}).json()
        yield Site(instance, made["key"], shared)
        assert remote.is_running


@dataclass
class Heard:
    """What a client was told and asked before its results came."""

    progress: list[float] = field(default_factory=list)
    logs: list[Any] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def on_progress(self, progress: float, _: float | None, __: str | None) -> None:
        self.progress.append(progress)

    async def on_log(self, params: types.LoggingMessageNotificationParams) -> None:
        self.logs.append(params.data)

    async def on_elicitation(self, _: Any, params: Any) -> types.ElicitResult:
        self.asked.append(params.message)
        return types.ElicitResult(action="accept", content={"name": "Ann"})

    async def on_sampling(self, _: Any, params: Any) -> types.CreateMessageResult:
        self.asked.append(params.messages[0].content.text)
        content = types.TextContent(type="text", text="word")
        return types.CreateMessageResult(role="assistant", content=content, model="m")


@asynccontextmanager
async def python_client(
    site: Site, door: str, mode: str, heard: Heard, where: str = ""
) -> AsyncGenerator[Client]:
    headers = {"authorization": f"Bearer {site.key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=20, trust_env=False) as http:
        if door == "stdio":
            command, *arguments = [*BASCULE, "stdio", "--data", str(site.instance.data)]
            settings = environment() | {"BASCULE_KEY": site.key}
            transport: Any = stdio_client(
                StdioServerParameters(command=command, args=arguments, env=settings)
            )
        else:
            transport = streamable_http_client(site.address(door, where), http_client=http)
        told = {"log_level": "info"} if mode == "auto" else {}
        async with (
            asyncio.timeout(30),
            Client(
                transport,
                mode=mode,
                logging_callback=heard.on_log,
                elicitation_callback=heard.on_elicitation,
                sampling_callback=heard.on_sampling,
                **told,  # type: ignore[arg-type]
            ) as client,
        ):
            if mode == "legacy":
                await client.set_logging_level("info")
            yield client


def text_of(result: types.CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    return content.text


async def all_resources(client: Client) -> list[str]:
    found: list[str] = []
    page = await client.list_resources()
    while True:
        found += [one.uri for one in page.resources]
        if page.next_cursor is None:
            return found
        page = await client.list_resources(cursor=page.next_cursor)


@both_eras
@pytest.mark.parametrize("door", ["http", "stdio"])
async def test_the_python_client_has_all_five_servers_as_one(
    site: Site, door: str, mode: str
) -> None:
    heard = Heard()
    async with python_client(site, door, mode, heard) as client:
        assert client.protocol_version == NEGOTIATED[mode]
        tools = [one.name for one in (await client.list_tools()).tools]
        again = [one.name for one in (await client.list_tools(cache_mode="bypass")).tools]
        echoed = [
            text_of(await client.call_tool(f"{name}_echo", {"message": "hi"}))
            for name in ("everything", "local", "remote")
        ]
        read = await client.call_tool("read_text_file", {"path": str(site.shared / "note.txt")})
        graph = await client.call_tool("read_graph", {})
        resources = await all_resources(client)
        city = await client.read_resource("remote://cities/Pune")
        templates = (await client.list_resource_templates()).resource_templates
        prompts = [one.name for one in (await client.list_prompts()).prompts]
        got = await client.get_prompt("local_summarise", {"topic": "x"})
        reference = types.PromptReference(type="ref/prompt", name="completable-prompt")
        completed = await client.complete(reference, {"name": "department", "value": "E"})

    assert tools == again
    assert {"echo", "everything_echo", "read_graph"} & set(tools) == {
        "everything_echo",
        "read_graph",
    }
    assert echoed == ["Echo: hi", "local: hi", "remote: hi"]
    assert text_of(read) == "kept"
    assert graph.structured_content == {"entities": [], "relations": []}
    assert {"local://notes/today", "remote://notes/today", "memory://knowledge-graph"} <= set(
        resources
    )
    assert len(resources) == len(set(resources)) > 5
    assert city.contents[0].text == "Pune, says remote"
    assert {"local://cities/{city}", "remote://cities/{city}"} <= {
        one.uri_template for one in templates
    }
    assert {"args-prompt", "local_summarise", "remote_summarise"} <= set(prompts)
    assert got.messages[0].content.text == "local: summarise x"
    assert completed.completion.values == ["Engineering"]


@both_eras
@pytest.mark.parametrize("name", ["local", "remote"])
async def test_the_python_client_is_told_and_asked_before_its_results(
    site: Site, mode: str, name: str
) -> None:
    heard = Heard()
    async with python_client(site, "http", mode, heard, f"/servers/{name}") as client:
        await client.call_tool("count", {"to": 3}, progress_callback=heard.on_progress)
        greeted = text_of(await client.call_tool("greet_me", {}))
        quoted = text_of(await client.call_tool("quote_model", {}))

    assert heard.progress == [1, 2, 3]
    assert heard.logs == ["counted 1", "counted 2", "counted 3"]
    assert heard.asked == ["Who are you?", "Say a word."]
    assert (greeted, quoted) == ("Hello Ann", "It said word")


def step(method: str, **params: Any) -> dict[str, Any]:
    return {"method": method, "params": params}


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    """A call that wants log messages; of the handshake era, where a session does, it is idle."""
    return step("tools/call", name=tool, arguments=arguments, _meta={LOG_LEVEL: "info"})


TOUR = (
    step("tools/list"),
    call("everything_echo", message="hi"),
    call("local_count", to=3),
    call("remote_count", to=3),
    call("local_greet_me"),
    call("remote_quote_model"),
    call("trigger-long-running-operation", duration=0.2, steps=2),
    step("resources/read", uri="local://cities/Pune"),
    step("prompts/get", name="remote_summarise", arguments={"topic": "x"}),
    step(
        "completion/complete",
        ref={"type": "ref/resource", "uri": "local://cities/{city}"},
        argument={"name": "city", "value": "Pu"},
    ),
    call("no_such_tool"),
)


def tour(site: Site, door: str, mode: str) -> dict[str, Any]:
    begin = [step("logging/setLevel", level="info")] if mode == "legacy" else []
    steps = json.dumps([*begin, *TOUR])
    done = subprocess.run(
        ["node", "tour.mjs", site.address(door), site.key, mode, steps],
        cwd=CLIENTS,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])  # the client itself may speak before
    return {**seen, "steps": seen["steps"][len(begin) :]}


@both_eras
@pytest.mark.parametrize("door", ["http", "ws"])
def test_the_typescript_client_has_all_five_servers_as_one(
    site: Site, door: str, mode: str
) -> None:
    seen = tour(site, door, mode)
    listed, echo, *counts, greeted, quoted, slow, read, got, completed, unknown = seen["steps"]

    assert seen["version"] == NEGOTIATED[mode]
    assert {"tools", "prompts", "resources", "completions", "logging"} <= set(seen["capabilities"])
    assert {"everything_echo", "read_graph", "read_text_file", "local_echo", "remote_echo"} <= {
        one["name"] for one in listed["result"]["tools"]
    }
    assert echo["result"]["content"][0]["text"] == "Echo: hi"
    for count in counts:
        assert count["result"]["structuredContent"] == {"result": 3}
        assert count["progress"] == [1, 2, 3]
        assert count["logs"] == ["counted 1", "counted 2", "counted 3"]
    assert greeted["asked"] == ["Who are you?"]
    assert greeted["result"]["content"][0]["text"] == "Hello Ann"
    assert quoted["asked"] == ["Say a word."]
    assert quoted["result"]["content"][0]["text"] == "It said word"
    assert slow["progress"] == [1, 2]
    assert read["result"]["contents"][0]["text"] == "Pune, says local"
    assert got["result"]["messages"][0]["content"]["text"] == "remote: summarise x"
    assert completed["result"]["completion"]["values"] == ["Pune", "Puno"]
    assert unknown["error"]["code"] == -32602


@both_eras
async def test_each_server_has_an_endpoint_with_its_own_names(site: Site, mode: str) -> None:
    found: dict[str, set[str]] = {}
    for name in SERVERS:
        async with python_client(site, "http", mode, Heard(), f"/servers/{name}") as client:
            found[name] = {one.name for one in (await client.list_tools()).tools}

    assert "echo" in found["everything"] & found["local"] & found["remote"]
    assert "read_graph" in found["memory"]
    assert "list_allowed_directories" in found["files"]
    assert not any(name.startswith(f"{server}_") for server in found for name in found[server])


@contextmanager
def one_more(site: Site, server: dict[str, Any]) -> Iterator[None]:
    """A sixth server, for users, too, while the block lasts."""
    name = server["name"]
    rule = {"name": name, "effect": "allow", "roles": ["user"], "bundles": [name]}
    with site.instance.api() as admin:
        assert admin.post("/api/admin/servers", json=server).status_code == 201
        assert admin.post("/api/admin/policies", json=rule).status_code == 201
        try:
            yield
        finally:
            assert admin.delete(f"/api/admin/servers/{name}").status_code == 200
            assert admin.delete(f"/api/admin/policies/{name}").status_code == 200


@both_eras
async def test_a_server_that_dies_in_a_call_is_there_for_the_next(site: Site, mode: str) -> None:
    frail = {"name": "frail", "command": [sys.executable, str(SDK_SERVER), "frail"]}
    with one_more(site, frail):
        async with python_client(site, "http", mode, Heard()) as client:
            before = await client.list_tools()
            died = await client.call_tool("frail_die", {})
            others = await client.call_tool("local_echo", {"message": "hi"})
            again = await client.call_tool("frail_echo", {"message": "hi"})
            after = await client.list_tools(cache_mode="bypass")

    assert died.is_error
    assert text_of(died).startswith("E4004")
    assert "its process ended with status 3" in text_of(died)
    assert (text_of(others), text_of(again)) == ("local: hi", "frail: hi")
    assert [one.name for one in after.tools] == [one.name for one in before.tools]


@both_eras
async def test_a_server_that_is_gone_is_named_and_the_rest_answers(site: Site, mode: str) -> None:
    with one_more(site, {"name": "gone", "url": f"http://127.0.0.1:{free_port()}/mcp"}):
        async with python_client(site, "http", mode, Heard()) as client:
            tools = await client.list_tools()
            echo = await client.call_tool("everything_echo", {"message": "hi"})

    assert (tools.meta or {})["io.bascule/missing"] == ["gone"]
    assert {"everything_echo", "read_graph", "remote_echo"} <= {one.name for one in tools.tools}
    assert text_of(echo) == "Echo: hi"


@pytest.mark.parametrize("door", ["http", "stdio"])
async def test_a_client_that_listens_is_told_of_a_new_tool(site: Site, door: str) -> None:
    growing = {"name": "growing", "command": [sys.executable, str(SDK_SERVER), "growing"]}
    with one_more(site, growing):
        async with python_client(site, door, "auto", Heard()) as client:
            before = {one.name for one in (await client.list_tools()).tools}
            async with client.listen(tools_list_changed=True) as changes:
                await client.call_tool("growing_grow", {})
                await anext(aiter(changes))
            after = {one.name for one in (await client.list_tools(cache_mode="bypass")).tools}

    assert after - before == {"growing_grown"}

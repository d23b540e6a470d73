"""Every era and door of client, every era and transport of server, with nothing changed between.

The same client does the same things directly and through the gateway; what it got is compared
whole, but for what belongs to the wire and not to the content: ids, times and cache hints.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.client.client import Client

from fakes.scenes import Gateway, Way, door, governing, relaying, straight, upstream

MODES = ("auto", "legacy")
SCENES = (
    ("proxy", "modern", "http"),
    ("proxy", "legacy", "http"),
    ("proxy", "both", "http"),
    ("proxy", "modern", "stdio"),
    ("proxy", "legacy", "stdio"),
    ("proxy", "legacy", "sse"),
    ("up", "both", "http"),
    ("up", "legacy", "http"),
)
DOORS = ("http", "sse", "ws", "stdio")
# Of the wire: each side has its own.
OF_THE_WIRE = {"ttl_ms", "cache_scope", "result_type"}

Do = Callable[[Client], Awaitable[Any]]


def calling(tool: str, arguments: dict[str, Any] | None = None) -> Do:
    return lambda client: client.call_tool(tool, arguments or {})


async def watching(client: Client) -> Any:
    """What is told of the progress, in place of the content: that repeats the wire's own token."""
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    result = await client.call_tool("test_tool_with_progress", {}, progress_callback=note)
    assert len(told) == 3
    return result.model_copy(update={"content": [], "meta": {"told": told}})


THINGS: dict[str, Do] = {
    "tools": lambda client: client.list_tools(),
    "prompts": lambda client: client.list_prompts(),
    "resources": lambda client: client.list_resources(),
    "templates": lambda client: client.list_resource_templates(),
    "text": calling("test_simple_text"),
    "image": calling("test_image_content"),
    "audio": calling("test_audio_content"),
    "embedded": calling("test_embedded_resource"),
    "mixed": calling("test_multiple_content_types"),
    "error": calling("test_error_handling"),
    "structured": calling("test_structured_content", {"n": 21}),
    "progress": watching,
    "elicitation": calling("test_elicitation", {"message": "Who?"}),
    "sampling": calling("test_sampling", {"prompt": "Say"}),
    "unknown tool": calling("no_such_tool"),
    "prompt": lambda client: client.get_prompt("test_simple_prompt"),
    "prompt with arguments": lambda client: client.get_prompt(
        "test_prompt_with_arguments", {"arg1": "a", "arg2": "ü"}
    ),
    "read text": lambda client: client.read_resource("test://static-text"),
    "read binary": lambda client: client.read_resource("test://static-binary"),
    "read template": lambda client: client.read_resource("test://template/7/data"),
    "completion": lambda client: client.complete(
        types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments"),
        {"name": "arg1", "value": "par"},
    ),
}


def masked(result: dict[str, Any]) -> dict[str, Any]:
    """`result` without what belongs to the wire; the rest must be the same to the last member."""
    kept = {key: value for key, value in result.items() if key not in OF_THE_WIRE}
    meta = kept.pop("meta", None) or {}
    own = {key: one for key, one in meta.items() if not key.startswith("io.modelcontextprotocol/")}
    return {**kept, "meta": own}


async def observe(client: Client) -> dict[str, Any]:
    """What a client finds, thing by thing; an error is a finding, by its code."""
    found: dict[str, Any] = {}
    for name, do in THINGS.items():
        try:
            found[name] = masked((await do(client)).model_dump(mode="json"))
        except Exception as failure:  # noqa: BLE001 - whatever it is, it must be the same
            found[name] = getattr(getattr(failure, "error", None), "code", type(failure).__name__)
    return found


def assert_sound(expected: dict[str, Any]) -> None:
    """The server itself does everything it is asked: the comparison is one of contents."""
    failed = {name: one for name, one in expected.items() if not isinstance(one, dict)}
    assert failed == {"unknown tool": -32602}


async def on_elicitation(_: Any, __: Any) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={"username": "Ann", "email": "a@b.example"})


async def on_sampling(_: Any, __: Any) -> types.CreateMessageResult:
    content = types.TextContent(type="text", text="said")
    return types.CreateMessageResult(role="assistant", content=content, model="m")


@asynccontextmanager
async def client_of(way: Way, mode: str) -> AsyncGenerator[Client]:
    with anyio.fail_after(60):
        async with Client(
            way, mode=mode, elicitation_callback=on_elicitation, sampling_callback=on_sampling
        ) as client:
            yield client


class Scene:
    """A reference server, and the gateway in front of it."""

    def __init__(self, gateway: Gateway, target: list[str], transport: str, mode: str) -> None:
        self.gateway = gateway
        self._mode = mode
        self._transport = transport
        self._target = target
        self._expected: dict[str, Any] | None = None

    async def expected(self) -> dict[str, Any]:
        """What the server itself says; asked once."""
        if self._expected is None:
            async with client_of(straight(self._target, self._transport), self._mode) as client:
                found = await observe(client)
            assert_sound(found)
            self._expected = found
        return self._expected


@pytest.fixture(scope="module", params=SCENES, ids="-".join)
def scene(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    unused_tcp_port_factory: Callable[[], int],
) -> Iterator[Scene]:
    """One for all who look at the same server: each starts two processes."""
    command, era, transport = request.param
    data = tmp_path_factory.mktemp("scene") / "data"
    front = governing if command == "up" else relaying
    with (
        upstream(era, transport, unused_tcp_port_factory()) as target,
        front(target, data) as gateway,
    ):
        yield Scene(gateway, target, transport, "legacy" if era == "legacy" else "auto")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", DOORS)
async def test_what_is_relayed_is_what_the_server_says(scene: Scene, name: str, mode: str) -> None:
    expected = await scene.expected()

    async with client_of(door(scene.gateway, name), mode) as client:
        relayed = await observe(client)

    assert relayed == expected

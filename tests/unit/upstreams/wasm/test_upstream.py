import asyncio
import base64
from collections.abc import Iterator

import pytest

from bascule.gateway.call import Call, Method
from bascule.gateway.connector import Connector
from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.gateway.tool import Tool, Upstream, UpstreamKind, WasmSource
from bascule.upstreams.wasm.limits import SandboxLimits
from bascule.upstreams.wasm.sandbox import Sandbox
from bascule.upstreams.wasm.upstream import WasmUpstream
from fakes.modules import module


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    one = Sandbox(SandboxLimits(fuel=5_000_000))
    yield one
    one.close()


def upstream(sandbox: Sandbox, content: bytes | None = None) -> WasmUpstream:
    text = base64.b64encode(module() if content is None else content).decode()
    record = Upstream("text", UpstreamKind.WASM, "wasm:text", connector=Connector(descriptors=text))
    return WasmUpstream(record, sandbox)


def a_call(function: str, arguments: bytes = b'{"a":1}') -> Call:
    tool = Tool(function, "", "text", WasmSource("text", "00", function), {"type": "object"})
    return Call(Method.TOOLS_CALL, "c-1", tool=tool, raw_arguments=arguments)


async def test_an_object_becomes_structured_content(sandbox: Sandbox) -> None:
    body = (await upstream(sandbox).execute(a_call("echo"))).body
    assert body["content"] == [{"type": "text", "text": '{"a":1}'}]
    assert bytes(body["structuredContent"]) == b'{"a":1}'  # type: ignore[arg-type]


async def test_a_list_is_put_into_an_object(sandbox: Sandbox) -> None:
    body = (await upstream(sandbox).execute(a_call("list"))).body
    assert bytes(body["structuredContent"]) == b'{"result":[1,2]}'  # type: ignore[arg-type]


async def test_a_text_stays_text(sandbox: Sandbox) -> None:
    body = (await upstream(sandbox).execute(a_call("text"))).body
    assert body == {"content": [{"type": "text", "text": "some text"}]}


async def test_a_module_can_say_no(sandbox: Sandbox) -> None:
    result = await upstream(sandbox).execute(a_call("refuse"))
    assert result.is_error
    assert result.body["isError"]
    assert result.body["content"] == [{"type": "text", "text": "no such thing"}]


@pytest.mark.parametrize(
    ("function", "kind"),
    [("babble", UpstreamFailed), ("trap", UpstreamFailed), ("spin", UpstreamTimeout)],
)
async def test_a_call_that_comes_to_nothing_fails(
    sandbox: Sandbox, function: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await upstream(sandbox).execute(a_call(function))


async def test_a_module_that_cannot_be_used_any_more_is_told(sandbox: Sandbox) -> None:
    broken = upstream(sandbox, b"junk")
    for _ in range(2):
        with pytest.raises(UpstreamFailed, match="import it again"):
            await broken.execute(a_call("echo"))


async def test_who_gives_up_waiting_does_not_take_the_module_from_others(sandbox: Sandbox) -> None:
    one = upstream(sandbox)
    waiting = asyncio.ensure_future(one.execute(a_call("echo")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert (await one.execute(a_call("echo"))).body["content"]


async def test_only_its_own_tools_are_executed(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError):
        await upstream(sandbox).execute(Call(Method.TOOLS_CALL, "c-1"))


async def test_there_is_nothing_to_close(sandbox: Sandbox) -> None:
    one = upstream(sandbox)
    await one.retire(1.0)
    await one.aclose()

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from bascule.gateway.call import Call, Method
from bascule.gateway.errors import (
    GatewayError,
    InvalidArgument,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.gateway.tool import PluginSource, Tool, Upstream, UpstreamKind
from bascule.plugins import ConnectorCall, ConnectorFailed, ConnectorTool
from bascule.plugins.connecting import PluginUpstream
from fakes.catalogue import make_principal

UPSTREAM = Upstream("shop", UpstreamKind.PLUGIN, "queries:shop", timeout_seconds=5)
TOOL = Tool("find", "", "shop", PluginSource("shop", "find_all"), {"type": "object"})


class Giving:
    """Answers with what it was given, or raises it."""

    def __init__(self, answer: object) -> None:
        self._answer = answer
        self.calls: list[ConnectorCall] = []

    async def describe(self, address: str) -> Sequence[ConnectorTool]:
        raise AssertionError(address)

    async def execute(self, call: ConnectorCall) -> object:
        self.calls.append(call)
        if isinstance(self._answer, Exception):
            raise self._answer
        if self._answer is asyncio.Event:
            await asyncio.Event().wait()
        return self._answer


def a_call(**fields: Any) -> Call:
    given: dict[str, Any] = {"tool": TOOL, "principal": make_principal("ann"), **fields}
    return Call(Method.TOOLS_CALL, "c-1", arguments={"name": "x"}, **given)


async def test_a_call_goes_out_as_whoever_made_it() -> None:
    connector = Giving({"rows": []})
    result = await PluginUpstream(UPSTREAM, "shop", connector).execute(a_call())
    (sent,) = connector.calls
    assert (sent.address, sent.operation, sent.arguments) == ("shop", "find_all", {"name": "x"})
    assert (sent.tenant, sent.user, sent.correlation_id) == ("acme", "ann", "c-1")
    assert 0 < sent.deadline - time.monotonic() <= 5
    assert result.body["content"] == [{"type": "text", "text": '{"rows":[]}'}]
    assert bytes(result.body["structuredContent"]) == b'{"rows":[]}'  # type: ignore[arg-type]


async def test_the_callers_deadline_counts_where_it_is_sooner() -> None:
    connector = Giving("done")
    soon = time.monotonic() + 1
    await PluginUpstream(UPSTREAM, "shop", connector).execute(a_call(deadline=soon))
    assert connector.calls[0].deadline == soon


@pytest.mark.parametrize(
    ("answer", "text", "structured"),
    [("done", "done", None), ([1, 2], '{"result":[1,2]}', b'{"result":[1,2]}')],
)
async def test_answers_become_content(answer: object, text: str, structured: bytes | None) -> None:
    body = (await PluginUpstream(UPSTREAM, "shop", Giving(answer)).execute(a_call())).body
    assert body["content"] == [{"type": "text", "text": text}]
    found = body.get("structuredContent")
    assert (None if found is None else bytes(found)) == structured  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raised", "kind", "public"),
    [
        (ConnectorFailed("Gone.", unreached=True), UpstreamUnreachable, "Gone."),
        (ConnectorFailed("Failed.", private="secret"), UpstreamFailed, "Failed."),
        (InvalidArgument("Not so."), InvalidArgument, "Not so."),
        (KeyError("secret"), UpstreamFailed, "The connector of shop broke."),
        (TimeoutError("secret"), UpstreamFailed, "The connector of shop broke."),
    ],
)
async def test_failures_are_named_and_bugs_are_not_told(
    raised: Exception, kind: type[GatewayError], public: str
) -> None:
    with pytest.raises(kind) as failure:
        await PluginUpstream(UPSTREAM, "shop", Giving(raised)).execute(a_call())
    assert public in failure.value.public
    assert "secret" not in failure.value.public


async def test_what_is_no_json_is_a_bug_of_the_connector() -> None:
    with pytest.raises(UpstreamFailed, match="broke"):
        await PluginUpstream(UPSTREAM, "shop", Giving(object())).execute(a_call())


async def test_a_connector_that_does_not_answer_is_given_up() -> None:
    with pytest.raises(UpstreamTimeout, match="may have acted"):
        await PluginUpstream(UPSTREAM, "shop", Giving(asyncio.Event)).execute(
            a_call(deadline=time.monotonic() + 0.001)
        )


async def test_nothing_but_a_plugins_tool_is_executed() -> None:
    with pytest.raises(RuntimeError):
        await PluginUpstream(UPSTREAM, "shop", Giving("")).execute(a_call(tool=None))

import json

import pytest

from bascule.gateway.call import Call, Method, Result
from bascule.gateway.tool import RestSource, Tool
from bascule.upstreams.mock import MockUpstream


async def answer(output_schema, *, wraps: bool = False) -> Result:
    source = RestSource("crm", "GET", "/", wraps_result=wraps)
    tool = Tool("get", "Gets.", "b", source, {"type": "object"}, output_schema)
    return await MockUpstream().execute(Call(Method.TOOLS_CALL, "c-1", tool=tool))


async def test_a_tool_answers_from_its_output_schema_and_says_so() -> None:
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    body = (await answer(schema)).body
    assert body["structuredContent"] == {"id": 1}
    assert json.loads(body["content"][0]["text"]) == {"id": 1}
    assert body["_meta"] == {"bascule/mode": "mock"}


async def test_a_wrapped_result_is_shown_as_the_service_would_give_it() -> None:
    items = {"type": "array", "items": {"type": "string"}}
    schema = {"type": "object", "properties": {"result": items}}
    body = (await answer(schema, wraps=True)).body
    assert body["structuredContent"] == {"result": ["sample"]}
    assert json.loads(body["content"][0]["text"]) == ["sample"]


async def test_what_is_no_object_stands_under_result() -> None:
    assert (await answer({"type": "integer"})).body["structuredContent"] == {"result": 1}


async def test_without_an_output_schema_it_says_that_it_was_not_called() -> None:
    body = (await answer(None)).body
    assert "would have been called" in body["content"][0]["text"]
    assert "structuredContent" not in body


async def test_only_tools_are_executed() -> None:
    with pytest.raises(RuntimeError):
        await MockUpstream().execute(Call(Method.TOOLS_LIST, "c-1"))

"""A caller who would see more tools than a model can take is given a search."""

import json
from pathlib import Path

import httpx2

from fakes import mcp
from fakes.hostile import hostile_upstream
from fakes.instances import Instance, post, serving

WORDS = [f"{verb}_{noun}" for verb in ("get", "create", "delete") for noun in "abcdefgh"]


def listed(instance: Instance, path: str = "/mcp") -> list[str]:
    with instance.api() as client:
        answer = client.post(path, **post(mcp.modern("tools/list", {})))
    return [tool["name"] for tool in answer.json()["result"]["tools"]]


def document() -> bytes:
    operations = {
        f"/{word}": {
            "get": {
                "operationId": word,
                "summary": f"{word.replace('_', ' ')} thing",
                "responses": {"200": {"description": "done"}},
            }
        }
        for word in WORDS
    }
    special = {"operationId": "bill_customer", "summary": "Send an invoice to a customer.",
               "parameters": [{"name": "id", "in": "query", "required": True,
                               "schema": {"type": "string"}}],
               "responses": {"200": {"description": "done"}}}  # fmt: skip
    operations["/fine"] = {"get": special}
    return json.dumps(
        {"openapi": "3.1.0", "info": {"title": "many", "version": "1"}, "paths": operations}
    ).encode()


def answer_of(response: httpx2.Response) -> dict[str, object]:
    return response.json()["result"]


def test_many_tools_are_searched_and_called_through_two(tmp_path: Path) -> None:
    with (
        hostile_upstream() as upstream,
        serving(tmp_path / "data", settings={"catalogue.search_above_tools": "10"}) as instance,
    ):
        instance.publish(document(), "many", upstream.url)
        assert listed(instance) == ["bascule_search_tools", "bascule_call_tool"]

        found = answer_of(instance.call("bascule_search_tools", query="write an invoice", limit=3))
        first = json.loads(found["content"][0]["text"])["tools"][0]  # type: ignore[index]
        assert first["name"] == "bill_customer"
        assert first["inputSchema"]["required"] == ["id"]

        called = instance.call("bascule_call_tool", name="bill_customer", arguments={"id": "7"})
        assert called.status_code == 200
        refused = instance.call("bascule_call_tool", name="bill_customer", arguments={"ID": "7"})
        assert "E2002" in refused.text
        unknown = instance.call("bascule_call_tool", name="bill_custommer")
        assert "Did you mean bill_customer?" in unknown.json()["error"]["message"]

        with instance.api() as client:
            logs = client.get("/api/admin/audit-logs?limit=5").json()["logs"]
        assert "bill_customer" in {one.get("tool_name") for one in logs}


def test_few_tools_are_listed_as_they_are(tmp_path: Path) -> None:
    with (
        hostile_upstream() as upstream,
        serving(tmp_path / "data") as instance,
    ):
        instance.publish(document(), "many", upstream.url)
        assert len(listed(instance)) == len(WORDS) + 1

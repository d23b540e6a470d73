"""The official clients, in both eras, against the running demo."""

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from bascule.protocol.versions import LATEST_LEGACY_VERSION, MODERN_VERSION
from fakes.instances import Instance

CLIENTS = Path(__file__).parents[1] / "clients"
NEGOTIATED = {"auto": MODERN_VERSION, "legacy": LATEST_LEGACY_VERSION}
TOOLS = [
    "cancel_service_booking",
    "create_service_booking",
    "get_available_slots",
    "get_booking_status",
    "get_nearby_dealers",
    "resolve_customer",
    "resolve_vehicle",
]
DID_YOU_MEAN = "Unknown tool: get_nearby_dealrs. Did you mean get_nearby_dealers?"
WRONG_ARGUMENTS = {"city": 5, "radius": 3}

both_eras = pytest.mark.parametrize("mode", list(NEGOTIATED))


@asynccontextmanager
async def python_client(demo: Instance, mode: str) -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {demo.demo_key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=10, trust_env=False) as http:
        transport = streamable_http_client(demo.mcp_url, http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


def typescript(demo: Instance, mode: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        ["node", "talk.mjs", demo.mcp_url, demo.demo_key, mode, tool, json.dumps(arguments)],
        cwd=CLIENTS,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_four_dealers(structured: Any, text: str, schema: dict[str, Any]) -> None:
    jsonschema_rs.validate(schema, structured)
    assert structured["dealers"][0]["name"] == "Arena Hinjewadi"
    assert structured["total"] == len(structured["dealers"]) == 4
    assert json.loads(text) == structured


def assert_arguments_refused(text: str, meta: dict[str, Any]) -> None:
    """A tool result that a model can mend its arguments from, and a program too."""
    error = meta["io.bascule/error"]
    assert text.startswith("E2002: The arguments do not fit get_nearby_dealers: ")
    assert "did you mean 'radius_km'?" in text
    assert error["code"] == "E2002"
    assert error["correlation_id"]
    assert [one["path"] for one in error["details"]["violations"]] == ["/city", ""]


@both_eras
async def test_the_python_client_lists_the_tools_and_finds_the_dealers(
    demo: Instance, mode: str
) -> None:
    async with python_client(demo, mode) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("get_nearby_dealers", {"city": "Pune"})

        assert client.protocol_version == NEGOTIATED[mode]
        assert client.server_info is not None
        assert client.server_info.name == "Bascule"
    assert [tool.name for tool in tools] == TOOLS
    (schema,) = [tool.output_schema for tool in tools if tool.name == "get_nearby_dealers"]
    assert not result.is_error
    assert_four_dealers(result.structured_content, result.content[0].text, schema)


@both_eras
async def test_the_python_client_is_told_what_an_unknown_tool_may_have_meant(
    demo: Instance, mode: str
) -> None:
    async with python_client(demo, mode) as client:
        with pytest.raises(MCPError) as refused:
            await client.call_tool("get_nearby_dealrs", {})

    error = refused.value.error
    assert (error.code, error.message) == (-32602, DID_YOU_MEAN)
    assert error.data["code"] == "E3001"
    assert error.data["details"] == {"did_you_mean": "get_nearby_dealers"}


@both_eras
async def test_the_python_client_is_told_which_arguments_are_wrong(
    demo: Instance, mode: str
) -> None:
    async with python_client(demo, mode) as client:
        result = await client.call_tool("get_nearby_dealers", WRONG_ARGUMENTS)

    assert result.is_error
    assert_arguments_refused(result.content[0].text, result.meta)


async def test_the_python_client_goes_on_after_a_refusal(demo: Instance) -> None:
    async with python_client(demo, "legacy") as client:
        refused = await client.call_tool("resolve_customer", {"mobile": "9999999999"})
        found = await client.call_tool("resolve_customer", {"mobile": "9876543210"})

    assert refused.is_error
    assert "No customer has this mobile number" in refused.content[0].text
    assert found.structured_content["name"] == "Rahul Sharma"


@both_eras
def test_the_typescript_client_lists_the_tools_and_finds_the_dealers(
    demo: Instance, mode: str
) -> None:
    seen = typescript(demo, mode, "get_nearby_dealers", {"city": "Pune"})

    assert seen["version"] == NEGOTIATED[mode]
    assert seen["tools"] == TOOLS
    with demo.api() as admin:
        schema = admin.get("/api/admin/tools/get_nearby_dealers").json()["output_schema"]
    result = seen["result"]
    assert_four_dealers(result["structuredContent"], result["content"][0]["text"], schema)


@both_eras
def test_the_typescript_client_is_told_what_an_unknown_tool_may_have_meant(
    demo: Instance, mode: str
) -> None:
    error = typescript(demo, mode, "get_nearby_dealrs", {})["error"]

    assert error["code"] == -32602
    assert DID_YOU_MEAN in error["message"]
    assert error["data"]["code"] == "E3001"


@both_eras
def test_the_typescript_client_is_told_which_arguments_are_wrong(demo: Instance, mode: str) -> None:
    result = typescript(demo, mode, "get_nearby_dealers", WRONG_ARGUMENTS)["result"]

    assert result["isError"] is True
    assert_arguments_refused(result["content"][0]["text"], result["_meta"])

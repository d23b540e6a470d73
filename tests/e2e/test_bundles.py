"""A virtual server is put together from the shell, and used by the official client."""

import asyncio
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from fakes.instances import Finished, Instance, bascule

DESK = "/mcp/bundles/pune-desk"


def admin(demo: Instance, *command: str) -> Finished:
    ended = bascule(*command, "--url", demo.url, "--key", demo.admin_key, "-o", "json")
    assert ended.code == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def desk(demo: Instance) -> str:
    """The key of somebody who may use the desk, and nothing else."""
    admin(demo, "bundles", "create", "pune-desk", "--owner", "crm")
    city = ("get_nearby_dealers", "city=Pune", "--as", "dealers_in_pune")
    admin(demo, "bundles", "add", "pune-desk", *city, "--description", "Dealers in Pune.")
    rule = ("policy", "allow", "clerks at the desk", "--role", "operator")
    admin(demo, *rule, "--bundle", "pune-desk")
    made = admin(demo, "keys", "create", "--name", "clerk", "--role", "operator")
    return made.value["key"]


class Client:
    """The official client at one endpoint, a session for each use."""

    def __init__(self, demo: Instance, key: str, path: str, **headers: str) -> None:
        self._url = f"{demo.url}{path}"
        self._headers = {"Authorization": f"Bearer {key}", **headers}

    def tools(self) -> dict[str, Any]:
        async def work(session: ClientSession) -> dict[str, Any]:
            return {one.name: one for one in (await session.list_tools()).tools}

        return asyncio.run(self._with_session(work))

    def call(self, name: str, **arguments: object) -> Any:
        async def work(session: ClientSession) -> Any:
            return await session.call_tool(name, arguments)

        return asyncio.run(self._with_session(work))

    async def _with_session(self, work: Any) -> Any:
        async with (
            asyncio.timeout(20),
            create_mcp_http_client(headers=self._headers) as http,
            streamable_http_client(self._url, http_client=http) as streams,
            ClientSession(*streams) as session,
        ):
            await session.initialize()
            return await work(session)


def test_a_client_sees_the_tool_as_the_bundle_shows_it(demo: Instance, desk: str) -> None:
    tool = Client(demo, desk, DESK).tools()["dealers_in_pune"]
    assert tool.description == "Dealers in Pune."
    assert "city" not in tool.input_schema["properties"]
    assert Client(demo, demo.admin_key, "/mcp/bundles/service-booking").tools().keys() >= {
        "get_nearby_dealers"
    }


def test_a_call_gets_what_is_fixed_and_nobody_else_sets_it(demo: Instance, desk: str) -> None:
    client = Client(demo, desk, DESK)
    found = client.call("dealers_in_pune", service_type="regular")
    assert {one["city"] for one in found.structured_content["dealers"]} == {"Pune"}
    refused = client.call("dealers_in_pune", service_type="regular", city="Mumbai")
    assert refused.is_error
    assert "'city' is no argument of this tool" in refused.content[0].text


def test_a_release_stays_while_the_bundle_goes_on(demo: Instance, desk: str) -> None:
    admin(demo, "bundles", "release", "pune-desk", "1.0.0")
    admin(demo, "bundles", "add", "pune-desk", "get_booking_status")
    admin(demo, "bundles", "release", "pune-desk", "1.1.0")
    key = demo.admin_key
    both = {"dealers_in_pune", "get_booking_status"}
    assert Client(demo, key, DESK).tools().keys() == both
    assert Client(demo, key, f"{DESK}@1.0").tools().keys() == {"dealers_in_pune"}
    assert Client(demo, key, f"{DESK}@1").tools().keys() == both
    header = {"X-MCP-Bundle-Version": "1.0.0"}
    assert Client(demo, key, DESK, **header).tools().keys() == {"dealers_in_pune"}
    admin(demo, "bundles", "rollback", "pune-desk", "1.0.0")
    assert Client(demo, key, DESK).tools().keys() == {"dealers_in_pune"}


def test_records_know_the_tool_by_its_own_name(demo: Instance, desk: str) -> None:
    Client(demo, demo.admin_key, DESK).call("dealers_in_pune", service_type="regular")
    records = admin(demo, "audit", "tail").value
    shown = [one for one in records if one.get("metadata", {}).get("shown_as")]
    assert {(one["tool_name"], one["tool_version"]) for one in shown} == {
        ("get_nearby_dealers", "1.0.0")
    }
    assert shown[-1]["metadata"]["bundle"] == "pune-desk"


def test_a_role_may_be_given_the_narrowed_tool_alone(demo: Instance, desk: str) -> None:
    assert Client(demo, desk, DESK).tools().keys() == {"dealers_in_pune"}
    assert Client(demo, desk, "/mcp/bundles/service-booking").tools() == {}

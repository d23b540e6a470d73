"""Small valid values to start from; tests change what they are about."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.tool import (
    Bundle,
    McpSource,
    ParameterLocation,
    RestBody,
    RestParameter,
    RestSource,
    Tool,
    Upstream,
    UpstreamKind,
)
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams

BOOKING = Upstream("booking-api", UpstreamKind.REST, url="http://127.0.0.1:8080")
WEATHER = Upstream(
    "weather", UpstreamKind.MCP_STDIO, command=("weather", "--metric"), headers=(("X-A", "1"),)
)
SOURCE = RestSource(
    upstream="booking-api",
    method="PUT",
    path="/v1/enquiries/{id}/status",
    parameters=(RestParameter("id", "id", ParameterLocation.PATH, "simple", explode=False),),
    body=RestBody("application/json", {"status": "status"}, required=True),
)
RELAYED = McpSource(upstream="weather", name="forecast")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "status": {"type": "string"}},
    "required": ["id"],
    "additionalProperties": False,
}


def a_tool(name: str = "update_enquiry_status", **changes: Any) -> Tool:
    """A tool of the bundle `service-booking`, active unless told otherwise."""
    fields: dict[str, Any] = {
        "name": name,
        "description": f"What {name} does.",
        "bundle": "service-booking",
        "source": SOURCE,
        "input_schema": SCHEMA,
        **changes,
    }
    return Tool(**fields)


async def add_tools(session: AsyncSession, tenant_id: TenantId, tools: Sequence[Tool]) -> None:
    """Store tools, and the bundles and upstreams they need."""
    for name in sorted({tool.bundle for tool in tools}):
        await Bundles(session, tenant_id).get_or_create(Bundle(name))
    for upstream in (BOOKING, WEATHER):
        await Upstreams(session, tenant_id).upsert(upstream)
    await Tools(session, tenant_id).upsert_many(tools)

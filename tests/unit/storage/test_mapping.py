"""Tools, bundles, upstreams and rules come back from their rows as they went in."""

import msgspec
import pytest
from sqlalchemy import text

from bascule.gateway.tool import RiskLevel, Tool, ToolStatus
from bascule.storage.database import Database
from bascule.storage.errors import StorageError
from bascule.storage.mapping import newest, rank
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams
from bascule.storage.tables import ToolRow
from bascule.storage.tenancy import across_tenants
from contract.storage.samples import (
    BOOKING,
    RELAYED,
    SCHEMA,
    WEATHER,
    a_tool,
    add_tools,
)

_FULL = a_tool(
    "everything",
    title="Everything",
    output_schema={"type": "object"},
    version="2.1.0",
    risk=RiskLevel.PRIVILEGED,
    status=ToolStatus.DRAFT,
    tags=("bookings", "é"),
    domain="service",
    owner="crm",
    examples=({"id": "7"}, {"nested": {"list": [1, 2.5, None, True]}}),
    idempotent=True,
    timeout_seconds=2.5,
)


async def _round_trip(database: Database, tenant: TenantId, tool: Tool) -> Tool:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [tool])
    async with database.read() as session:
        return (await Tools(session, tenant).get(tool.name)).tool


@pytest.mark.parametrize("tool", [a_tool(), _FULL], ids=["plain", "full"])
async def test_a_tool_comes_back_as_it_was_with_its_definition(
    database: Database, tenant: TenantId, tool: Tool
) -> None:
    found = await _round_trip(database, tenant, tool)
    assert found.definition
    for field in Tool.__dataclass_fields__:
        if field != "definition":
            assert getattr(found, field) == getattr(tool, field), field


async def test_a_definition_is_the_mcp_tool_with_its_annotations(
    database: Database, tenant: TenantId
) -> None:
    found = await _round_trip(database, tenant, _FULL)
    assert msgspec.json.decode(found.definition) == {
        "name": "everything",
        "title": "Everything",
        "description": "What everything does.",
        "inputSchema": SCHEMA,
        "outputSchema": {"type": "object"},
        "annotations": {
            "readOnlyHint": False,
            "destructiveHint": True,
            "idempotentHint": True,
        },
    }


@pytest.mark.parametrize(
    ("risk", "read_only", "destructive"),
    [
        (RiskLevel.READ, True, False),
        (RiskLevel.WRITE, False, False),
        (RiskLevel.PRIVILEGED, False, True),
    ],
)
async def test_annotations_follow_the_risk(
    database: Database, tenant: TenantId, risk: RiskLevel, read_only: bool, destructive: bool
) -> None:
    found = await _round_trip(database, tenant, a_tool(risk=risk))
    annotations = msgspec.json.decode(found.definition)["annotations"]
    assert annotations["readOnlyHint"] is read_only
    assert annotations["destructiveHint"] is destructive


async def test_a_relayed_tool_keeps_its_definition_to_the_byte(
    database: Database, tenant: TenantId
) -> None:
    definition = b'{ "name": "forecast",  "inputSchema": {}, "x": 1.50 }'
    relayed = a_tool("forecast", source=RELAYED, input_schema={}, definition=definition)
    found = await _round_trip(database, tenant, relayed)
    assert found.definition == definition
    assert found.source == RELAYED


async def test_a_rest_tool_never_keeps_a_definition_from_elsewhere(
    database: Database, tenant: TenantId
) -> None:
    found = await _round_trip(database, tenant, a_tool(definition=b'{"name": "other"}'))
    assert msgspec.json.decode(found.definition)["name"] == "update_enquiry_status"


@pytest.mark.parametrize("upstream", [BOOKING, WEATHER], ids=["rest", "stdio"])
async def test_an_upstream_comes_back_as_it_was(
    database: Database, tenant: TenantId, upstream: object
) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [])
    async with database.read() as session:
        stored = [found.upstream for found in await Upstreams(session, tenant).list()]
    assert upstream in stored


async def test_a_tool_that_cannot_be_read_is_named(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("odd")])
        async with across_tenants(session, "by hand"):
            await session.execute(text("UPDATE tools SET risk_level = 'whatever'"))
    async with database.read() as session:
        with pytest.raises(StorageError, match=r"Tool odd 1\.0\.0 cannot be read.*whatever"):
            await Tools(session, tenant).get("odd")


async def test_a_policy_that_cannot_be_read_is_named(database: Database, tenant: TenantId) -> None:
    statement = (
        "INSERT INTO policies (id, tenant_id, name, description, type, rules, priority, "
        "is_active, created_at, updated_at) SELECT id, id, 'odd', '', 'rbac', '{}', 0, "
        "is_active, created_at, updated_at FROM tenants"
    )
    async with database.change(author="t") as session, across_tenants(session, "by hand"):
        await session.execute(text(statement))
    async with database.read() as session:
        with pytest.raises(StorageError, match="Policy odd cannot be read"):
            await Policies(session, tenant).list()


def test_callers_get_active_before_deprecated_before_the_rest_and_then_the_newest() -> None:
    rows = [
        ToolRow(version="3.0.0", status="draft"),
        ToolRow(version="2.0.0", status="deprecated"),
        ToolRow(version="1.10.0", status="active"),
        ToolRow(version="1.9.0", status="active"),
        ToolRow(version="9.0.0", status="no such status"),
    ]
    ordered = sorted(rows, key=rank, reverse=True)
    assert [row.version for row in ordered] == ["1.10.0", "1.9.0", "2.0.0", "9.0.0", "3.0.0"]
    assert newest(rows).version == "9.0.0"

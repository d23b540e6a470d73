"""Tools read in bulk are what is read of them one by one."""

from typing import Any

import pytest
from sqlalchemy import text

from bascule.gateway.documents import JsonDocument
from bascule.gateway.tool import GrpcSource, RestSource, RiskLevel, Tool, ToolStatus
from bascule.storage.database import Database
from bascule.storage.errors import StorageError
from bascule.storage.reading import ToolReader, ToolRecord, select_records
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tools import Tools
from bascule.storage.tenancy import across_tenants
from contract.storage.samples import RELAYED, a_tool, add_tools

FULL: dict[str, Any] = {
    "title": "Everything",
    "output_schema": {"type": "object", "properties": {"é": {"type": "string"}}},
    "version": "2.1.0",
    "risk": RiskLevel.PRIVILEGED,
    "status": ToolStatus.DEPRECATED,
    "tags": ("bookings", "é"),
    "domain": "service",
    "owner": "crm",
    "examples": ({"id": "7"}, {"nested": {"list": [1, 2.5, None, True]}}),
    "idempotent": True,
    "timeout_seconds": 2.5,
    "cache_seconds": 60.0,
}
RELAYED_FIELDS: dict[str, Any] = {
    "source": RELAYED,
    "input_schema": {"type": "object"},
    "definition": b'{ "name": "forecast",  "inputSchema": {}, "x": 1.50 }',
}


async def read_both(
    database: Database, tenant: TenantId, tool: Tool, spoil: str = ""
) -> tuple[Tool, Tool]:
    """The tool as it is read in bulk, and by itself."""
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [tool])
        if spoil:
            async with across_tenants(session, "by hand"):
                await session.execute(text(f"UPDATE tools SET {spoil}"))  # noqa: S608 - of this test
    async with database.read() as session:
        async with across_tenants(session, "as the compiler does"):
            (row,) = await session.execute(select_records())
        bulk = ToolReader().read(ToolRecord(*row), tool.bundle)
        return bulk, (await Tools(session, tenant).get(tool.name)).tool


@pytest.mark.parametrize(
    "fields",
    [{}, FULL, RELAYED_FIELDS, {"source": GrpcSource("weather", "a.B", "C")}],
    ids=["plain", "full", "relayed", "grpc"],
)
async def test_a_tool_read_in_bulk_is_the_tool(
    database: Database, tenant: TenantId, fields: dict[str, Any]
) -> None:
    bulk, alone = await read_both(database, tenant, a_tool("t", **fields))
    assert bulk == alone
    assert bulk.definition == alone.definition


async def test_schemas_stay_text_inside_the_definition(
    database: Database, tenant: TenantId
) -> None:
    bulk, _ = await read_both(database, tenant, a_tool("t", **FULL))
    assert isinstance(bulk.input_schema, JsonDocument)
    assert isinstance(bulk.output_schema, JsonDocument)
    assert bulk.input_schema.encoded in bulk.definition
    assert bulk.output_schema.encoded in bulk.definition


@pytest.mark.parametrize(
    "spoil",
    [
        "risk_level = 'whatever'",
        "status = 'whatever'",
        "source = '{}'",
        """source = '{"kind": "rest", "upstream": 1}'""",
        "input_schema = '[]'",
        "tags = '{}'",
        "examples = '[1'",
    ],
)
async def test_a_row_that_no_release_writes_is_named(
    database: Database, tenant: TenantId, engine: str, spoil: str
) -> None:
    if engine == "postgresql" and spoil.endswith("[1'"):
        return  # it refuses that itself
    with pytest.raises(StorageError, match=r"Tool odd 1\.0\.0 cannot be read"):
        await read_both(database, tenant, a_tool("odd"), spoil)


async def test_what_tools_say_alike_is_kept_once(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("a"), a_tool("b")])
    reader = ToolReader()
    async with database.read() as session:
        async with across_tenants(session, "as the compiler does"):
            rows = await session.execute(select_records())
        one, other = (reader.read(ToolRecord(*row), "service-booking") for row in rows)
    assert isinstance(one.source, RestSource)
    assert isinstance(other.source, RestSource)
    assert one.source.parameters[0] is other.source.parameters[0]

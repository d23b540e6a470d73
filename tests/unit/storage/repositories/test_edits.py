from datetime import timedelta

import pytest

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.gateway.tool import Bundle, Member, ToolStatus
from bascule.storage.database import Database
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.edits import ToolEdits
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.selections import Selections
from contract.storage.samples import a_tool, add_tools

NAME = "update_enquiry_status"


async def test_a_tool_is_made_once_in_a_version_and_in_one_bundle(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="ann") as session:
        await add_tools(session, tenant, [a_tool()])
        await Bundles(session, tenant).create(Bundle("other"))
        tools = ToolEdits(session, tenant)
        with pytest.raises(Conflict, match="exists already"):
            await tools.create(a_tool())
        with pytest.raises(Conflict, match="belongs to bundle service-booking"):
            await tools.create(a_tool(version="2.0.0", bundle="other"))
        made = await tools.create(a_tool(version="2.0.0", status=ToolStatus.DRAFT))
        assert (made.tool.version, made.created_by) == ("2.0.0", "ann")


async def test_what_is_edited_is_remembered_and_stays_through_an_import(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="ann") as session:
        await add_tools(session, tenant, [a_tool()])
        tools = ToolEdits(session, tenant)
        changed = await tools.change(NAME, None, {"owner": "crm", "risk": "privileged"})
        assert (changed.tool.owner, changed.tool.risk) == ("crm", "privileged")
        assert changed.edited == ("owner", "risk")
        again = await tools.upsert(a_tool(description="Imported anew.", owner="nobody"))
        assert (again.tool.description, again.tool.owner) == ("Imported anew.", "crm")
        newer = await tools.upsert(a_tool(version="1.1.0"))
        assert (newer.tool.owner, newer.tool.risk) == ("crm", "privileged")


async def test_an_edit_of_something_else_than_was_seen_is_a_conflict(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="ann") as session:
        await add_tools(session, tenant, [a_tool()])
        tools = ToolEdits(session, tenant)
        seen = (await tools.get(NAME)).updated_at
        with pytest.raises(Conflict, match="changed meanwhile"):
            await tools.change(NAME, None, {"owner": "x"}, seen - timedelta(seconds=1))
        assert (await tools.change(NAME, None, {"owner": "x"}, seen)).tool.owner == "x"


async def test_a_tool_is_switched_but_not_out_of_quarantine(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="ann") as session:
        await add_tools(session, tenant, [a_tool(), a_tool("held", status=ToolStatus.QUARANTINED)])
        tools = ToolEdits(session, tenant)
        for status in (ToolStatus.INACTIVE, ToolStatus.DEPRECATED, ToolStatus.ACTIVE):
            assert (await tools.switch(NAME, None, status)).tool.status is status
        with pytest.raises(Conflict, match="by approval only"):
            await tools.switch("held", None, ToolStatus.INACTIVE)
        with pytest.raises(NotFound, match="Did you mean held"):
            await tools.switch("heldd", None, ToolStatus.INACTIVE)


async def test_a_borrowed_tool_loses_a_version_but_not_its_last(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="ann") as session:
        await add_tools(session, tenant, [a_tool(), a_tool(version="1.1.0")])
        desk = await Bundles(session, tenant).create(Bundle("desk"))
        await Selections(session, tenant).add(desk.id, Member(NAME))
        tools = ToolEdits(session, tenant)
        assert await tools.remove(NAME, "1.0.0") == 1
        for version in (None, "1.1.0"):
            with pytest.raises(Conflict, match="Bundle desk borrows"):
                await tools.remove(NAME, version)
        await Selections(session, tenant).remove(desk.id, NAME)
        assert await tools.remove(NAME, None) == 1


async def test_a_field_that_does_not_fit_is_refused(database: Database, tenant: TenantId) -> None:
    async with database.change(author="ann") as session:
        await add_tools(session, tenant, [a_tool()])
    async with database.change(author="ann") as session:
        with pytest.raises(InvalidValue, match="at most 100"):
            await ToolEdits(session, tenant).change(NAME, None, {"owner": "x" * 101})
        await session.rollback()

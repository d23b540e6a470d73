"""Tools are stored by name and version, found, published and deleted."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import integers, sampled_from, text

from bascule.catalogue.planning import Plan
from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.gateway.tool import Bundle, RestSource, ToolStatus
from bascule.storage.database import Database
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.imports import ImportDraft, Imports
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.tools import ToolFilter, Tools
from contract.storage.samples import SCHEMA, a_tool, add_tools

# The database is set up once and read by every example.
_READS_ONLY = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def _import(bundle: str) -> ImportDraft:
    plan = Plan((), (), ())
    return ImportDraft("s", "1", bundle, "booking-api", "http://h", b"{}", plan, is_in_use=True)


async def _found(database: Database, tenant: TenantId, filters: ToolFilter) -> list[str]:
    async with database.read() as session:
        page = await Tools(session, tenant).list(filters)
    assert page.total == len(page.items)
    return [stored.tool.name for stored in page.items]


async def test_storing_again_changes_everything_but_the_status(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="asha") as session:
        await add_tools(session, tenant, [a_tool("t", status=ToolStatus.DRAFT)])
        await Tools(session, tenant).publish("t")
        before = await Tools(session, tenant).get("t")
    changed = a_tool("t", status=ToolStatus.DRAFT, description="New.", tags=("x",), input_schema={})
    async with database.change(author="ravi") as session:
        after = await Tools(session, tenant).upsert(changed)
    assert after.tool.description == "New."
    assert (after.tool.tags, after.tool.input_schema) == (("x",), {})
    assert after.tool.status is ToolStatus.ACTIVE
    assert (after.id, after.created_by) == (before.id, "asha")
    assert after.updated_at > before.updated_at


async def test_storing_the_same_changes_nothing(database: Database, tenant: TenantId) -> None:
    stored: list[object] = []
    for _ in range(2):
        async with database.change(author="t") as session:
            await add_tools(session, tenant, [a_tool("t")])
            stored.append(await Tools(session, tenant).upsert(a_tool("t")))
    assert stored[0] == stored[1]


async def test_versions_live_side_by_side(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("t", version=v) for v in ("1.9.0", "1.10.0")])
        tools = Tools(session, tenant)
        await tools.upsert(a_tool("t", version="2.0.0", status=ToolStatus.DRAFT))
        assert (await tools.get("t")).tool.version == "1.10.0"
        assert (await tools.get("t", "1.9.0")).tool.version == "1.9.0"
        assert (await tools.publish("t")).tool.version == "2.0.0"
        assert (await tools.get("t")).tool.version == "2.0.0"
        assert await tools.delete("t", "2.0.0") == 1
        assert await tools.delete("t") == 2
        with pytest.raises(NotFound, match="no tool named t"):
            await tools.get("t")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"bundle": "nowhere"}, "no bundle named nowhere"),
        ({"source": RestSource("nobody", "GET", "/")}, "no upstream named nobody"),
        ({"name": "x" * 101}, "tool name has 101 characters"),
        ({"source": RestSource("booking-api", "GET", "/" * 501)}, "path has 501 characters"),
        ({"input_schema": {"title": "\0"}}, "NUL"),
    ],
)
async def test_a_tool_that_cannot_be_stored_is_refused_by_what_is_wrong(
    database: Database, tenant: TenantId, changes: dict[str, object], complaint: str
) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("other")])
    with pytest.raises(InvalidValue, match=complaint):
        async with database.change(author="t") as session:
            await Tools(session, tenant).upsert(a_tool(**{"name": "t", **changes}))  # type: ignore[arg-type]
    assert await _found(database, tenant, ToolFilter()) == ["other"]


async def test_publishing_makes_active_and_twice_is_once(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("t", status=ToolStatus.DRAFT)])
        tools = Tools(session, tenant)
        first = await tools.publish("t")
        assert first.tool.status is ToolStatus.ACTIVE
        assert await tools.publish("t", "1.0.0") == first
        for missing in (("nobody", None), ("t", "7.0.0")):
            with pytest.raises(NotFound, match="There is no"):
                await tools.publish(*missing)


async def test_a_quarantined_tool_is_not_published_but_looked_at(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("t", status=ToolStatus.QUARANTINED)])
        tools = Tools(session, tenant)
        with pytest.raises(Conflict, match="Review the change"):
            await tools.publish("t")
        approved = await tools.set_status("t", ToolStatus.ACTIVE)
    assert approved.tool.status is ToolStatus.ACTIVE


async def test_tools_are_found_by_bundle_status_and_both(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        tools = [
            a_tool("a"),
            a_tool("b", status=ToolStatus.DRAFT),
            a_tool("c", bundle="sales", status=ToolStatus.DRAFT),
        ]
        await add_tools(session, tenant, tools)
    draft = ToolStatus.DRAFT
    assert await _found(database, tenant, ToolFilter()) == ["a", "b", "c"]
    assert await _found(database, tenant, ToolFilter(bundle="sales")) == ["c"]
    assert await _found(database, tenant, ToolFilter(status=draft)) == ["b", "c"]
    both = ToolFilter(bundle="service-booking", status=draft)
    assert await _found(database, tenant, both) == ["b"]
    assert await _found(database, tenant, ToolFilter(bundle="nowhere")) == []


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("BOOK", ["create_booking", "slots"]),
        ("100%", ["discount"]),
        ("00%", ["discount"]),
        ("%", []),
        ("_", ["create_booking"]),
        (":\\p", ["slashes"]),
        ("\\", []),
        ("'; DROP TABLE tools; --", []),
        ("", ["create_booking", "discount", "slashes", "slots"]),
        ("x" * 3000, []),
    ],
)
async def test_search_takes_what_is_typed_literally_in_name_and_description(
    database: Database, tenant: TenantId, search: str, names: list[str]
) -> None:
    async with database.change(author="t") as session:
        tools = [
            a_tool("create_booking", description="Makes one."),
            a_tool("slots", description="Free times for a Booking."),
            a_tool("discount", description="Up to 100% off."),
            a_tool("slashes", description="C:\\path"),
        ]
        await add_tools(session, tenant, tools)
    assert await _found(database, tenant, ToolFilter(search=search)) == names


async def test_pages_hold_every_tool_exactly_once(database: Database, tenant: TenantId) -> None:
    names = [f"tool-{number}" for number in range(13)]
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool(n, version=v) for n in names for v in ("1", "2")])
    for limit in (1, 2, 5, 13, 25, 26, 27, 500):
        async with database.read() as session:
            tools, seen, page = Tools(session, tenant), [], 1
            while items := (found := await tools.list(page=page, limit=limit)).items:
                assert found.total == 26
                assert len(items) <= limit
                seen += [(stored.tool.name, stored.tool.version) for stored in items]
                page += 1
        assert seen == [(name, version) for name in sorted(names) for version in ("1", "2")]


@_READS_ONLY
@given(page=integers(1, 40), limit=integers(1, 40))
async def test_any_page_is_a_slice_of_the_whole(
    database: Database, tenant: TenantId, page: int, limit: int
) -> None:
    names = [f"tool-{number:02}" for number in range(31)]
    async with database.read() as session:
        missing = (await Tools(session, tenant).list()).total == 0
    if missing:
        async with database.change(author="t") as session:
            await add_tools(session, tenant, [a_tool(name) for name in names])
    async with database.read() as session:
        found = await Tools(session, tenant).list(page=page, limit=limit)
    start = (page - 1) * limit
    assert [stored.tool.name for stored in found.items] == names[start : start + limit]
    assert (found.total, found.page, found.limit) == (31, page, limit)


@_READS_ONLY
@given(
    search=text(max_size=8) | text(alphabet="%_\\'\"/ab", max_size=6) | sampled_from(["a%", "\0"])
)
async def test_no_search_text_breaks_the_query(
    database: Database, tenant: TenantId, search: str
) -> None:
    try:
        assert await _found(database, tenant, ToolFilter(search=search)) == []
    except InvalidValue:
        assert "\0" in search


async def test_a_page_that_makes_no_sense_is_refused(database: Database, tenant: TenantId) -> None:
    async with database.read() as session:
        for page, limit in ((0, 20), (1, 0), (1, 501)):
            with pytest.raises(InvalidValue):
                await Tools(session, tenant).list(page=page, limit=limit)


async def test_a_tool_remembers_the_document_it_came_from(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("t")])
        spec = await Imports(session, tenant).add(_import("service-booking"))
        imported = await Tools(session, tenant).upsert(a_tool("t"), spec_id=spec.id)
        edited = await Tools(session, tenant).upsert(a_tool("t", title="Edited"))
    assert imported.spec_id == edited.spec_id == spec.id


async def test_a_document_of_another_tenant_cannot_be_named(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        other = (await Tenants(session).create("other")).id
        await Bundles(session, other).create(Bundle("b"))
        theirs = await Imports(session, other).add(_import("b"))
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("t")])
    with pytest.raises(Conflict):
        async with database.change(author="t") as session:
            await Tools(session, tenant).upsert(a_tool("t"), spec_id=theirs.id)


async def test_more_tools_than_one_query_can_name_are_stored_and_updated(
    database: Database, tenant: TenantId
) -> None:
    tools = [a_tool(f"tool-{number:04}", input_schema=SCHEMA) for number in range(1100)]
    async with database.change(author="t") as session:
        await add_tools(session, tenant, tools)
    async with database.change(author="t") as session:
        again = [replace(tool, title="T") for tool in tools]
        stored = await Tools(session, tenant).upsert_many(again)
        page = await Tools(session, tenant).list(limit=1)
    assert page.total == len(tools)
    assert [each.tool.title for each in stored] == ["T"] * len(tools)

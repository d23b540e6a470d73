"""What is found is what plain Python would find, best first, whatever is typed."""

import re
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.errors import InvalidValue
from bascule.gateway.tool import Bundle, RiskLevel, Tool, ToolStatus
from bascule.storage.database import Database
from bascule.storage.repositories import finding as room
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.finding import Finder, ToolFilter
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.tools import Tools
from bascule.storage.schema import migrate
from bascule.storage.seed import seed_defaults
from bascule.storage.tables import ToolRow
from contract.storage.samples import a_tool, add_tools

READS_ONLY = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
TOOLS = (
    a_tool("get_customer", description="By number.", tags=("crm", "pii"), domain="sales"),
    a_tool("getCustomerById", description="CamelCase.", tags=("crm",), owner="team-1"),
    a_tool("customer", description="The very name.", bundle="sales", status=ToolStatus.DRAFT),
    a_tool("customers_list", description="Begins with it.", risk=RiskLevel.PRIVILEGED),
    a_tool("orders", description="Orders of a CUSTOMER.", title="Zebra crossing", owner="team-1"),
    a_tool(
        "discount", description='Up to 100% off; "quoted", it\'s C:\\path or a_b.', tags=("a%",)
    ),
    a_tool("orders", version="2.0.0", description="Newer ones.", tags=("x" * 300,)),
)


async def stored(database: Database, tenant: TenantId) -> None:
    async with database.read() as session:
        if (await Tools(session, tenant).list()).total:
            return
    async with database.change(author="t") as session:
        await add_tools(session, tenant, TOOLS)


async def found(
    database: Database, tenant: TenantId, filters: ToolFilter, offset: int = 0, limit: int = 100
) -> list[str]:
    async with database.read() as session:
        page = await Finder(session, tenant).find(filters, offset, limit)
        names = [await _name(session, id_) for id_ in page.ids]
    if not offset and limit >= 100:
        assert page.total == len(names)
    return names


async def _name(session: AsyncSession, id_: UUID) -> str:
    row = (await session.scalars(select(ToolRow).where(ToolRow.id == id_))).one()
    return f"{row.name} {row.version}"


def matching(query: str) -> set[str]:
    """The model: each word in name, title or description; short texts in names alone."""
    query = query.lower()
    found = having(query.split() or [query])
    parts = [part for part in re.split(r"[\s_\-./]+", query) if part]
    return found or (having(parts) if parts else set())


def having(words: Sequence[str]) -> set[str]:
    def fits(tool: Tool) -> bool:
        if all(len(word) < 3 for word in words):
            return all(word in tool.name.lower() for word in words)
        lines = "\n".join((tool.name, tool.title or "", tool.description)).lower()
        return all(word in lines for word in words)

    return {f"{tool.name} {tool.version}" for tool in TOOLS if fits(tool)}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (ToolFilter(bundle="sales"), ["customer 1.0.0"]),
        (ToolFilter(bundle="nowhere"), []),
        (ToolFilter(status=ToolStatus.DRAFT), ["customer 1.0.0"]),
        (ToolFilter(risk=RiskLevel.PRIVILEGED), ["customers_list 1.0.0"]),
        (ToolFilter(domain="sales"), ["get_customer 1.0.0"]),
        (ToolFilter(owner="team-1"), ["getCustomerById 1.0.0", "orders 1.0.0"]),
        (ToolFilter(owner="TEAM-1"), []),
        (ToolFilter(tag="crm"), ["getCustomerById 1.0.0", "get_customer 1.0.0"]),
        (ToolFilter(tag="cr"), []),
        (ToolFilter(tag="a%"), ["discount 1.0.0"]),
        (ToolFilter(tag="x" * 300), ["orders 2.0.0"]),
        (ToolFilter(tag="crm", owner="team-1"), ["getCustomerById 1.0.0"]),
        (ToolFilter(tag="crm", search="customer"), ["get_customer 1.0.0", "getCustomerById 1.0.0"]),
        (ToolFilter(search="zebra"), ["orders 1.0.0"]),
        (ToolFilter(search="zebra", owner="nobody"), []),
        (ToolFilter(search="customer", status=ToolStatus.DRAFT), ["customer 1.0.0"]),
    ],
)
async def test_filters_narrow_what_is_found_alone_and_together(
    database: Database, tenant: TenantId, filters: ToolFilter, names: list[str]
) -> None:
    await stored(database, tenant)
    assert await found(database, tenant, filters) == names


RANKED = [
    "customer 1.0.0",
    "customers_list 1.0.0",
    "get_customer 1.0.0",
    "getCustomerById 1.0.0",
    "orders 1.0.0",
]


async def test_the_best_comes_first_on_all_pages(database: Database, tenant: TenantId) -> None:
    await stored(database, tenant)
    search = ToolFilter(search="Customer")
    assert await found(database, tenant, search) == RANKED
    pages = [await found(database, tenant, search, offset, 2) for offset in (0, 2, 4, 6)]
    assert pages == [RANKED[0:2], RANKED[2:4], RANKED[4:6], []]


TYPED = [
    "cust", "CUSTOMER", "e", "_", "r_", "%", "0%", "00%", "a_b", '"', '"q', '"quoted"', "'s", "\\",
    ":\\p", "c:\\path", "by n", "orders of a", "camelcase.", "zzz", "*", "AND", "a OR b", "^name",
    "-x", "NEAR(", "search_text:cus", "customer\n",
    "customer get", "by customer", "list customers", "customers-list", "customer/get", "e r", "a.b",
    "customer id", "customer nowhere", " ", " _", "get-orders", "zebra.orders",
]  # fmt: skip


@READS_ONLY
@given(
    query=st.sampled_from(TYPED)
    | st.text(alphabet="customerid_ %\"'\\*AND", max_size=6).filter(bool)
)
async def test_whatever_is_typed_is_found_as_it_is(
    database: Database, tenant: TenantId, query: str
) -> None:
    await stored(database, tenant)
    assert set(await found(database, tenant, ToolFilter(search=query))) == matching(query)


async def test_an_engine_without_an_index_for_texts_finds_the_same(
    empty_database: Database,
) -> None:
    """SQLite without FTS5, PostgreSQL without pg_trgm."""
    await migrate(empty_database)
    async with empty_database.migration() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("DROP INDEX ix_tool_index_text"))
        else:
            for event in ("inserted", "updated", "deleted"):
                await connection.execute(text(f"DROP TRIGGER tool_text_{event}"))
            await connection.execute(text("DROP TABLE tool_text"))
    async with empty_database.change(author="t") as session:
        tenant = (await seed_defaults(session)).id
    await stored(empty_database, tenant)
    for query in TYPED:
        names = await found(empty_database, tenant, ToolFilter(search=query))
        assert set(names) == matching(query), query
    assert await found(empty_database, tenant, ToolFilter(search="Customer")) == RANKED


SLOTS = (
    a_tool("get_available_slots", description="Free times of a workshop."),
    a_tool("get_nearby_dealers", description="Dealers, the closest first; no slots."),
    a_tool("pulls_create", description="Open a pull request."),
    a_tool("dealers", description="Is any available? Slots are elsewhere."),
    a_tool("notes", description="What available slots are."),
)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("available slots", ["notes", "get_available_slots", "dealers"]),
        ("nearby dealers", ["get_nearby_dealers"]),
        ("pulls create", ["pulls_create"]),
        ("create pulls", ["pulls_create"]),
        ("create-pulls", ["pulls_create"]),
        ("pulls/create", ["pulls_create"]),
        ("slots.available", ["get_available_slots", "notes", "dealers"]),
        ("get_available_slots", ["get_available_slots"]),
        ("available_slots", ["get_available_slots"]),
        ("workshop slots", ["get_available_slots"]),
        ("is slots", ["dealers"]),
        ("pulls delete", []),
    ],
)
async def test_words_are_found_wherever_they_stand_and_the_text_as_typed_first(
    database: Database, tenant: TenantId, query: str, names: list[str]
) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, SLOTS)
    rows = await found(database, tenant, ToolFilter(search=query))
    assert [row.split()[0] for row in rows] == names
    halves = [await found(database, tenant, ToolFilter(search=query), at, 1) for at in range(4)]
    assert [row for half in halves for row in half] == rows


@pytest.mark.parametrize("query", ["\0", "abc\0", "\ud800", "abc\ud800"])
async def test_what_cannot_be_stored_cannot_be_looked_for(
    database: Database, tenant: TenantId, query: str
) -> None:
    with pytest.raises(InvalidValue):
        await found(database, tenant, ToolFilter(search=query))
    with pytest.raises(InvalidValue):
        await found(database, tenant, ToolFilter(tag=query))


@pytest.mark.parametrize("query", ["tool", "to", "number"])
async def test_among_very_many_names_that_begin_so_come_first_and_no_page_overlaps(
    database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(room, "MOST_FOUND", 12)
    names = [f"{'a' if number % 3 else 'tool'}_tool_number_{number:02}" for number in range(20)]
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool(name) for name in names])
    begin = [name for name in sorted(names) if name.startswith(query)]
    expected = [*begin, *(name for name in sorted(names) if not name.startswith(query))][:12]
    for limit in (1, 5, 12, 100):
        seen: list[str] = []
        for offset in range(0, 30, limit):
            async with database.read() as session:
                page = await Finder(session, tenant).find(ToolFilter(search=query), offset, limit)
                assert page.total == 12
                seen += [(await _name(session, id_)).split()[0] for id_ in page.ids]
        assert seen == expected


async def test_another_tenant_s_tools_are_never_found(database: Database, tenant: TenantId) -> None:
    await stored(database, tenant)
    async with database.change(author="t") as session:
        other = (await Tenants(session).create("other")).id
        await Bundles(session, other).create(Bundle("service-booking"))
    every: Sequence[ToolFilter] = (
        ToolFilter(),
        ToolFilter(search="customer"),
        ToolFilter(search="e"),
        ToolFilter(tag="crm"),
        ToolFilter(tag="crm", owner="team-1"),
        ToolFilter(bundle="service-booking"),
    )
    for filters in every:
        assert await found(database, other, filters) == []


async def test_what_changes_is_found_as_it_is_now(database: Database, tenant: TenantId) -> None:
    await stored(database, tenant)
    async with database.change(author="t") as session:
        changed = a_tool("get_customer", description="Whatever.", tags=("new",), domain="x")
        await Tools(session, tenant).upsert(changed)
        await Tools(session, tenant).delete("customer")
    assert await found(database, tenant, ToolFilter(search="By number")) == []
    assert await found(database, tenant, ToolFilter(search="whatever")) == ["get_customer 1.0.0"]
    assert await found(database, tenant, ToolFilter(tag="pii")) == []
    assert await found(database, tenant, ToolFilter(tag="new")) == ["get_customer 1.0.0"]
    assert await found(database, tenant, ToolFilter(domain="x")) == ["get_customer 1.0.0"]
    assert await found(database, tenant, ToolFilter(search="very name")) == []

"""Columns mean the same on both engines."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import StatementError

from bascule.gateway.errors import InvalidValue
from bascule.storage.database import Database, open_database
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tools import Tools
from bascule.storage.schema import migrate
from bascule.storage.tables import ApiKeyRow, RoleRow
from bascule.storage.tenancy import across_tenants
from bascule.storage.types import Name
from contract.storage.databases import fresh_postgres_database
from contract.storage.samples import a_tool, add_tools


async def test_a_moment_from_any_zone_comes_back_in_utc(
    database: Database, tenant: TenantId
) -> None:
    pune = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2031, 1, 1, 2, 3, 4, 567891, tzinfo=pune)
    draft = KeyDraft("k", b"d" * 32, "bsc_12345678", frozenset({"user"}), moment)
    async with database.change(author="t") as session:
        await Keys(session, tenant).create(draft)
    async with database.read() as session:
        (key,) = await Keys(session, tenant).list()
        later = await session.scalar(
            select(ApiKeyRow.name).where(ApiKeyRow.expires_at > moment - timedelta(microseconds=1))
        )
    assert key.expires_at == moment
    assert key.expires_at.tzinfo is UTC
    assert later == "k"


async def test_a_moment_without_a_zone_is_a_mistake(database: Database, tenant: TenantId) -> None:
    naive = datetime(2031, 1, 1)  # noqa: DTZ001 - the mistake
    draft = KeyDraft("k", b"d" * 32, "bsc_12345678", frozenset({"user"}), naive)
    with pytest.raises(StatementError, match="needs a time zone"):
        async with database.change(author="t") as session:
            await Keys(session, tenant).create(draft)


async def test_a_text_that_is_too_long_is_refused_by_name(
    database: Database, tenant: TenantId
) -> None:
    with pytest.raises(InvalidValue, match="description has 501 characters; at most 500"):
        async with database.change(author="t") as session:
            await add_tools(session, tenant, [a_tool(description="x" * 501)])


async def test_a_text_as_long_as_allowed_is_kept_whole(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("longest", description="ü" * 500)])
        stored = await Tools(session, tenant).get("longest")
    assert stored.tool.description == "ü" * 500


@pytest.mark.parametrize(
    ("description", "complaint"), [("a\0b", "NUL"), ("\ud800", "not valid Unicode")]
)
async def test_a_text_one_engine_could_not_hold_is_refused_by_both(
    database: Database, tenant: TenantId, description: str, complaint: str
) -> None:
    for change in (
        lambda session: Roles(session, tenant).create("r", description, []),
        lambda session: add_tools(session, tenant, [a_tool(description=description)]),
    ):
        with pytest.raises(InvalidValue, match=f"description .*{complaint}"):
            async with database.change(author="t") as session:
                await change(session)


async def test_names_sort_by_code_point_whatever_the_locale(
    database: Database, tenant: TenantId
) -> None:
    names = ["b", "A", "a-b", "a_b", "ab", "É", "é", "Z", "~", "10", "9"]
    async with database.change(author="t") as session:
        for name in names:
            await Roles(session, tenant).create(name, "", [])
    async with database.read() as session, across_tenants(session, "by hand"):
        found = await session.scalars(
            select(RoleRow.name).where(RoleRow.name.in_(names)).order_by(RoleRow.name)
        )
    assert list(found) == sorted(names)


async def test_postgresql_is_told_to_sort_names_so(postgres_url: str) -> None:
    # The server under test sorts by code point anyway; others do not.
    statement = (
        "SELECT table_name, collation_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name = 'name'"
    )
    async with (
        fresh_postgres_database(postgres_url) as url,
        open_database(url) as database,
    ):
        await migrate(database)
        async with database.read() as session:
            collations = dict((await session.execute(text(statement))).all())
    assert len(collations) >= 8
    assert set(collations.values()) == {"C"}
    assert Name(10, "x").load_dialect_impl(postgresql.dialect()).collation == "C"

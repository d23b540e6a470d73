"""Upstreams are added, changed, and removed once nothing needs them."""

from dataclasses import replace

import pytest

from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.database import Database
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams
from contract.storage.samples import BOOKING, WEATHER, a_tool, add_tools


async def test_an_upstream_is_added_and_then_changed(database: Database, tenant: TenantId) -> None:
    moved = replace(BOOKING, url="https://booking.example", timeout_seconds=1.5)
    async with database.change(author="t") as session:
        first = await Upstreams(session, tenant).upsert(BOOKING)
    async with database.change(author="t") as session:
        second = await Upstreams(session, tenant).upsert(moved)
    async with database.read() as session:
        found = await Upstreams(session, tenant).get("booking-api")
    assert (first.upstream, second.upstream, found.upstream) == (BOOKING, moved, moved)
    assert first.id == second.id == found.id
    assert first.created_at == found.created_at < found.updated_at


async def test_saving_an_upstream_unchanged_leaves_its_date(
    database: Database, tenant: TenantId
) -> None:
    saved: list[object] = []
    for _ in range(2):
        async with database.change(author="t") as session:
            saved.append(await Upstreams(session, tenant).upsert(WEATHER))
    assert saved[0] == saved[1]


async def test_an_upstream_that_serves_tools_stays(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("needs_it")])
    with pytest.raises(Conflict, match="still serves tools, needs_it first"):
        async with database.change(author="t") as session:
            await Upstreams(session, tenant).delete("booking-api")
    async with database.change(author="t") as session:
        await Tools(session, tenant).delete("needs_it")
        await Upstreams(session, tenant).delete("booking-api")
        assert [stored.upstream for stored in await Upstreams(session, tenant).list()] == [WEATHER]


async def test_an_upstream_nobody_added_is_not_found(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        for ask in (Upstreams.get, Upstreams.delete):
            with pytest.raises(NotFound, match="no upstream named nothing"):
                await ask(Upstreams(session, tenant), "nothing")

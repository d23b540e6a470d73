"""Upstreams are added, changed, and removed once nothing needs them."""

from dataclasses import replace

import pytest

from bascule.gateway.connector import ClientCredentials, ClientTls, Connector, Mode
from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.database import Database
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams, refuse_move
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


CONNECTED = replace(BOOKING, connector=Connector(tls=ClientTls("c", "${secret:k}")))


@pytest.mark.parametrize(
    ("upstream", "url"),
    [
        (BOOKING, "https://elsewhere.example"),
        (CONNECTED, "http://127.0.0.1:8080/v2"),
        (replace(CONNECTED, url=""), ""),
    ],
)
def test_what_has_no_credentials_or_stays_where_it_is_may_move(upstream, url: str) -> None:
    if upstream.url:
        refuse_move(upstream, url)
    else:
        with pytest.raises(Conflict):
            refuse_move(upstream, url)


@pytest.mark.parametrize(
    "upstream",
    [
        CONNECTED,
        replace(BOOKING, headers=(("X-Key", "${secret:k}"),)),
        replace(
            BOOKING,
            connector=Connector(credentials=ClientCredentials("https://t.example", "i", "${S}")),
        ),
    ],
)
@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:8080", "http://127.0.0.1:8081", "http://evil.example:8080", "x"]
)
def test_credentials_do_not_follow_to_another_origin(upstream, url: str) -> None:
    with pytest.raises(Conflict, match=r"would go to another host.*bascule upstreams set"):
        refuse_move(upstream, url)


async def test_a_connector_is_kept_as_it_was_given(database: Database, tenant: TenantId) -> None:
    connector = Connector(
        mode=Mode.MOCK,
        credentials=ClientCredentials("https://t.example", "id", "${secret:s}", "a b"),
        tls=ClientTls("${secret:c}", "${secret:k}"),
        networks=("10.0.0.0/8",),
        health_path="/health",
    )
    async with database.change(author="t") as session:
        await Upstreams(session, tenant).upsert(replace(BOOKING, connector=connector))
    async with database.read() as session:
        found = await Upstreams(session, tenant).get("booking-api")
    assert found.upstream.connector == connector

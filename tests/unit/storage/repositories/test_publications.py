"""Tools of an import move together, from one state to the next."""

import pytest

from bascule.gateway.connector import Connector
from bascule.gateway.errors import Conflict
from bascule.gateway.tool import ToolStatus, Upstream, UpstreamKind
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import Database
from bascule.storage.repositories.imports import Imports, StoredImport
from bascule.storage.repositories.publications import Publications
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams
from unit.storage.repositories.test_surveys import drafts, stored


async def versions(database: Database, tenant: TenantId, name: str) -> dict[str, str]:
    async with database.read() as session:
        found = await Tools(session, tenant).versions(name)
    return {one.tool.version: one.tool.status.value for one in found}


async def in_force(database: Database) -> dict[str, str]:
    async with database.read() as session:
        snapshot = await compile_snapshot(session)
    (view,) = snapshot.tenants.values()
    return {tool.name: tool.version for tool in view.tools.values()}


async def decide(database: Database, tenant: TenantId, action: str, one: StoredImport) -> None:
    async with database.change(author="ravi") as session:
        stored = await Imports(session, tenant).get(one.id)
        await getattr(Publications(session, tenant), action)(stored)


async def test_a_draft_is_in_nobodys_way(database: Database, tenant: TenantId) -> None:
    await stored(database, tenant, drafts("a"))
    draft = await stored(database, tenant, drafts("a", "b", description="E."), publish=False)
    assert await in_force(database) == {"a": "1.0.0"}
    assert await versions(database, tenant, "a") == {"1.1.0": "draft", "1.0.0": "active"}
    await decide(database, tenant, "discard", draft)
    assert await versions(database, tenant, "a") == {"1.0.0": "active"}


async def test_publishing_and_going_back(database: Database, tenant: TenantId) -> None:
    await stored(database, tenant, drafts("a", "gone"))
    draft = await stored(database, tenant, drafts("a", "b", description="E."), publish=False)
    await decide(database, tenant, "publish", draft)
    assert await in_force(database) == {"a": "1.1.0", "b": "1.0.0", "gone": "1.0.0"}
    assert await versions(database, tenant, "a") == {"1.1.0": "active", "1.0.0": "deprecated"}
    assert await versions(database, tenant, "gone") == {"1.0.0": "deprecated"}
    await decide(database, tenant, "roll_back", draft)
    assert await in_force(database) == {"a": "1.0.0", "gone": "1.0.0"}
    assert await versions(database, tenant, "a") == {"1.1.0": "inactive", "1.0.0": "active"}
    assert await versions(database, tenant, "gone") == {"1.0.0": "active"}


async def test_the_address_moves_when_it_is_published_and_back_with_it(
    database: Database, tenant: TenantId
) -> None:
    async def address() -> str:
        async with database.read() as session:
            return (await Upstreams(session, tenant).get("b.shop")).upstream.url

    await stored(database, tenant, drafts("a"), publish=False)
    await stored(database, tenant, drafts("b"), url="http://two", publish=False)
    assert await address() == "http://two", "nothing was published yet"
    await stored(database, tenant, drafts("c"), url="http://two")
    draft = await stored(database, tenant, drafts("c"), url="http://three", publish=False)
    assert await address() == "http://two"
    await decide(database, tenant, "publish", draft)
    assert await address() == "http://three"
    await decide(database, tenant, "roll_back", draft)
    assert await address() == "http://two"


async def test_an_import_leaves_the_connector_of_a_service_alone(
    database: Database, tenant: TenantId
) -> None:
    await stored(database, tenant, drafts("a"))
    async with database.change(author="ravi") as session:
        upstreams = Upstreams(session, tenant)
        known = (await upstreams.get("b.shop")).upstream
        mine = Upstream(**{**_fields(known), "timeout_seconds": 3.0, "connector": _CONNECTOR})
        await upstreams.upsert(mine)
    await stored(database, tenant, drafts("a", description="E."), url="http://h/v2")
    async with database.read() as session:
        found = (await Upstreams(session, tenant).get("b.shop")).upstream
    assert (found.url, found.timeout_seconds, found.connector) == ("http://h/v2", 3.0, _CONNECTOR)


_CONNECTOR = Connector(networks=("10.0.0.0/8",))


def _fields(upstream: Upstream) -> dict[str, object]:
    return {name: getattr(upstream, name) for name in Upstream.__slots__}


async def test_the_name_of_a_server_of_another_kind_is_not_taken(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="ravi") as session:
        server = Upstream("b.shop", UpstreamKind.MCP_HTTP, "http://m")
        await Upstreams(session, tenant).upsert(server)
    with pytest.raises(Conflict, match="belongs to a server of kind mcp_http"):
        await stored(database, tenant, drafts("a"))


async def test_a_quarantined_tool_is_not_published(database: Database, tenant: TenantId) -> None:
    await stored(database, tenant, drafts("a"))
    async with database.change(author="ravi") as session:
        await Tools(session, tenant).set_status("a", ToolStatus.QUARANTINED)
    with pytest.raises(Conflict, match="quarantined"):
        await stored(database, tenant, drafts("a", description="E."))


async def test_a_tool_that_was_switched_off_since_stays_off_when_going_back(
    database: Database, tenant: TenantId
) -> None:
    await stored(database, tenant, drafts("a", "b"))
    later = await stored(database, tenant, drafts("a", "b", description="E."))
    async with database.change(author="ravi") as session:
        await Tools(session, tenant).set_status("a", ToolStatus.INACTIVE, "1.1.0")
    await decide(database, tenant, "roll_back", later)
    assert await in_force(database) == {"b": "1.0.0"}


async def test_a_later_version_of_a_tool_is_not_gone_behind(
    database: Database, tenant: TenantId
) -> None:
    await stored(database, tenant, drafts("a"))
    later = await stored(database, tenant, drafts("a", description="E."))
    await stored(database, tenant, drafts("a", description="F."), publish=False)
    async with database.change(author="ravi") as session:
        await Tools(session, tenant).publish("a", "1.2.0")
    with pytest.raises(Conflict, match=r"version 1\.2\.0 in force, which came later"):
        await decide(database, tenant, "roll_back", later)


async def test_only_drafts_are_published_and_only_the_last_one_goes_back(
    database: Database, tenant: TenantId
) -> None:
    first = await stored(database, tenant, drafts("a"))
    later = await stored(database, tenant, drafts("a", description="E."))
    for action in ("publish", "discard"):
        with pytest.raises(Conflict, match="only a draft"):
            await decide(database, tenant, action, later)
    with pytest.raises(Conflict, match=f"Roll back {later.id} first"):
        await decide(database, tenant, "roll_back", first)
    draft = await stored(database, tenant, drafts("a", description="F."), publish=False)
    with pytest.raises(Conflict, match="only a published one"):
        await decide(database, tenant, "roll_back", draft)


async def test_a_version_that_was_deleted_meanwhile_is_passed_over(
    database: Database, tenant: TenantId
) -> None:
    await stored(database, tenant, drafts("a"))
    draft = await stored(database, tenant, drafts("a", "b", description="E."), publish=False)
    async with database.change(author="ravi") as session:
        await Tools(session, tenant).delete("a", "1.1.0")
    await decide(database, tenant, "publish", draft)
    assert await in_force(database) == {"a": "1.0.0", "b": "1.0.0"}
    await decide(database, tenant, "roll_back", draft)
    assert await in_force(database) == {"a": "1.0.0"}

"""Grants of one tenant; what they hold is sealed elsewhere."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import update

from bascule.gateway.errors import InvalidValue, NotFound
from bascule.gateway.secrets import SealedSecret
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.database import Database
from bascule.storage.identity_tables import UserGrantRow
from bascule.storage.repositories.grants import (
    GrantDraft,
    GrantKey,
    OAuthClients,
    StoredClient,
    UserGrants,
)
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.upstreams import Upstreams
from bascule.storage.repositories.users import UserDraft, Users

SEALED = SealedSecret("", b"n" * 12, b"sealed", "k1")
KEY = GrantKey("user|1", "notes", "https://id.example", "https://notes.example/mcp")
END = datetime(2030, 1, 1, tzinfo=UTC)
DRAFT = GrantDraft(KEY, "client", ("read", "write"), END, SEALED)


def draft_of(**changes: str) -> GrantDraft:
    return replace(DRAFT, key=replace(KEY, **changes))


async def test_a_grant_is_kept_as_it_was_given(database: Database, tenant: TenantId) -> None:
    async with database.jotting() as session:
        await UserGrants(session, tenant).put(DRAFT)
    async with database.read() as session:
        found = await UserGrants(session, tenant).find("user|1", "notes", KEY.resource)
    assert found is not None
    assert (found.key, found.client_id, found.scopes) == (KEY, "client", ("read", "write"))
    assert (found.expires_at, found.sealed, found.revision) == (END, SEALED, 1)


async def test_a_second_one_for_the_same_takes_its_place(
    database: Database, tenant: TenantId
) -> None:
    async with database.jotting() as session:
        grants = UserGrants(session, tenant)
        first = await grants.put(DRAFT)
        second = await grants.put(replace(DRAFT, scopes=("read",), expires_at=None))
        assert (first.id, second.revision, second.scopes) == (second.id, 2, ("read",))
        assert (await grants.list()).total == 1


@pytest.mark.parametrize("member", ["owner", "upstream", "issuer", "resource"])
async def test_what_differs_in_anything_is_another(
    database: Database, tenant: TenantId, member: str
) -> None:
    async with database.jotting() as session:
        grants = UserGrants(session, tenant)
        await grants.put(DRAFT)
        await grants.put(draft_of(**{member: "other"}))
        assert (await grants.list()).total == 2


async def test_of_several_issuers_the_last_to_give_counts(
    database: Database, tenant: TenantId
) -> None:
    async with database.jotting() as session:
        grants = UserGrants(session, tenant)
        await grants.put(draft_of(issuer="https://new.example"))
        await grants.put(DRAFT)
        await session.execute(
            update(UserGrantRow)
            .where(UserGrantRow.tenant_id == tenant, UserGrantRow.issuer == KEY.issuer)
            .values(updated_at=datetime(2000, 1, 1, tzinfo=UTC))
        )
        found = await grants.find("user|1", "notes", KEY.resource)
    assert found is not None
    assert found.key.issuer == "https://new.example"


async def test_only_what_was_refreshed_is_replaced(database: Database, tenant: TenantId) -> None:
    async with database.jotting() as session:
        grants = UserGrants(session, tenant)
        first = await grants.put(DRAFT)
        fresh = await grants.replace(DRAFT, first.revision)
        assert fresh is not None
        assert fresh.revision == 2
        assert await grants.replace(DRAFT, first.revision) is None, "another was faster"
        assert await grants.forget("user|1", "notes", KEY.resource) == 1
        assert await grants.replace(DRAFT, fresh.revision) is None, "it was revoked"
        assert (await grants.list()).total == 0


async def test_another_encryption_is_no_change(database: Database, tenant: TenantId) -> None:
    async with database.jotting() as session:
        grants = UserGrants(session, tenant)
        first = await grants.put(DRAFT)
        await grants.reseal(first.id, replace(SEALED, key_id="k2"))
        (found,) = await grants.all()
    assert (found.sealed.key_id, found.revision) == ("k2", 1)


async def test_lists_are_of_an_owner_or_an_upstream_and_come_in_pages(
    database: Database, tenant: TenantId
) -> None:
    async with database.jotting() as session:
        grants = UserGrants(session, tenant)
        for upstream in ("a", "b", "c"):
            for owner in ("user|1", "user|2"):
                await grants.put(draft_of(owner=owner, upstream=upstream))
        assert (await grants.list(owner="user|1")).total == 3
        assert (await grants.list(upstream="b")).total == 2
        last = await grants.list(page=3, limit=2)
        assert ([one.key.upstream for one in last.items], last.total) == (["c", "c"], 6)
        with pytest.raises(InvalidValue):
            await grants.list(page=0)


async def test_the_gateways_own_access_lists_first_then_the_oldest(
    database: Database, tenant: TenantId
) -> None:
    async with database.jotting() as session:
        grants = UserGrants(session, tenant)
        assert await grants.lender("notes") is None
        await grants.put(DRAFT)
        await grants.put(draft_of(owner="user|0"))
        assert await grants.lender("notes") == "user|1"
        await grants.put(draft_of(owner=""))
        assert await grants.lender("notes") == ""
        assert await grants.lender("mail") is None


async def test_who_is_kept_out_lends_nothing(database: Database, tenant: TenantId) -> None:
    async with database.change(author="ravi") as session:
        users, grants = Users(session, tenant), UserGrants(session, tenant)
        ann = await users.create(UserDraft("ann"))
        await grants.put(draft_of(owner=ann.owner))
        assert await grants.lender("notes") == ann.owner
        await users.set_active("ann", is_active=False)
        assert await grants.lender("notes") is None
        await grants.put(draft_of(owner="user|2"))
        assert await grants.lender("notes") == "user|2"


async def test_one_is_removed_by_whose_it_is(database: Database, tenant: TenantId) -> None:
    async with database.jotting() as session:
        grants = UserGrants(session, tenant)
        stored = await grants.put(DRAFT)
        with pytest.raises(NotFound):
            await grants.remove(stored.id, "user|2")
        with pytest.raises(NotFound):
            await grants.remove(uuid4())
        assert (await grants.remove(stored.id, "user|1")).key == KEY
        assert await grants.find("user|1", "notes", KEY.resource) is None


async def test_everything_of_an_owner_goes_at_once(database: Database, tenant: TenantId) -> None:
    async with database.jotting() as session:
        grants = UserGrants(session, tenant)
        await grants.put(DRAFT)
        await grants.put(draft_of(upstream="mail"))
        await grants.put(draft_of(owner="user|2"))
        assert await grants.forget_owner("user|1") == 2
        assert [one.key.owner for one in await grants.all()] == ["user|2"]


async def test_grants_go_with_their_server(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        upstreams, grants = Upstreams(session, tenant), UserGrants(session, tenant)
        await upstreams.upsert(Upstream("notes", UpstreamKind.MCP_HTTP, url="https://n.example"))
        await grants.put(DRAFT)
        await grants.put(draft_of(upstream="mail"))
        await upstreams.delete("notes")
        assert [one.key.upstream for one in await grants.all()] == ["mail"]


async def test_the_next_key_of_a_name_inherits_nothing(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        keys, grants = Keys(session, tenant), UserGrants(session, tenant)
        draft = KeyDraft("robot", b"d" * 32, "bsc_12345678", frozenset({"user"}))
        key = await keys.create(draft)
        await grants.put(draft_of(owner="key|robot"))
        await grants.put(draft_of(owner="key|other"))
        await keys.revoke(key.id)
        assert [one.key.owner for one in await grants.all()] == ["key|other"]


async def test_a_registration_is_kept_once_for_each_issuer(
    database: Database, tenant: TenantId
) -> None:
    async with database.jotting() as session:
        clients = OAuthClients(session, tenant)
        assert await clients.find("https://id.example") is None
        first = StoredClient("https://id.example", "one", {"method": "none"}, SEALED)
        await clients.put(first)
        second = replace(first, client_id="two", document={"method": "client_secret_basic"})
        await clients.put(second)
        await clients.put(replace(first, issuer="https://other.example"))
        assert await clients.find("https://id.example") == second
        assert [one.client_id for one in await clients.all()] == ["two", "one"]

"""People are added, found, changed, kept out and removed, with all that hangs on them."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.storage.chat_tables import ConversationRow
from bascule.storage.compiler import compile_snapshot
from bascule.storage.counter import current_version
from bascule.storage.database import Database
from bascule.storage.identity_tables import UserGrantRow, UserSessionRow
from bascule.storage.repositories.conversations import Conversations
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.users import (
    Identity,
    StoredUser,
    UserChanges,
    UserDraft,
    Users,
)
from bascule.storage.types import utc_now

_ASHA = UserDraft("asha", "Asha Rao", "asha@example.org", frozenset({"user"}), "$argon2id$kept")
_ISSUER = "https://id.example.org"


async def make(database: Database, tenant: TenantId, draft: UserDraft = _ASHA) -> StoredUser:
    async with database.change(author="ann") as session:
        return await Users(session, tenant).create(draft)


async def test_a_person_comes_back_as_added(database: Database, tenant: TenantId) -> None:
    made = await make(database, tenant)
    async with database.read() as session:
        users = Users(session, tenant)
        assert await users.get("asha") == made
        assert await users.find("asha") == made
        assert await users.find_by_id(made.id) == made
        assert await users.find("bo") is None
        assert await users.find_by_id(uuid4()) is None
    assert (made.display_name, made.email, made.roles) == (
        "Asha Rao",
        "asha@example.org",
        {"user"},
    )
    assert (made.is_active, made.created_by, made.last_sign_in_at) == (True, "ann", None)
    assert made.password_hash == "$argon2id$kept"
    assert made.password_changed_at is not None
    assert made.owner == f"user|{made.id}"
    assert "argon2" not in repr(made)
    assert "argon2" not in repr(_ASHA)


async def test_a_name_is_taken_in_whatever_case(database: Database, tenant: TenantId) -> None:
    await make(database, tenant)
    await make(database, tenant, UserDraft("Åsa Strauß"))
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        for name in ("asha", "Asha", "ASHA"):
            with pytest.raises(Conflict, match="named asha exists"):
                await users.create(UserDraft(name))
        for name in ("Åsa Strauß", "åsa strauß", "ÅSA STRAUSS"):
            with pytest.raises(Conflict, match="named Åsa Strauß exists"):
                await users.create(UserDraft(name))
        await users.create(UserDraft("Asa Strauss"))


async def test_roles_have_to_exist(database: Database, tenant: TenantId) -> None:
    await make(database, tenant)
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        with pytest.raises(InvalidValue, match=r"Unknown roles: usr\. Did you mean user"):
            await users.create(UserDraft("bo", roles=frozenset({"usr"})))
        with pytest.raises(InvalidValue, match="Unknown roles: boss"):
            await users.update("asha", UserChanges(roles=frozenset({"boss"})))


async def test_who_is_not_there_is_not_found_and_guessed(
    database: Database, tenant: TenantId
) -> None:
    await make(database, tenant)
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        with pytest.raises(NotFound, match=r"no user named ahsa\. Did you mean asha"):
            await users.get("ahsa")
        for attempt in (
            users.update("bo", UserChanges()),
            users.set_active("bo", is_active=False),
            users.delete("bo"),
            users.set_password_hash(uuid4(), None),
            users.sign_out_everywhere(uuid4()),
            users.link(uuid4(), Identity(_ISSUER, "1")),
        ):
            with pytest.raises(NotFound):
                await attempt


async def test_changes_leave_the_rest_as_it_is(database: Database, tenant: TenantId) -> None:
    made = await make(database, tenant)
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        changed = await users.update("asha", UserChanges(roles=frozenset()))
        assert (changed.roles, changed.display_name) == (frozenset(), "Asha Rao")
        changed = await users.update("asha", UserChanges(display_name="A.", email=""))
        assert (changed.display_name, changed.email, changed.roles) == ("A.", "", frozenset())
        assert changed.password_hash == made.password_hash
        assert changed.updated_at > made.updated_at


async def test_lists_are_in_pages_and_searched(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        for number in range(5):
            await users.create(UserDraft(f"user{number}", email=f"u{number}@example.org"))
        await users.create(UserDraft("100%", "Under_Score"))
        await users.set_active("user3", is_active=False)
        await users.link((await users.get("user4")).id, Identity(_ISSUER, "4"))
    async with database.read() as session:
        users = Users(session, tenant)
        page = await users.list(page=2, limit=4)
        assert ([one.name for one in page.items], page.total) == (["user3", "user4"], 6)
        assert page.items[1].identities == (Identity(_ISSUER, "4"),)
        for search, names in {
            "USER": {f"user{number}" for number in range(5)},
            "u2@": {"user2"},
            "under_s": {"100%"},
            "%": {"100%"},
            "_": {"100%"},
            "nobody": set[str](),
        }.items():
            assert {one.name for one in (await users.list(search=search)).items} == names
        assert [one.name for one in (await users.list(is_active=False)).items] == ["user3"]
        assert (await users.list(is_active=True)).total == 5
        with pytest.raises(InvalidValue, match="limit"):
            await users.list(limit=501)


async def test_an_identity_is_one_persons(database: Database, tenant: TenantId) -> None:
    asha = await make(database, tenant)
    bo = await make(database, tenant, UserDraft("bo"))
    one, two = Identity(_ISSUER, "1"), Identity("https://other.example.org", "1")
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        for _ in range(2):
            await users.link(asha.id, one)
        await users.link(bo.id, two)
        with pytest.raises(Conflict, match="calls asha 1 already"):
            await users.link(bo.id, one)
        with pytest.raises(InvalidValue):
            await users.link(bo.id, Identity("", "1"))
        assert (await users.get("asha")).identities == (one,)
    async with database.read() as session:
        users = Users(session, tenant)
        found = await users.find_by_identity(_ISSUER, "1")
        assert found is not None
        assert found.id == asha.id
        assert await users.find_by_identity(_ISSUER, "2") is None
        people = (await compile_snapshot(session)).tenants["default"].people
    assert people[_ISSUER, "1"].name == people["", str(asha.id)].name == "asha"


async def test_an_identity_is_forgotten_and_ends_what_it_opened(
    database: Database, tenant: TenantId
) -> None:
    asha = await make(database, tenant)
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        await users.link(asha.id, Identity(_ISSUER, "1"))
        await users.unlink(asha.id, Identity(_ISSUER, "1"))
        after = await users.get("asha")
        assert after.identities == ()
        assert after.signed_out_at is not None
        with pytest.raises(NotFound, match="asha is not 1 of"):
            await users.unlink(asha.id, Identity(_ISSUER, "1"))


async def test_a_persons_identities_are_given_with_since_when(
    database: Database, tenant: TenantId
) -> None:
    asha, bo = await make(database, tenant), await make(database, tenant, UserDraft("bo"))
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        for subject in ("2", "1"):
            await users.link(asha.id, Identity(_ISSUER, subject))
        await users.link(bo.id, Identity(_ISSUER, "3"))
        found = await users.identities(asha.id)
    assert [one.identity.subject for one in found] == ["1", "2"]
    assert all(one.linked_at.tzinfo is not None for one in found)


async def test_grants_end_with_the_identity_and_nobody_elses_do(
    database: Database, tenant: TenantId
) -> None:
    asha, bo = await make(database, tenant), await make(database, tenant, UserDraft("bo"))
    identity = Identity(_ISSUER, "1")
    async with database.change(author="t") as session:
        await Users(session, tenant).link(asha.id, identity)
        for user in (asha, bo):
            session.add(_grant(tenant, user))
    async with database.change(author="t") as session:
        await Users(session, tenant).unlink(asha.id, identity)
        owners = await session.scalars(
            select(UserGrantRow.owner).where(UserGrantRow.tenant_id == tenant)
        )
        assert owners.all() == [bo.owner]


async def test_a_sign_in_is_noted_without_counting_as_a_change(
    database: Database, tenant: TenantId
) -> None:
    asha = await make(database, tenant)
    moment = datetime(2026, 7, 1, tzinfo=UTC)
    async with database.read() as session:
        before = await current_version(session)
    async with database.jotting() as session:
        await Users(session, tenant).note_sign_in(asha.id, moment)
    async with database.read() as session:
        after = await Users(session, tenant).get("asha")
        assert await current_version(session) == before
    assert (after.last_sign_in_at, after.updated_at) == (moment, asha.updated_at)


async def test_a_password_is_set_and_taken_away(database: Database, tenant: TenantId) -> None:
    asha = await make(database, tenant)
    for kept in ("$argon2id$new", None):
        async with database.change(author="t") as session:
            await Users(session, tenant).set_password_hash(asha.id, kept)
        async with database.read() as session:
            after = await Users(session, tenant).get("asha")
        assert after.password_hash == kept
        assert asha.password_changed_at is not None
        assert after.password_changed_at is not None
        assert after.password_changed_at > asha.password_changed_at


async def open_session(database: Database, tenant: TenantId, user: StoredUser) -> None:
    async with database.change(author="t") as session:
        await Users(session, tenant).find("asha")
        expires_at = datetime.now(UTC) + timedelta(hours=1)
        session.add(
            UserSessionRow(
                tenant_id=tenant, user_id=user.id, digest=user.id.bytes * 2, expires_at=expires_at
            )
        )


async def sessions_of(database: Database, tenant: TenantId) -> list[bool]:
    """For each session whether it goes on."""
    async with database.read() as session:
        await Users(session, tenant).find("asha")
        rows = await session.scalars(
            select(UserSessionRow).where(UserSessionRow.tenant_id == tenant)
        )
        return [row.ended_at is None for row in rows]


async def test_signing_out_ends_every_session_of_one_person(
    database: Database, tenant: TenantId
) -> None:
    asha, bo = await make(database, tenant), await make(database, tenant, UserDraft("bo"))
    await open_session(database, tenant, asha)
    await open_session(database, tenant, bo)
    async with database.change(author="t") as session:
        moment = await Users(session, tenant).sign_out_everywhere(asha.id)
    assert sorted(await sessions_of(database, tenant)) == [False, True]
    async with database.read() as session:
        people = (await compile_snapshot(session)).tenants["default"].people
    assert people["", str(asha.id)].signed_out_at == moment.timestamp()
    assert people["", str(bo.id)].signed_out_at == 0.0


async def test_who_is_kept_out_is_signed_out_and_stays_so_when_let_in(
    database: Database, tenant: TenantId
) -> None:
    asha = await make(database, tenant)
    await open_session(database, tenant, asha)
    for active in (False, True):
        async with database.change(author="t") as session:
            after = await Users(session, tenant).set_active("asha", is_active=active)
        assert after.is_active == active
        assert after.signed_out_at is not None
        assert await sessions_of(database, tenant) == [False]


async def test_removing_somebody_takes_what_is_theirs_and_nobody_elses(
    database: Database, tenant: TenantId
) -> None:
    asha, bo = await make(database, tenant), await make(database, tenant, UserDraft("bo"))
    for user in (asha, bo):
        await open_session(database, tenant, user)
    async with database.change(author="t") as session:
        keys = Keys(session, tenant)
        for user in (asha, bo):
            await keys.create(
                KeyDraft("laptop", user.id.bytes * 2, "bsc_x", frozenset({"user"}), user_id=user.id)
            )
            session.add(_grant(tenant, user))
            talks = Conversations(session, tenant, user.owner)
            await talks.create(uuid4(), "Mine", utc_now())
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        await users.link(asha.id, Identity(_ISSUER, "1"))
        gone = await users.delete("asha")
        assert (gone.id, gone.identities) == (asha.id, (Identity(_ISSUER, "1"),))
    assert await sessions_of(database, tenant) == [True]
    async with database.read() as session:
        users = Users(session, tenant)
        assert await users.find("asha") is None
        assert await users.find_by_identity(_ISSUER, "1") is None
        revoked = {key.user_id: key.revoked_at for key in await Keys(session, tenant).list()}
        owners = await session.scalars(
            select(UserGrantRow.owner).where(UserGrantRow.tenant_id == tenant)
        )
        assert owners.all() == [bo.owner]
        talking = await session.scalars(
            select(ConversationRow.owner).where(ConversationRow.tenant_id == tenant)
        )
        assert talking.all() == [bo.owner]
    assert revoked[asha.id] is not None
    assert revoked[bo.id] is None


def _grant(tenant: TenantId, user: StoredUser) -> UserGrantRow:
    return UserGrantRow(
        tenant_id=tenant,
        owner=user.owner,
        upstream_name="crm",
        issuer=_ISSUER,
        resource="https://crm.example.org",
        client_id="c",
        nonce=b"n" * 12,
        ciphertext=b"c",
        key_id="k",
    )


def test_what_is_shown_of_a_person_names_every_column() -> None:
    assert {"password_hash", "identities"} <= {field.name for field in fields(StoredUser)}


async def test_a_password_is_kept_in_another_form_unless_it_was_changed(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        made = await Users(session, tenant).create(UserDraft("rehashed", password_hash="$old"))
    async with database.jotting() as session:
        users = Users(session, tenant)
        await users.rehash(made.id, "$other", "$lost")
        await users.rehash(made.id, "$old", "$new")
    async with database.read() as session:
        after = await Users(session, tenant).get("rehashed")
    assert after.password_hash == "$new"
    assert after.password_changed_at == made.password_changed_at

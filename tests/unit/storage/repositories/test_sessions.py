"""Sign-ins are kept as digests, and are found for as long as they last."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.storage.counter import current_version
from bascule.storage.database import Database
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.sessions import SessionDraft, Sessions, StoredSession
from bascule.storage.repositories.users import UserDraft, Users

LATER = datetime.now(UTC) + timedelta(hours=1)
DIGEST = b"\x00\xff" * 16


async def a_user(database: Database, tenant: TenantId, name: str = "ann") -> UUID:
    async with database.change(author="t") as session:
        return (await Users(session, tenant).create(UserDraft(name, password_hash="$"))).id


def draft(user_id: UUID, digest: bytes = DIGEST, **changes: object) -> SessionDraft:
    end = LATER + timedelta(hours=12)
    return replace(SessionDraft(user_id, digest, LATER, end), **changes)


async def kept(database: Database, tenant: TenantId, wanted: SessionDraft) -> StoredSession:
    async with database.jotting() as session:
        return await Sessions(session, tenant).open(wanted)


async def found(
    database: Database, tenant: TenantId, digest: bytes = DIGEST
) -> StoredSession | None:
    async with database.read() as session:
        return await Sessions(session, tenant).find(digest)


async def test_a_sign_in_is_found_by_the_digest_of_its_cookie(
    database: Database, tenant: TenantId
) -> None:
    user_id = await a_user(database, tenant)
    claims = {"roles": ["user"], "groups": ["staff"]}
    made = await kept(
        database,
        tenant,
        draft(user_id, issuer="https://id.example", claims=claims, peer="127.0.0.1", agent="Elk/1"),
    )
    assert await found(database, tenant) == made
    assert (made.user_id, made.issuer, made.claims) == (user_id, "https://id.example", claims)
    assert (made.peer, made.agent, made.seen_at) == ("127.0.0.1", "Elk/1", LATER)
    assert await found(database, tenant, b"x" * 32) is None
    assert "digest" not in {one.name for one in fields(StoredSession)}
    assert "xff" not in repr(draft(user_id))


async def test_what_a_browser_calls_itself_is_cut_to_what_can_be_kept(
    database: Database, tenant: TenantId
) -> None:
    user_id = await a_user(database, tenant)
    made = await kept(
        database, tenant, draft(user_id, agent="Elk\0\n\ud800/1 " + "x" * 900, peer="p" * 900)
    )
    assert made.agent.startswith("Elk/1 xxx")
    assert (len(made.agent), len(made.peer)) == (300, 100)


async def test_a_digest_is_32_bytes_and_nobody_elses(database: Database, tenant: TenantId) -> None:
    user_id = await a_user(database, tenant)
    with pytest.raises(InvalidValue):
        await kept(database, tenant, draft(user_id, b"short"))
    await kept(database, tenant, draft(user_id))
    with pytest.raises(Conflict):
        await kept(database, tenant, draft(user_id))
    with pytest.raises(Conflict):
        await kept(database, tenant, draft(uuid4(), b"y" * 32))


async def test_what_has_ended_is_not_found(database: Database, tenant: TenantId) -> None:
    user_id = await a_user(database, tenant)
    made = await kept(database, tenant, draft(user_id))
    async with database.jotting() as session:
        await Sessions(session, tenant).end(user_id, made.id, LATER)
        await Sessions(session, tenant).end(user_id, made.id, LATER)
    assert await found(database, tenant) is None


async def test_nobody_ends_another_persons_sign_in(database: Database, tenant: TenantId) -> None:
    made = await kept(database, tenant, draft(await a_user(database, tenant)))
    other = await a_user(database, tenant, "bob")
    async with database.jotting() as session:
        with pytest.raises(NotFound):
            await Sessions(session, tenant).end(other, made.id, LATER)
        await Sessions(session, tenant).end_all(other, LATER)
    assert await found(database, tenant) == made


async def test_a_new_password_ends_what_the_old_one_opened(
    database: Database, tenant: TenantId
) -> None:
    user_id = await a_user(database, tenant)
    long_ago = LATER - timedelta(days=1)
    await kept(database, tenant, draft(user_id, created_at=long_ago))
    other = draft(user_id, b"y" * 32, created_at=long_ago, issuer="https://id.example")
    await kept(database, tenant, other)
    async with database.change(author="t") as session:
        await Users(session, tenant).set_password_hash(user_id, "$new")
    assert await found(database, tenant) is None
    assert await found(database, tenant, b"y" * 32) is not None


async def test_a_persons_sign_ins_are_listed_by_when_they_were_seen(
    database: Database, tenant: TenantId
) -> None:
    user_id = await a_user(database, tenant)
    first = await kept(database, tenant, draft(user_id))
    second = await kept(database, tenant, draft(user_id, b"y" * 32))
    await kept(database, tenant, draft(user_id, b"e" * 32, expires_at=LATER))
    await kept(database, tenant, draft(await a_user(database, tenant, "bob"), b"z" * 32))
    seen = LATER + timedelta(minutes=1)
    async with database.jotting() as session:
        await Sessions(session, tenant).touch(first.id, seen)
        await Sessions(session, tenant).touch(first.id, LATER)
    async with database.read() as session:
        listed = await Sessions(session, tenant).list(user_id, seen)
    assert listed == (replace(first, seen_at=seen), second)


async def test_all_of_a_persons_sign_ins_end_at_once(database: Database, tenant: TenantId) -> None:
    user_id = await a_user(database, tenant)
    await kept(database, tenant, draft(user_id))
    await kept(database, tenant, draft(user_id, b"y" * 32))
    async with database.jotting() as session:
        await Sessions(session, tenant).end_all(user_id, LATER)
    async with database.read() as session:
        assert await Sessions(session, tenant).list(user_id, LATER) == ()


async def test_what_expired_is_removed(database: Database, tenant: TenantId) -> None:
    user_id = await a_user(database, tenant)
    await kept(database, tenant, draft(user_id, b"y" * 32, expires_at=LATER))
    await kept(database, tenant, draft(user_id))
    async with database.jotting() as session:
        await Sessions(session, tenant).forget(LATER + timedelta(seconds=1))
    assert await found(database, tenant, b"y" * 32) is None
    assert await found(database, tenant) is not None


async def test_opening_and_ending_is_no_change_of_the_configuration(
    database: Database, tenant: TenantId
) -> None:
    user_id = await a_user(database, tenant)
    async with database.read() as session:
        before = await current_version(session)
    await kept(database, tenant, draft(user_id))
    async with database.read() as session:
        assert await current_version(session) == before

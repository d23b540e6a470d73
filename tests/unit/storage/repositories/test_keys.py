"""API keys are kept as digests, and end when they are revoked."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.storage.compiler import compile_snapshot
from bascule.storage.counter import current_version
from bascule.storage.database import Database
from bascule.storage.repositories.keys import KeyDraft, Keys, NewSecret, StoredKey
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.users import UserChanges, UserDraft, Users

_DRAFT = KeyDraft("ci", b"\x00\xff" * 16, "bsc_abcdefgh", frozenset({"user", "viewer"}))


async def test_a_key_is_listed_without_anything_to_use(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="asha") as session:
        made = await Keys(session, tenant).create(_DRAFT)
    async with database.read() as session:
        assert await Keys(session, tenant).list() == (made,)
    assert (made.name, made.prefix, made.roles) == ("ci", "bsc_abcdefgh", {"user", "viewer"})
    assert (made.created_by, made.expires_at, made.revoked_at) == ("asha", None, None)
    assert "digest" not in {field.name for field in fields(StoredKey)}


async def test_a_key_is_revoked_once_and_for_all(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        made = await Keys(session, tenant).create(_DRAFT)
    async with database.change(author="t") as session:
        first = await Keys(session, tenant).revoke(made.id)
    async with database.change(author="t") as session:
        second = await Keys(session, tenant).revoke(made.id)
    assert first == second
    assert first.revoked_at is not None


async def test_a_name_is_free_again_once_its_key_is_revoked(
    database: Database, tenant: TenantId
) -> None:
    other = replace(_DRAFT, digest=b"x" * 32)
    async with database.change(author="t") as session:
        keys = Keys(session, tenant)
        made = await keys.create(_DRAFT)
        with pytest.raises(Conflict, match="key named ci exists"):
            await keys.create(other)
        await keys.revoke(made.id)
        await keys.create(other)
        assert [key.revoked_at is None for key in await keys.list()] == [False, True]


async def test_a_digest_is_never_kept_twice(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        await Keys(session, tenant).create(_DRAFT)
    with pytest.raises(Conflict):
        async with database.change(author="t") as session:
            await Keys(session, tenant).create(replace(_DRAFT, name="other"))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"roles": frozenset({"user", "boss"})}, "Unknown roles: boss"),
        ({"roles": frozenset[str]()}, "needs a role"),
        ({"digest": b"short"}, "32 bytes"),
        ({"prefix": "bsc_abcdefghi"}, "key prefix has 13 characters"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(
    database: Database, tenant: TenantId, changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(InvalidValue, match=complaint):
        async with database.change(author="t") as session:
            await Keys(session, tenant).create(replace(_DRAFT, **changes))  # type: ignore[arg-type]


async def test_a_key_nobody_made_is_not_found(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        with pytest.raises(NotFound, match="no API key"):
            await Keys(session, tenant).revoke(uuid4())


async def test_a_key_is_limited_to_its_scopes(database: Database, tenant: TenantId) -> None:
    scopes = frozenset({"tools:list", "audit:read"})
    async with database.change(author="t") as session:
        made = await Keys(session, tenant).create(replace(_DRAFT, scopes=scopes))
    assert made.scopes == scopes
    async with database.read() as session:
        assert await Keys(session, tenant).get(made.id) == made
        principal = (await compile_snapshot(session)).keys[_DRAFT.digest].principal
    assert principal.permissions == {"tools:list"}
    assert "tools:execute" in principal.withheld


async def test_a_personal_key_has_no_more_than_its_person(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        asha = await users.create(UserDraft("asha", roles=frozenset({"user"})))
        bo = await users.create(UserDraft("bo"))
        keys = Keys(session, tenant)
        made = await keys.create(replace(_DRAFT, user_id=asha.id))
        other = replace(_DRAFT, digest=b"b" * 32)
        await keys.create(replace(other, user_id=bo.id))
        await keys.create(replace(other, digest=b"c" * 32))  # a name of each person's own
        with pytest.raises(Conflict, match="named ci exists"):
            await keys.create(replace(other, digest=b"d" * 32, user_id=asha.id))
        with pytest.raises(NotFound, match="no user"):
            await keys.create(replace(other, digest=b"e" * 32, user_id=uuid4()))
        assert (made.user, made.user_id) == ("asha", asha.id)
        assert await keys.list(asha.id) == (made,)
        assert {key.user for key in await keys.list()} == {"asha", "bo", None}
        principal = (await compile_snapshot(session)).keys[_DRAFT.digest].principal
        assert (principal.subject, principal.roles) == ("asha", {"user"})
        await users.update("asha", UserChanges(roles=frozenset()))
        assert (await compile_snapshot(session)).keys[_DRAFT.digest].principal.roles == set()
        await users.set_active("asha", is_active=False)
        assert _DRAFT.digest not in (await compile_snapshot(session)).keys


async def test_a_new_secret_takes_the_place_of_the_one_before(
    database: Database, tenant: TenantId
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    later = soon + timedelta(hours=1)
    async with database.change(author="t") as session:
        keys = Keys(session, tenant)
        made = await keys.create(replace(_DRAFT, expires_at=later))
        changed = await keys.rotate(made.id, NewSecret(b"2" * 32, "bsc_2", soon))
        assert changed == replace(made, prefix="bsc_2")
        known = (await compile_snapshot(session)).keys
        assert known[b"2" * 32].expires_at == later.timestamp()
        assert known[_DRAFT.digest].expires_at == soon.timestamp()
        assert known[_DRAFT.digest].principal == known[b"2" * 32].principal
        await keys.rotate(made.id, NewSecret(b"3" * 32, "bsc_3", later + timedelta(hours=1)))
        known = (await compile_snapshot(session)).keys
        assert known[b"2" * 32].expires_at == later.timestamp()
        assert _DRAFT.digest not in known
        await keys.rotate(made.id, NewSecret(b"4" * 32, "bsc_4"))
        assert set((await compile_snapshot(session)).keys) == {b"4" * 32}
        with pytest.raises(InvalidValue, match="32 bytes"):
            await keys.rotate(made.id, NewSecret(b"5", "bsc_5"))
        with pytest.raises(NotFound):
            await keys.rotate(uuid4(), NewSecret(b"5" * 32, "bsc_5"))


async def test_a_revoked_key_gets_no_new_secret_and_keeps_no_old_one(
    database: Database, tenant: TenantId
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    async with database.change(author="t") as session:
        keys = Keys(session, tenant)
        made = await keys.create(_DRAFT)
        await keys.rotate(made.id, NewSecret(b"2" * 32, "bsc_2", soon))
        await keys.revoke(made.id)
        assert (await compile_snapshot(session)).keys == {}
        with pytest.raises(Conflict, match="ci is revoked"):
            await keys.rotate(made.id, NewSecret(b"3" * 32, "bsc_3"))


async def test_the_last_use_stays_whatever_comes_after(
    database: Database, tenant: TenantId
) -> None:
    early, late = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC)
    async with database.change(author="t") as session:
        made = await Keys(session, tenant).create(_DRAFT)
        version = await current_version(session)
    for moment, last in ((early, early), (late, late), (early, late)):
        async with database.jotting() as session:
            await Keys(session, tenant).note_uses({made.id: moment, uuid4(): moment})
        async with database.read() as session:
            assert (await Keys(session, tenant).get(made.id)).last_used_at == last
            assert await current_version(session) == version

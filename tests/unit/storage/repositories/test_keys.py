"""API keys are kept as digests, and end when they are revoked."""

from dataclasses import fields, replace
from uuid import uuid4

import pytest

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.storage.database import Database
from bascule.storage.repositories.keys import KeyDraft, Keys, StoredKey
from bascule.storage.repositories.scope import TenantId

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

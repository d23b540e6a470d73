"""Secrets are kept encrypted, in versions, and apart by tenant."""

import pytest
from sqlalchemy import text

from bascule.gateway.errors import NotFound
from bascule.gateway.secrets import SealedSecret
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import Database
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.secrets import Secrets
from bascule.storage.repositories.tenants import Tenants


def sealed(name: str = "crm", content: bytes = b"c" * 20) -> SealedSecret:
    return SealedSecret(name, b"n" * 12, content, "key-1")


async def test_a_secret_is_added_and_then_the_next_version(
    database: Database, tenant: TenantId
) -> None:
    for version in (1, 2, 3):
        async with database.change(author=f"ann {version}") as session:
            stored = await Secrets(session, tenant).put(sealed(content=b"%d" % version * 20))
        assert stored.sealed.version == version
        assert stored.updated_by == f"ann {version}"
    async with database.read() as session:
        (found,) = await Secrets(session, tenant).list()
    assert (found.sealed.version, found.sealed.ciphertext) == (3, b"3" * 20)


async def test_another_encryption_is_the_same_version(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        secrets = Secrets(session, tenant)
        await secrets.put(sealed())
        await secrets.replace(SealedSecret("crm", b"m" * 12, b"d" * 20, "key-2"))
        (found,) = await secrets.list()
        with pytest.raises(NotFound):
            await secrets.replace(sealed("none"))
    assert found.sealed == SealedSecret("crm", b"m" * 12, b"d" * 20, "key-2", 1)


async def test_a_secret_is_removed(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        secrets = Secrets(session, tenant)
        await secrets.put(sealed())
        await secrets.delete("crm")
        assert await secrets.list() == ()
        with pytest.raises(NotFound, match="no secret named crm"):
            await secrets.delete("crm")


async def test_tenants_have_secrets_of_their_own(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        other = (await Tenants(session).create("other")).id
        await Secrets(session, tenant).put(sealed("b"))
        await Secrets(session, tenant).put(sealed("a"))
    async with database.change(author="t") as session:
        await Secrets(session, other).put(sealed("a", b"o" * 20))
        with pytest.raises(NotFound):
            await Secrets(session, other).delete("b")
    async with database.read() as session:
        assert [one.sealed.name for one in await Secrets(session, tenant).list()] == ["a", "b"]
        snapshot = await compile_snapshot(session)
        names = dict((await session.execute(text("SELECT id, name FROM tenants"))).all())
    mine = next(name for name in names.values() if name != "other")
    assert {name: one.ciphertext for name, one in snapshot.tenant(mine).secrets.items()} == {
        "a": b"c" * 20, "b": b"c" * 20,
    }  # fmt: skip
    assert snapshot.tenant("other").secrets["a"].ciphertext == b"o" * 20

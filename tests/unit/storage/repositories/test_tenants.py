"""Tenants are made once and found by name."""

import pytest

from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.database import Database
from bascule.storage.repositories.tenants import Tenants


async def test_a_tenant_is_found_by_name(database: Database) -> None:
    async with database.change(author="t") as session:
        made = [await Tenants(session).create(name) for name in ("b", "a")]
    async with database.read() as session:
        tenants = Tenants(session)
        assert await tenants.get("b") == made[0]
        assert await tenants.find("nobody") is None
        assert list(await tenants.list()) == [made[1], made[0]]


async def test_a_tenant_nobody_made_is_not_found(database: Database) -> None:
    async with database.read() as session:
        with pytest.raises(NotFound, match="no tenant named nobody"):
            await Tenants(session).get("nobody")


async def test_a_name_is_taken_once(database: Database) -> None:
    async with database.change(author="t") as session:
        await Tenants(session).create("a")
        with pytest.raises(Conflict, match="Choose another name"):
            await Tenants(session).create("a")

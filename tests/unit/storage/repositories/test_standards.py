import pytest

from bascule.catalogue.standards import ANYTHING_GOES, Field, Standard
from bascule.gateway.errors import InvalidValue
from bascule.storage.database import Database
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.standards import Standards
from fakes.catalogue import make_tool

STRICT = Standard((Field.OWNER, Field.TAGS), 2, {Field.DOMAIN: ("a", "b")})


async def test_a_standard_comes_back_as_it_was(database: Database, tenant: TenantId) -> None:
    async with database.read() as session:
        assert await Standards(session, tenant).get() == ANYTHING_GOES
    for standard in (STRICT, Standard(minimum_tags=1)):
        async with database.change(author="t") as session:
            standards = Standards(session, tenant)
            await standards.set(standard)
            assert await standards.get() == standard
        async with database.read() as session:
            assert await Standards(session, tenant).get() == standard


async def test_tools_that_fall_short_are_named_with_what_they_lack(
    database: Database, tenant: TenantId
) -> None:
    tools = [make_tool(f"t{number}") for number in range(7)]
    async with database.change(author="t") as session:
        standards = Standards(session, tenant)
        await standards.check(tools)
        await standards.set(STRICT)
        await standards.check([])
        with pytest.raises(InvalidValue) as caught:
            await standards.check(tools)
    assert "t0 1.0.0: owner is required, tags: at least 2 are required" in caught.value.public
    assert "and 2 more" in caught.value.public
    assert caught.value.details["field"] == "owner"
    assert len(caught.value.details["violations"]) == 14  # type: ignore[arg-type]

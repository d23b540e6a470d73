"""When keys were last used is written down beside the calls, together, and never in their way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from bascule.app.key_use import KeyUse, open_key_use
from bascule.gateway.record import AuditRecord, EventType, Status
from bascule.storage.counter import current_version
from bascule.storage.database import Database, open_database
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.schema import migrate
from bascule.storage.seed import seed_defaults, seed_roles

_DRAFT = KeyDraft("ci", b"k" * 32, "bsc_x", frozenset({"user"}))
_MOMENT = datetime(2026, 7, 1, tzinfo=UTC)


def record(key_id: str, tenant: str = "default", moment: datetime = _MOMENT) -> AuditRecord:
    return AuditRecord(
        "e", moment, EventType.TOOL_CALL, "tools/call", Status.SUCCESS, "c", tenant, key_id=key_id
    )


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/b.db") as opened:
        await migrate(opened)
        async with opened.change(author="t") as session:
            await seed_defaults(session)
        async with opened.change(author="t") as session:
            await seed_roles(session, (await Tenants(session).create("acme")).id)
        yield opened


async def add_key(database: Database, tenant: str = "default") -> UUID:
    async with database.change(author="t") as session:
        found = await Tenants(session).get(tenant)
        draft = replace(_DRAFT, digest=tenant.encode().ljust(32))
        return (await Keys(session, found.id).create(draft)).id


async def last_used(database: Database, key_id: UUID, tenant: str = "default") -> datetime | None:
    async with database.read() as session:
        found = await Tenants(session).get(tenant)
        return (await Keys(session, found.id).get(key_id)).last_used_at


async def test_uses_are_written_down_together_by_tenant(database: Database) -> None:
    use, ours, theirs = KeyUse(database), await add_key(database), await add_key(database, "acme")
    async with database.read() as session:
        version = await current_version(session)
    use.observe(record(str(ours), moment=datetime(2026, 6, 1, tzinfo=UTC)))
    use.observe(record(str(ours)))
    use.observe(record(str(theirs), "acme"))
    use.observe(record(""))
    use.observe(record("local"))
    use.observe(record(str(uuid4()), "nobody"))
    assert await last_used(database, ours) is None
    await use.write_down()
    assert await last_used(database, ours) == _MOMENT
    assert await last_used(database, theirs, "acme") == _MOMENT
    async with database.read() as session:
        assert await current_version(session) == version


async def test_a_request_to_the_rest_api_counts_as_of_now(database: Database) -> None:
    use, key_id = KeyUse(database), await add_key(database)
    before = datetime.now(UTC)
    use.note("default", str(key_id))
    await use.write_down()
    written = await last_used(database, key_id)
    assert written is not None
    assert before <= written <= datetime.now(UTC)


async def test_a_key_of_another_tenant_is_not_touched(database: Database) -> None:
    use, key_id = KeyUse(database), await add_key(database)
    use.observe(record(str(key_id), "acme"))
    await use.write_down()
    assert await last_used(database, key_id) is None


async def test_what_cannot_be_written_is_kept_and_what_is_newer_wins(
    database: Database, tmp_path: Path
) -> None:
    key_id = await add_key(database)
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/empty.db") as without_tables:
        use = KeyUse(without_tables)
        use.observe(record(str(key_id)))
        with capture_logs() as logs:
            await use.write_down()
    assert [one["event"] for one in logs] == ["key_use.not_written"]
    use._database = database  # pyright: ignore[reportPrivateUsage] - it came back
    await use.write_down()
    assert await last_used(database, key_id) == _MOMENT


async def test_it_goes_on_by_itself_and_writes_the_rest_at_the_end(database: Database) -> None:
    key_id = await add_key(database)
    async with asyncio.timeout(5):
        async with open_key_use(database) as use:
            use.observe(record(str(key_id)))
        assert await last_used(database, key_id) == _MOMENT
        following = asyncio.ensure_future(use.follow(0.0))
        use.note("default", str(key_id))
        while await last_used(database, key_id) == _MOMENT:
            await asyncio.sleep(0)
        following.cancel()
        await asyncio.wait([following])

"""Definitions are approved, held back, and decided about."""

import pytest

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.database import Database
from bascule.storage.repositories.pins import Definition, Noted, Pins, PinStatus, storable
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.upstreams import Upstreams

OLD = Definition(b"o" * 32, b'{"name":"a"}')
NEW = Definition(b"n" * 32, b'{"name":"a","description":"!"}')
NEWER = Definition(b"w" * 32, b'{"name":"a","description":"?"}')


async def add_server(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        server = Upstream("words", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:1/mcp")
        await Upstreams(session, tenant).upsert(server)


async def note(
    database: Database, tenant: TenantId, definition: Definition, *, trust_new: bool = True
) -> Noted:
    async with database.change(author="first seen") as session:
        return await Pins(session, tenant).note("words", {"a": definition}, trust_new=trust_new)


async def status(database: Database, tenant: TenantId) -> PinStatus:
    async with database.read() as session:
        return (await Pins(session, tenant).get("words", "a")).status


async def test_the_first_definition_is_approved_and_the_next_waits(
    database: Database, tenant: TenantId
) -> None:
    await add_server(database, tenant)
    assert (await note(database, tenant, OLD)).approved == ("a",)
    assert await note(database, tenant, OLD) == Noted()
    assert (await note(database, tenant, NEW)).changed == ("a",)
    assert await note(database, tenant, NEW) == Noted()
    async with database.read() as session:
        [pin] = await Pins(session, tenant).list(server="words", waiting=True)
        assert await Pins(session, tenant).list(server="other") == ()
    assert (pin.approved, pin.seen, pin.status) == (OLD, NEW, PinStatus.CHANGED)
    assert pin.approved_by == "first seen"


async def test_what_is_as_approved_again_waits_no_more(
    database: Database, tenant: TenantId
) -> None:
    await add_server(database, tenant)
    for definition in (OLD, NEW):
        await note(database, tenant, definition)
    assert (await note(database, tenant, OLD)).returned == ("a",)
    assert await status(database, tenant) is PinStatus.APPROVED


async def test_under_manual_approval_a_new_tool_waits(database: Database, tenant: TenantId) -> None:
    await add_server(database, tenant)
    assert (await note(database, tenant, OLD, trust_new=False)).new == ("a",)
    assert await status(database, tenant) is PinStatus.NEW
    assert (await note(database, tenant, NEW, trust_new=False)).new == ("a",)
    async with database.change(author="ann") as session:
        approved = await Pins(session, tenant).approve("words", "a", NEW.digest)
    assert (approved.approved, approved.approved_by, approved.seen) == (NEW, "ann", None)


async def test_only_the_definition_that_was_looked_at_is_approved(
    database: Database, tenant: TenantId
) -> None:
    await add_server(database, tenant)
    for definition in (OLD, NEW, NEWER):
        await note(database, tenant, definition)
    with pytest.raises(Conflict, match="changed again"):
        async with database.change(author="ann") as session:
            await Pins(session, tenant).approve("words", "a", NEW.digest)
    assert await status(database, tenant) is PinStatus.CHANGED


async def test_what_was_rejected_is_not_asked_about_until_it_changes_again(
    database: Database, tenant: TenantId
) -> None:
    await add_server(database, tenant)
    for definition in (OLD, NEW):
        await note(database, tenant, definition)
    async with database.change(author="ann") as session:
        rejected = await Pins(session, tenant).reject("words", "a", NEW.digest)
        assert await Pins(session, tenant).list(waiting=True) == ()
    assert rejected.status is PinStatus.REJECTED
    await note(database, tenant, NEWER)
    assert await status(database, tenant) is PinStatus.CHANGED


async def test_where_nothing_waits_nothing_is_decided(database: Database, tenant: TenantId) -> None:
    await add_server(database, tenant)
    await note(database, tenant, OLD)
    with pytest.raises(Conflict, match="Nothing of a"):
        async with database.change(author="ann") as session:
            await Pins(session, tenant).reject("words", "a", OLD.digest)


async def test_unknown_tools_and_servers_are_not_found(
    database: Database, tenant: TenantId
) -> None:
    async with database.read() as session:
        with pytest.raises(NotFound, match="No tool named a"):
            await Pins(session, tenant).get("words", "a")
    with pytest.raises(NotFound, match="no server named words"):
        await note(database, tenant, OLD)


async def test_the_pins_of_a_server_go_with_it(database: Database, tenant: TenantId) -> None:
    await add_server(database, tenant)
    await note(database, tenant, OLD)
    async with database.change(author="t") as session:
        await Upstreams(session, tenant).delete("words")
        assert await Pins(session, tenant).list() == ()


def test_names_that_no_row_can_hold_are_left_out() -> None:
    assert storable(["a", "b\0", "c" * 501, "d" * 500]) == ["a", "d" * 500]

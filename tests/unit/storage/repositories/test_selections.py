from dataclasses import replace
from uuid import UUID

import pytest

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.tool import Bundle, Member
from bascule.storage.database import Database
from bascule.storage.repositories import selections as selections_room
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.selections import Selections

BOOK = Member("book", name="reserve", defaults={"dealer": 7})


async def desk_in(bundles: Bundles, name: str = "desk") -> UUID:
    return (await bundles.create(Bundle(name))).id


async def test_a_member_is_added_changed_and_removed(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        desk = await desk_in(Bundles(session, tenant))
        selections = Selections(session, tenant)
        await selections.add(desk, BOOK)
        assert await selections.get(desk, "reserve") == BOOK
        changed = replace(BOOK, name="", description="New.")
        await selections.change(desk, "reserve", changed)
        assert await selections.get(desk, "book") == changed
        with pytest.raises(NotFound, match=r"calls boook\. Did you mean book"):
            await selections.get(desk, "boook")
        await selections.remove(desk, "book")
        with pytest.raises(NotFound):
            await selections.remove(desk, "book")


async def test_a_name_is_there_once(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        bundles = Bundles(session, tenant)
        desk, other = await desk_in(bundles), await desk_in(bundles, "other")
        selections = Selections(session, tenant)
        await selections.add(desk, BOOK)
        await selections.add(desk, Member("hours"))
        await selections.add(other, BOOK)
        with pytest.raises(Conflict, match="a tool named reserve already"):
            await selections.add(desk, Member("reserve"))
        with pytest.raises(Conflict, match="a tool named hours already"):
            await selections.change(desk, "reserve", replace(BOOK, name="hours"))
        await selections.change(desk, "reserve", BOOK)


async def test_the_borrowers_of_a_tool_are_known(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        bundles, selections = Bundles(session, tenant), Selections(session, tenant)
        for name in ("b", "a"):
            desk = await desk_in(bundles, name)
            await selections.add(desk, BOOK)
            await selections.add(desk, Member("book"))
        third = await desk_in(bundles, "c")
        await selections.add(third, Member("book", server="alpha"))
        assert await selections.borrowers("book") == ("a", "b")
        assert await selections.borrowers("hours") == ()


async def test_releases_are_served_one_at_a_time(database: Database, tenant: TenantId) -> None:
    async with database.change(author="ann") as session:
        desk = await desk_in(Bundles(session, tenant))
        selections = Selections(session, tenant)
        for version in ("1.0.0", "1.1.0"):
            await selections.release(desk, version, [BOOK])
            await selections.serve(desk, version)
        found = await selections.releases(desk)
        assert [(one.version, one.is_served) for one in found] == [
            ("1.1.0", True),
            ("1.0.0", False),
        ]
        assert (found[0].members, found[0].created_by) == ((BOOK,), "ann")
        await selections.serve(desk, "")
        assert not any(one.is_served for one in await selections.releases(desk))


async def test_a_release_that_is_not_there_is_told_with_those_that_are(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        desk = await desk_in(Bundles(session, tenant))
        selections = Selections(session, tenant)
        with pytest.raises(NotFound, match="There is none yet"):
            await selections.serve(desk, "1.0.0")
        await selections.release(desk, "1.0.0", [BOOK])
        for attempt in (selections.serve(desk, "2.0.0"), selections.delete_release(desk, "2.0.0")):
            with pytest.raises(NotFound, match=r"There are 1\.0\.0"):
                await attempt


async def test_a_release_is_made_once_deleted_unless_served_and_not_without_end(
    database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selections_room, "MOST_RELEASES", 2)
    async with database.change(author="t") as session:
        desk = await desk_in(Bundles(session, tenant))
        selections = Selections(session, tenant)
        await selections.release(desk, "1.0.0", [BOOK])
        with pytest.raises(Conflict, match="never changes"):
            await selections.release(desk, "1.0.0", [])
        await selections.serve(desk, "1.0.0")
        with pytest.raises(Conflict, match="is what the bundle serves"):
            await selections.delete_release(desk, "1.0.0")
        await selections.release(desk, "1.1.0", [BOOK])
        with pytest.raises(Conflict, match="delete one"):
            await selections.release(desk, "1.2.0", [BOOK])
        await selections.delete_release(desk, "1.1.0")
        assert [one.version for one in await selections.releases(desk)] == ["1.0.0"]

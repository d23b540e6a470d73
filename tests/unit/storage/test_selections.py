from bascule.gateway.tool import Bundle, Member, Release
from bascule.storage.database import Database
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.selections import Selections
from bascule.storage.selections import (
    load_selections,
    member_documents,
    read_members,
    selecting,
)
from bascule.storage.tenancy import across_tenants

PLAIN = Member("book")
WHOLE = Member("find", "1.2", "search", "Finds.", {"limit": 5, "deep": {"a": [1]}}, "alpha")


def test_members_of_a_release_come_back_as_they_were() -> None:
    assert read_members(member_documents([PLAIN, WHOLE])) == (PLAIN, WHOLE)


def test_a_bundle_without_a_selection_is_plain() -> None:
    assert selecting(Bundle("desk"), None) == Bundle("desk")


async def test_what_a_bundle_borrows_and_released_is_read_at_once(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        desk = await Bundles(session, tenant).create(Bundle("desk"))
        selections = Selections(session, tenant)
        for member in (PLAIN, WHOLE):
            await selections.add(desk.id, member)
        for version in ("1.9.0", "1.10.0"):
            await selections.release(desk.id, version, [PLAIN])
        await selections.serve(desk.id, "1.9.0")
    async with database.read() as session:
        async with across_tenants(session, "as the compiler does"):
            every = await load_selections(session)
            theirs = await load_selections(session, desk.id)
        Bundles(session, tenant)
        for found in (every, await load_selections(session, tenant)):
            assert selecting(Bundle("desk"), found[desk.id]) == Bundle(
                "desk",
                members=(PLAIN, WHOLE),
                releases=(Release("1.10.0", (PLAIN,)), Release("1.9.0", (PLAIN,))),
                served="1.9.0",
            )
    assert theirs == {}, "of another tenant there are none"

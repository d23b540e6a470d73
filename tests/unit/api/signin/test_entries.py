"""Sign-ins are opened with a new cookie, and end when their owner says so."""

from datetime import timedelta
from uuid import uuid4

import pytest

from bascule.api.signin.browsers import Visitor
from bascule.api.signin.cookies import Ticket, new_ticket
from bascule.api.signin.entries import Vouched
from bascule.api.signin.visits import Visit
from bascule.gateway.errors import NotFound
from bascule.gateway.verdict import Refuse
from bascule.storage.repositories.users import StoredUser, Users
from unit.api.lobby import Lobby
from unit.api.site import contents

HERE = Visit("c-1", "10.0.0.1", "Elk/1")


async def ann(lobby: Lobby) -> StoredUser:
    async with lobby.site.rows() as (session, tenant_id):
        return await Users(session, tenant_id).get("ann")


async def entered(lobby: Lobby, old: Ticket | None = None) -> Ticket:
    user = await ann(lobby)
    ticket = await lobby.sign_in.entries.open(HERE, "default", user, Vouched(), old)
    assert ticket is not None
    return ticket


async def visitor(lobby: Lobby, ticket: Ticket) -> Visitor:
    found = await lobby.sign_in.browsers.holder(ticket)
    assert isinstance(found, Visitor)
    return found


async def is_over(lobby: Lobby, ticket: Ticket) -> bool:
    return isinstance(await lobby.sign_in.browsers.holder(ticket), Refuse)


async def test_a_new_sign_in_takes_the_place_of_the_browsers_old_one(lobby: Lobby) -> None:
    await lobby.add()
    old = await entered(lobby)
    await visitor(lobby, old)
    new = await entered(lobby, old)
    assert new.text != old.text
    assert await is_over(lobby, old)
    assert not await is_over(lobby, new)


async def test_what_a_browser_had_that_is_not_known_does_no_harm(lobby: Lobby) -> None:
    await lobby.add()
    for old in (new_ticket("default"), new_ticket("acme"), new_ticket("gone")):
        assert not await is_over(lobby, await entered(lobby, old))


async def test_who_was_kept_out_meanwhile_does_not_come_in(lobby: Lobby) -> None:
    await lobby.add()
    user = await ann(lobby)
    open_entry = lobby.sign_in.entries.open
    async with lobby.site.rows() as (session, tenant_id):
        await Users(session, tenant_id).set_active("ann", is_active=False)
    assert await open_entry(HERE, "default", user, Vouched(), None) is None
    async with lobby.site.rows() as (session, tenant_id):
        await Users(session, tenant_id).delete("ann")
    assert await open_entry(HERE, "default", user, Vouched(), None) is None


async def test_sessions_are_listed_with_this_one_first_and_without_those_that_timed_out(
    lobby: Lobby,
) -> None:
    await lobby.add()
    idle, other, here = [await entered(lobby) for _ in range(3)]
    lobby.clock.pass_by(minutes=20)
    await visitor(lobby, other)
    await visitor(lobby, here)
    lobby.clock.pass_by(minutes=20)
    me = await visitor(lobby, here)
    listed = await lobby.sign_in.entries.list(me)
    assert [one.id for one in listed] == [me.session.id, (await visitor(lobby, other)).session.id]
    assert listed[0].seen_at == lobby.clock.now
    assert await is_over(lobby, idle)
    assert (listed[0].peer, listed[0].agent) == ("10.0.0.1", "Elk/1")


async def test_one_session_is_ended_from_another(lobby: Lobby) -> None:
    await lobby.add()
    here, other = await entered(lobby), await entered(lobby)
    me, them = await visitor(lobby, here), await visitor(lobby, other)
    await lobby.sign_in.entries.end(HERE, me, them.session.id)
    assert await is_over(lobby, other)
    assert not await is_over(lobby, here)
    assert lobby.events("sign_out")[0].metadata == {"session": str(them.session.id)}
    with pytest.raises(NotFound):
        await lobby.sign_in.entries.end(HERE, me, uuid4())


async def test_signing_out_everywhere_ends_all_and_is_on_record(lobby: Lobby) -> None:
    await lobby.add()
    here, other = await entered(lobby), await entered(lobby)
    me = await visitor(lobby, here)
    await lobby.sign_in.entries.end_everywhere(HERE, me)
    assert await is_over(lobby, here)
    assert await is_over(lobby, other)
    assert (await ann(lobby)).signed_out_at is not None
    assert [one.user for one in lobby.events("sign_out.everywhere")] == ["ann"]


async def test_what_expired_long_ago_is_removed_with_the_next_sign_in(lobby: Lobby) -> None:
    await lobby.add()
    await entered(lobby)
    lobby.clock.now += timedelta(days=3)
    await entered(lobby)
    assert len(contents(lobby.site)["user_sessions"]) == 1

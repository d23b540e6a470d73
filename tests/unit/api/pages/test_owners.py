"""For whom a link was made: who that is now, and whether they must sign in."""

import pytest

from bascule.api.pages.owners import bearer_of, must_sign_in
from bascule.gateway.principal import Principal
from bascule.policy.elevation import Holder, holder_of
from bascule.storage.repositories.users import UserDraft, Users
from unit.api.elevation_room import Room
from unit.api.lobby import IDP, Lobby

TOKEN = Holder(f"token|{IDP}|s|1", "s|1")


async def test_who_has_a_password_or_a_provider_must_sign_in(lobby: Lobby) -> None:
    await lobby.add("ann")
    async with lobby.site.rows() as (session, tenant_id):
        bare = await Users(session, tenant_id).create(UserDraft("bob"))
    control = lobby.site.control
    people = control.snapshot().tenant("default").people.values()
    ann = next(one.user_id for one in people if one.name == "ann")
    assert await must_sign_in(control, Principal("default", "ann", frozenset(), user_id=ann))
    bob = Principal("default", "bob", frozenset(), user_id=str(bare.id))
    assert not await must_sign_in(control, bob)
    assert not await must_sign_in(control, Principal("default", "ci", frozenset()))
    stranger = bearer_of("default", TOKEN, control.snapshot())
    assert stranger is not None
    assert not await must_sign_in(control, stranger)
    await lobby.add_issuer()
    assert await must_sign_in(control, stranger)


async def test_a_bearer_has_the_name_and_the_rights_of_who_it_was_made_for(room: Room) -> None:
    snapshot = room.lobby.site.control.snapshot()
    for known in (room.principal("ann"), room.key_of("user")):
        found = bearer_of("default", holder_of(known), snapshot)
        assert found is not None
        assert (found.owner, found.permissions) == (known.owner, known.permissions)
    stranger = bearer_of("default", TOKEN, snapshot)
    assert stranger is not None
    assert (stranger.owner, stranger.permissions) == (TOKEN.owner, frozenset())


@pytest.mark.parametrize(
    ("tenant", "holder"),
    [
        ("default", Holder("key|user", "user", None, "no-such-key")),
        ("default", Holder("user|x", "ann", "x")),
        ("nowhere", TOKEN),
    ],
)
async def test_who_is_gone_has_no_bearer(room: Room, tenant: str, holder: Holder) -> None:
    assert bearer_of(tenant, holder, room.lobby.site.control.snapshot()) is None


async def test_a_key_of_another_tenant_is_none_of_this_one(room: Room) -> None:
    holder = holder_of(room.key_of("user", "acme"))
    assert bearer_of("default", holder, room.lobby.site.control.snapshot()) is None

"""The one-time link: it makes one administrator, once, within an hour, and nobody else does."""

import asyncio

import pytest

from bascule.api.signin.desk import PasswordRules
from bascule.api.signin.visits import Visit
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.verdict import Refuse
from bascule.state.memory import MemoryState
from bascule.storage.repositories.users import UserChanges, Users
from unit.api.lobby import GOOD, Lobby, open_lobby
from unit.api.site import Site

HERE = Visit("c-1", "10.0.0.1")


async def token_of(lobby: Lobby) -> str:
    path = await lobby.sign_in.setup.issue()
    assert path is not None
    return path.removeprefix("/setup/")


async def test_who_has_the_link_becomes_the_administrator_and_is_in(lobby: Lobby) -> None:
    token = await token_of(lobby)
    assert len(token) == 43
    assert await lobby.sign_in.setup.is_open(token)
    ticket = await lobby.sign_in.setup.use(HERE, token, "ann", GOOD)
    assert not isinstance(ticket, Refuse)
    visitor = await lobby.sign_in.browsers.holder(ticket)
    assert not isinstance(visitor, Refuse)
    assert visitor.principal.roles == {"admin", "system_admin"}
    assert visitor.principal.may("users:manage")
    assert lobby.events("sign_in")[0].metadata == {"by": "setup link"}
    assert token not in repr(lobby.site.recorder.records)
    assert GOOD not in repr(lobby.site.recorder.records)


async def test_a_link_works_once(lobby: Lobby) -> None:
    token = await token_of(lobby)
    await lobby.sign_in.setup.use(HERE, token, "ann", GOOD)
    again = await lobby.sign_in.setup.use(HERE, token, "bob", GOOD)
    assert isinstance(again, Refuse)
    assert again.error is ErrorCode.NOT_FOUND
    assert not await lobby.sign_in.setup.is_open(token)


async def test_of_many_at_once_one_becomes_the_administrator(lobby: Lobby) -> None:
    tokens = [await token_of(lobby) for _ in range(2)]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        use = lobby.sign_in.setup.use
        asked = [
            group.create_task(use(HERE, token, f"user-{token[:4]}-{number}", GOOD))
            for token in tokens
            for number in range(3)
        ]
    assert sum(not isinstance(one.result(), Refuse) for one in asked) == 1


async def test_a_link_lasts_an_hour(site: Site) -> None:
    seconds = [0.0]
    async with open_lobby(site, state=MemoryState(clock=lambda: seconds[0])) as lobby:
        token = await token_of(lobby)
        seconds[0] = 3599.0
        assert await lobby.sign_in.setup.is_open(token)
        seconds[0] = 3600.0
        assert not await lobby.sign_in.setup.is_open(token)
        assert isinstance(await lobby.sign_in.setup.use(HERE, token, "ann", GOOD), Refuse)


async def test_where_there_is_an_administrator_no_link_is_given_and_none_works(
    lobby: Lobby,
) -> None:
    token = await token_of(lobby)
    await lobby.add("boss", "admin")
    assert await lobby.sign_in.setup.issue() is None
    assert not await lobby.sign_in.setup.is_open(token)
    assert isinstance(await lobby.sign_in.setup.use(HERE, token, "ann", GOOD), Refuse)


async def test_who_cannot_sign_in_or_manage_people_is_no_administrator(lobby: Lobby) -> None:
    await lobby.add("ann", "developer")
    await lobby.add("gone", "admin")
    await lobby.add("keyless", "admin")
    async with lobby.site.rows() as (session, tenant_id):
        users = Users(session, tenant_id)
        await users.set_active("gone", is_active=False)
        await users.set_password_hash((await users.get("keyless")).id, None)
    token = await token_of(lobby)
    async with lobby.site.rows() as (session, tenant_id):
        roles = frozenset({"admin"})
        await Users(session, tenant_id).update("ann", UserChanges(roles=roles))
    assert not await lobby.sign_in.setup.is_open(token)


async def test_an_administrator_is_found_among_many(lobby: Lobby) -> None:
    for number in range(3):
        await lobby.add(f"user-{number}", "user")
    await lobby.add("zoe", "admin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bascule.api.signin.setup._PAGE", 2)
        assert await lobby.sign_in.setup.issue() is None


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [
        ("", GOOD, "name"),
        ("a/b", GOOD, "name"),
        ("x" * 300, GOOD, "name"),
        ("taken", GOOD, "name"),
        ("ann", "short", "password"),
        ("administrator", "administrator", "password"),
    ],
)
async def test_what_is_refused_leaves_the_link_as_it_is(
    lobby: Lobby, name: str, password: str, field: str
) -> None:
    await lobby.add("taken", "user")
    token = await token_of(lobby)
    answer = await lobby.sign_in.setup.use(HERE, token, name, password)
    assert isinstance(answer, Refuse)
    assert answer.error is ErrorCode.INVALID_VALUE
    assert (answer.details or {})["field"] == field
    assert not isinstance(await lobby.sign_in.setup.use(HERE, token, "ann", GOOD), Refuse)


async def test_a_link_that_could_not_do_its_work_still_can(lobby: Lobby) -> None:
    token = await token_of(lobby)
    lobby.site.recorder.fails = True
    with pytest.raises(GatewayError):
        await lobby.sign_in.setup.use(HERE, token, "ann", GOOD)
    lobby.site.recorder.fails = False
    assert not isinstance(await lobby.sign_in.setup.use(HERE, token, "ann", GOOD), Refuse)


async def test_where_nobody_has_a_password_there_is_no_link(site: Site) -> None:
    async with open_lobby(site, rules=PasswordRules(local_accounts=False)) as lobby:
        assert await lobby.sign_in.setup.issue() is None


async def test_a_made_up_link_is_none(lobby: Lobby) -> None:
    await token_of(lobby)
    for token in ("", "x", "\ud800", "a" * 43):
        assert not await lobby.sign_in.setup.is_open(token)


async def test_an_administrator_who_is_made_while_the_link_is_used_keeps_it_from_working(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await token_of(lobby)
    state = lobby.state
    take = state.take

    async def slowly(key: str):
        found = await take(key)
        await lobby.add("boss", "admin")
        return found

    monkeypatch.setattr(state, "take", slowly)
    answer = await lobby.sign_in.setup.use(HERE, token, "ann", GOOD)
    assert isinstance(answer, Refuse)
    assert answer.error is ErrorCode.NOT_FOUND


async def test_a_link_that_is_taken_in_between_is_over(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await token_of(lobby)

    async def taken(_key: str) -> None:
        return None

    monkeypatch.setattr(lobby.state, "take", taken)
    assert isinstance(await lobby.sign_in.setup.use(HERE, token, "ann", GOOD), Refuse)

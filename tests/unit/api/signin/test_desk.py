"""Passwords at the desk: who comes in, who waits, and what is on record."""

import asyncio

import pytest
from argon2 import PasswordHasher

from bascule.api.signin.desk import Credentials, PasswordRules
from bascule.api.signin.visits import Visit
from bascule.gateway.errors import ErrorCode, GatewayError, RecordingFailed
from bascule.gateway.record import Status
from bascule.gateway.verdict import Refuse
from bascule.identity.passwords import Passwords
from bascule.storage.repositories.users import Users
from unit.api.lobby import GOOD, Lobby, open_lobby
from unit.api.site import Site

HERE = Visit("c-1", "10.0.0.1", "Elk/1")


def given(name: str = "ann", password: str = GOOD, tenant: str = "default") -> Credentials:
    return Credentials(tenant, name, password)


async def refused(lobby: Lobby, credentials: Credentials, visit: Visit = HERE) -> Refuse:
    async with asyncio.timeout(10):
        found = await lobby.sign_in.desk.sign_in(visit, credentials)
    assert isinstance(found, Refuse)
    return found


async def test_who_knows_the_password_comes_in_and_is_on_record(lobby: Lobby) -> None:
    await lobby.add()
    ticket = await lobby.sign_in.desk.sign_in(HERE, given())
    assert not isinstance(ticket, Refuse)
    (record,) = lobby.events("sign_in")
    assert (record.status, record.user, record.peer) == (Status.SUCCESS, "ann", "10.0.0.1")
    assert record.metadata["by"] == "password"
    assert ticket.text not in repr(lobby.site.recorder.records)
    assert GOOD not in repr(lobby.site.recorder.records)
    async with lobby.site.rows() as (session, tenant_id):
        user = await Users(session, tenant_id).get("ann")
    assert user.last_sign_in_at == lobby.clock.now


async def test_every_reason_not_to_let_in_looks_the_same(lobby: Lobby) -> None:
    await lobby.add("ann")
    await lobby.add("bob")
    async with lobby.site.rows() as (session, tenant_id):
        await Users(session, tenant_id).set_active("bob", is_active=False)
        eve = await Users(session, tenant_id).get("ann")
        await Users(session, tenant_id).set_password_hash(eve.id, None)
    wrong = [
        given("ann"),
        given("bob"),
        given("nobody"),
        given("x" * 500),
        given("a\0b"),
        given("ann", "\ud800"),
        given("ann", tenant="acme"),
        given("ann", tenant="gone"),
        given("ann", tenant="a\0b"),
    ]
    answers = [await refused(lobby, one) for one in wrong]
    assert len({(one.error, one.public) for one in answers}) == 1
    assert answers[0].error is ErrorCode.INVALID_TOKEN
    reasons = [record.error_message for record in lobby.events("sign_in")]
    assert reasons[:3] == [
        "the account has no password",
        "the account is not active",
        "there is no such account",
    ]


async def test_a_name_that_is_nobodys_is_in_no_record(lobby: Lobby) -> None:
    await refused(lobby, given("my-password-typed-in-the-wrong-field"))
    assert "wrong-field" not in repr(lobby.site.recorder.records)
    assert lobby.events("sign_in")[0].user == ""


async def test_a_tenant_that_is_not_there_is_in_no_record(lobby: Lobby) -> None:
    await refused(lobby, given("ann", tenant="acme" * 100_000))
    assert lobby.events("sign_in")[0].tenant == ""
    assert "acmeacme" not in repr(lobby.site.recorder.records)


async def test_wrong_passwords_wait_and_so_does_the_right_one(lobby: Lobby) -> None:
    await lobby.add()
    for _ in range(5):
        assert (await refused(lobby, given(password="wrong"))).error is ErrorCode.INVALID_TOKEN
    locked = await refused(lobby, given())
    assert locked.error is ErrorCode.TOO_MANY_ATTEMPTS
    assert (locked.details or {})["retry_after_seconds"] == 900
    assert "15 minutes" in locked.public
    assert lobby.events("sign_in")[-1].error_code == "E1010"
    other = Visit("c-2", "10.9.9.9")
    assert (await refused(lobby, given(), other)).error is ErrorCode.TOO_MANY_ATTEMPTS
    lobby.clock.pass_by(minutes=14, seconds=59)
    assert "one second" in (await refused(lobby, given())).public
    lobby.clock.pass_by(seconds=1)
    assert not isinstance(await lobby.sign_in.desk.sign_in(HERE, given()), Refuse)


async def test_accounts_that_are_not_there_wait_just_the_same(lobby: Lobby) -> None:
    for _ in range(5):
        await refused(lobby, given("nobody"))
    assert (await refused(lobby, given("nobody"))).error is ErrorCode.TOO_MANY_ATTEMPTS


async def test_an_address_that_tries_many_accounts_waits_for_all(site: Site) -> None:
    async with open_lobby(site, attempts=1) as lobby:
        await lobby.add()
        for number in range(10):
            await refused(lobby, given(f"account-{number}"))
        assert (await refused(lobby, given())).error is ErrorCode.TOO_MANY_ATTEMPTS
        elsewhere = Visit("c", "10.0.0.2")
        assert not isinstance(await lobby.sign_in.desk.sign_in(elsewhere, given()), Refuse)


async def test_failures_of_strangers_do_not_fill_the_journal(site: Site) -> None:
    async with open_lobby(site, attempts=1000) as lobby:
        for number in range(70):
            await refused(lobby, given(f"account-{number}"))
        assert len(lobby.events("sign_in")) < 70 + 1


async def test_nobody_comes_in_where_it_cannot_be_recorded(lobby: Lobby) -> None:
    await lobby.add()
    lobby.site.recorder.fails = True
    with pytest.raises(RecordingFailed):
        await lobby.sign_in.desk.sign_in(HERE, given())
    async with lobby.site.rows() as (session, tenant_id):
        assert (await Users(session, tenant_id).get("ann")).last_sign_in_at is None


async def test_a_hash_of_old_parameters_is_made_anew_and_ends_no_session(lobby: Lobby) -> None:
    await lobby.add()
    old = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash(GOOD)
    async with lobby.site.rows() as (session, tenant_id):
        users = Users(session, tenant_id)
        before = await users.get("ann")
        await users.rehash(before.id, before.password_hash, old)
    assert not isinstance(await lobby.sign_in.desk.sign_in(HERE, given()), Refuse)
    async with lobby.site.rows() as (session, tenant_id):
        after = await Users(session, tenant_id).get("ann")
    assert after.password_hash not in {old, before.password_hash}
    assert after.password_changed_at == before.password_changed_at
    assert not isinstance(await lobby.sign_in.desk.sign_in(HERE, given()), Refuse)


async def test_a_password_that_is_changed_while_it_is_checked_opens_nothing(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lobby.add()
    matches = Passwords.matches

    async def slowly(self: Passwords, password: str, kept: str | None):
        found = await matches(self, password, kept)
        async with lobby.site.rows() as (session, tenant_id):
            users = Users(session, tenant_id)
            await users.set_password_hash((await users.get("ann")).id, "$other")
        return found

    monkeypatch.setattr(Passwords, "matches", slowly)
    assert (await refused(lobby, given())).error is ErrorCode.INVALID_TOKEN


async def test_where_there_are_no_passwords_none_is_looked_at(site: Site) -> None:
    async with open_lobby(site, rules=PasswordRules(local_accounts=False)) as lobby:
        await lobby.add()
        assert (await refused(lobby, given())).error is ErrorCode.FORBIDDEN


async def changed(lobby: Lobby, current: str, new: str, **options: object):
    ticket = await lobby.sign_in.desk.sign_in(HERE, given())
    assert not isinstance(ticket, Refuse)
    visitor = await lobby.sign_in.browsers.holder(ticket)
    assert not isinstance(visitor, Refuse)
    return ticket, await lobby.sign_in.desk.change_password(HERE, visitor, current, new)


async def test_a_new_password_ends_all_other_sessions_and_gives_this_one_a_new_cookie(
    lobby: Lobby,
) -> None:
    await lobby.add()
    other = await lobby.sign_in.desk.sign_in(HERE, given())
    old, ticket = await changed(lobby, GOOD, "an owl in the oven")
    assert not isinstance(ticket, Refuse)
    assert not isinstance(other, Refuse)
    holder = lobby.sign_in.browsers.holder
    assert isinstance(await holder(old), Refuse)
    assert isinstance(await holder(other), Refuse)
    assert not isinstance(await holder(ticket), Refuse)
    assert isinstance(await refused(lobby, given()), Refuse)
    assert [one.status for one in lobby.events("password.change")] == [Status.SUCCESS]
    assert "owl" not in repr(lobby.site.recorder.records)


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong", "an owl in the oven", "current"),
        (GOOD, "short", "password"),
        (GOOD, "password1234", "password"),
        (GOOD, GOOD, "password"),
    ],
)
async def test_a_new_password_has_to_be_good_and_the_old_one_known(
    lobby: Lobby, current: str, new: str, field: str
) -> None:
    await lobby.add()
    old, answer = await changed(lobby, current, new)
    assert isinstance(answer, Refuse)
    assert answer.error is ErrorCode.INVALID_VALUE
    assert (answer.details or {})["field"] == field
    assert not isinstance(await lobby.sign_in.browsers.holder(old), Refuse)


async def test_guessing_the_current_password_has_the_same_bounds(lobby: Lobby) -> None:
    await lobby.add()
    ticket = await lobby.sign_in.desk.sign_in(HERE, given())
    assert not isinstance(ticket, Refuse)
    visitor = await lobby.sign_in.browsers.holder(ticket)
    assert not isinstance(visitor, Refuse)
    change = lobby.sign_in.desk.change_password
    for _ in range(5):
        await change(HERE, visitor, "wrong", "an owl in the oven")
    answer = await change(HERE, visitor, GOOD, "an owl in the oven")
    assert isinstance(answer, Refuse)
    assert answer.error is ErrorCode.TOO_MANY_ATTEMPTS


async def test_who_has_no_password_here_changes_none(lobby: Lobby) -> None:
    await lobby.add()
    ticket = await lobby.sign_in.desk.sign_in(HERE, given())
    assert not isinstance(ticket, Refuse)
    visitor = await lobby.sign_in.browsers.holder(ticket)
    assert not isinstance(visitor, Refuse)
    async with lobby.site.rows() as (session, tenant_id):
        users = Users(session, tenant_id)
        await users.set_password_hash((await users.get("ann")).id, None)
    answer = await lobby.sign_in.desk.change_password(HERE, visitor, GOOD, "an owl in the oven")
    assert isinstance(answer, Refuse)
    assert answer.error is ErrorCode.FORBIDDEN


async def test_a_change_that_cannot_be_recorded_does_not_happen(lobby: Lobby) -> None:
    await lobby.add()
    ticket = await lobby.sign_in.desk.sign_in(HERE, given())
    assert not isinstance(ticket, Refuse)
    visitor = await lobby.sign_in.browsers.holder(ticket)
    assert not isinstance(visitor, Refuse)
    lobby.site.recorder.fails = True
    with pytest.raises(GatewayError):
        await lobby.sign_in.desk.change_password(HERE, visitor, GOOD, "an owl in the oven")
    lobby.site.recorder.fails = False
    assert not isinstance(await lobby.sign_in.desk.sign_in(HERE, given()), Refuse)

"""Whose a browser is: for how long, and when no more."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from starlette.requests import Request

from bascule.api.signin.browsers import Browsers, Lifetimes, claims_of
from bascule.api.signin.cookies import new_ticket
from bascule.api.signin.entries import Vouched
from bascule.api.signin.visits import Visit
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse
from bascule.storage.errors import DatabaseUnreachable
from bascule.storage.identity_tables import IssuerRow
from bascule.storage.repositories.issuers import document_of
from bascule.storage.repositories.sessions import Sessions
from bascule.storage.repositories.tenants import TenantChanges, Tenants
from bascule.storage.repositories.users import UserChanges, Users
from unit.api.lobby import ISSUER, Lobby, changed, open_lobby
from unit.api.site import Site, error_of


async def whoami(browser: httpx2.AsyncClient) -> httpx2.Response:
    async with asyncio.timeout(10):
        return await browser.get("/api/session")


async def test_a_browser_is_its_users_until_it_signs_out(lobby: Lobby) -> None:
    await lobby.add("ann", "developer")
    async with lobby.entered() as browser:
        body = (await whoami(browser)).json()
        assert (body["name"], body["tenant"], body["roles"]) == ("ann", "default", ["developer"])
        assert "tools:write" in body["permissions"]
        assert (await browser.get("/api/admin/tools")).status_code == 200
        assert (await browser.get("/api/admin/keys")).status_code == 403
        stolen = dict(browser.cookies)
        token = {"x-csrf-token": body["csrf_token"]}
        assert (await browser.delete("/api/session", headers=token)).status_code == 200
    async with lobby.browser() as thief:
        thief.cookies.update(stolen)
        answer = await whoami(thief)
    assert (answer.status_code, error_of(answer)["code"]) == (401, "E1003")


async def test_without_a_request_for_so_long_a_session_is_over(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        for _ in range(3):
            lobby.clock.pass_by(minutes=29)
            assert (await whoami(browser)).status_code == 200
        lobby.clock.pass_by(minutes=31)
        assert (await whoami(browser)).status_code == 401


async def test_after_so_long_a_session_is_over_however_busy_it_was(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        for _ in range(35):
            lobby.clock.pass_by(minutes=20)
            assert (await whoami(browser)).status_code == 200
        lobby.clock.pass_by(minutes=20)
        assert (await whoami(browser)).status_code == 401


async def test_when_a_session_was_seen_is_written_now_and_then(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        began = lobby.clock.now
        lobby.clock.pass_by(seconds=59)
        await whoami(browser)
        async with lobby.site.rows() as (session, tenant_id):
            user = await Users(session, tenant_id).get("ann")
            (kept,) = await Sessions(session, tenant_id).list(user.id, began)
        assert kept.seen_at == began
        lobby.clock.pass_by(seconds=1)
        await whoami(browser)
        async with lobby.site.rows() as (session, tenant_id):
            (kept,) = await Sessions(session, tenant_id).list(user.id, began)
        assert kept.seen_at == lobby.clock.now


async def test_another_process_does_not_forget_who_was_seen_by_this_one(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        ticket = lobby.sign_in.old_ticket(_request(browser))
        assert ticket is not None
        lobby.clock.pass_by(minutes=20)
        await whoami(browser)
        control = lobby.site.control
        cookies, lifetimes = lobby.sign_in.cookies, Lifetimes()
        other = Browsers(
            control.database, control.snapshot, control.refresh, cookies, lifetimes, lobby.clock
        )
        lobby.clock.pass_by(minutes=20)
        found = await other.holder(ticket)
    assert found.principal.subject == "ann"


def _request(browser: httpx2.AsyncClient):
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = [(b"host", b"127.0.0.1"), (b"cookie", cookie.encode())]
    return Request(
        {"type": "http", "method": "GET", "scheme": "http", "path": "/", "headers": headers}
    )


async def test_who_is_kept_out_is_out_with_the_next_request(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        assert (await whoami(browser)).status_code == 200
        async with lobby.site.rows() as (session, tenant_id):
            await Users(session, tenant_id).set_active("ann", is_active=False)
        assert (await whoami(browser)).status_code == 401


async def test_a_role_that_is_taken_away_is_gone_with_the_next_request(lobby: Lobby) -> None:
    await lobby.add("ann", "admin")
    async with lobby.entered() as browser:
        assert (await browser.get("/api/admin/keys")).status_code == 200
        async with lobby.site.rows() as (session, tenant_id):
            await Users(session, tenant_id).update("ann", UserChanges(roles=frozenset({"user"})))
        assert (await browser.get("/api/admin/keys")).status_code == 403


async def test_who_is_removed_is_out_even_where_the_session_was_just_read(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        assert (await whoami(browser)).status_code == 200
        async with lobby.site.rows() as (session, tenant_id):
            await Users(session, tenant_id).delete("ann")
        assert (await whoami(browser)).status_code == 401
        assert (await whoami(browser)).status_code == 401


async def test_nobody_of_an_inactive_tenant_comes_in(lobby: Lobby) -> None:
    await lobby.add(tenant="acme")
    async with lobby.browser() as browser:
        assert (await lobby.enter(browser, tenant="acme")).status_code == 303
        assert (await whoami(browser)).status_code == 200
        async with lobby.site.rows() as (session, _):
            await Tenants(session).update("acme", TenantChanges(is_active=False))
        assert (await whoami(browser)).status_code == 401


async def test_under_the_host_of_a_tenant_only_its_people_come_in(lobby: Lobby) -> None:
    await lobby.add("ann")
    await lobby.add("bob", tenant="acme")
    await lobby.add("root", "system_admin")
    async with lobby.site.rows() as (session, _):
        await Tenants(session).update("acme", TenantChanges(hosts=("localhost",)))
    for name, status in (("ann", 401), ("root", 200)):
        async with lobby.entered(name) as browser:
            answer = await browser.get("/api/session", headers={"host": "localhost"})
            assert answer.status_code == status
    async with lobby.browser("http://localhost") as browser:
        assert (await lobby.enter(browser, "bob")).status_code == 303
        assert (await whoami(browser)).json()["tenant"] == "acme"


async def test_a_cookie_that_is_none_of_ours_is_nobody(lobby: Lobby) -> None:
    await lobby.add()
    drawn = "a" * 43
    made = (new_ticket("default").text, new_ticket("gone").text)
    for value in ("x", *made, f"{drawn}.%ff", f"{drawn}.%00"):
        async with lobby.browser(cookie=f"bascule={value}") as browser:
            answer = await whoami(browser)
            assert (answer.status_code, error_of(answer)["code"]) == (401, "E1003"), value
    async with lobby.browser() as browser:
        assert error_of(await whoami(browser))["code"] == "E1001"


async def test_a_cookie_is_good_in_its_tenant_only(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        cookie = browser.cookies["bascule"]
    moved = cookie.replace(".default", ".acme")
    async with lobby.browser(cookie=f"bascule={moved}") as browser:
        assert (await whoami(browser)).status_code == 401


async def test_what_changes_something_needs_the_token_of_its_cookie(lobby: Lobby) -> None:
    await lobby.add("ann", "admin")
    async with lobby.entered() as browser, lobby.entered() as other:
        token = (await whoami(browser)).json()["csrf_token"]
        others = (await whoami(other)).json()["csrf_token"]

        async def make(name: str, **headers: str) -> httpx2.Response:
            return await browser.post("/api/admin/bundles", json={"name": name}, headers=headers)

        for headers in (
            {},
            {"x-csrf-token": "x"},
            {"x-csrf-token": others},
            {"x-csrf-token": token, "origin": "http://127.0.0.1:9999"},
            {"x-csrf-token": token, "sec-fetch-site": "same-site"},
        ):
            answer = await make("b", **headers)
            assert (answer.status_code, error_of(answer)["code"]) == (403, "E1011"), headers
        assert (await make("b", **{"x-csrf-token": token})).status_code == 201


async def test_a_key_beside_a_cookie_decides_alone(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        key = {"authorization": "Bearer bsc_default-admin"}
        assert (await browser.get("/api/admin/keys", headers=key)).status_code == 200
        wrong = {"authorization": "Bearer bsc_wrong"}
        assert (await browser.get("/api/admin/tools", headers=wrong)).status_code == 401


async def test_a_database_that_does_not_take_notes_stops_nobody(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise DatabaseUnreachable("No.", private="ECONNREFUSED")

    await lobby.add()
    async with lobby.entered() as browser:
        lobby.clock.pass_by(minutes=2)
        monkeypatch.setattr(Sessions, "touch", fail)
        assert (await whoami(browser)).status_code == 200


async def test_an_account_that_another_process_made_is_looked_for_once(site: Site) -> None:
    stale = site.control.snapshot()
    refreshed: list[int] = []

    async def refresh() -> Snapshot:
        refreshed.append(1)
        return await site.control.refresh()

    current = {"snapshot": stale}
    behind = replace(
        site,
        control=replace(site.control, snapshot=lambda: current["snapshot"], refresh=refresh),
    )
    async with open_lobby(site) as lobby:
        await lobby.add()
        async with lobby.entered() as browser:
            cookie = f"bascule={browser.cookies['bascule']}"
        async with open_lobby(behind) as other, other.browser(cookie=cookie) as same:
            assert (await whoami(same)).status_code == 200
    assert len(refreshed) == 1


async def test_what_an_issuer_said_is_mapped_by_its_record_as_it_is_now(lobby: Lobby) -> None:
    await lobby.add()
    await lobby.add_issuer()
    async with lobby.site.rows() as (session, tenant_id):
        user = await Users(session, tenant_id).get("ann")
    vouched = Vouched(ISSUER.issuer, claims_of({"Staff", "Unknown"}, {"desk"}), "corp")
    ticket = await lobby.sign_in.entries.open(Visit("c"), "default", user, vouched, None)
    assert ticket is not None
    holder = lobby.sign_in.browsers.holder
    found = await holder(ticket)
    assert (found.principal.roles, found.principal.groups) == ({"user"}, {"desk"})
    async with lobby.site.rows() as (session, tenant_id):
        Users(session, tenant_id)
        await _change_issuer(session, role_map={"Staff": ("viewer",)}, default_roles=("user",))
    assert (await holder(ticket)).principal.roles == {"viewer", "user"}
    async with lobby.site.rows() as (session, tenant_id):
        Users(session, tenant_id)
        await _change_issuer(session, is_active=False)
    assert "not believed" in (await holder(ticket)).private
    for elsewhere in ({"tenant_claim": "org", "tenants": {"a": "acme"}}, {}):
        async with lobby.site.rows() as (session, tenant_id):
            Users(session, tenant_id)
            await _change_issuer(session, **elsewhere)
        found = await holder(ticket)
        assert isinstance(found, Refuse) is bool(elsewhere), "its issuer leads to another tenant"


async def _change_issuer(session, *, is_active: bool = True, **members: object) -> None:
    row = (await session.scalars(select(IssuerRow))).one()
    row.is_active = is_active
    row.document = document_of(changed(ISSUER, **members))


async def test_only_so_many_sessions_are_kept_in_memory(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bascule.api.signin.browsers._MOST_KEPT", 1)
    await lobby.add()
    async with lobby.entered() as one, lobby.entered() as two:
        for browser in (one, two, one):
            assert (await whoami(browser)).status_code == 200
        assert len(lobby.sign_in.browsers._known) == 1


async def test_what_ends_while_it_is_read_is_not_kept(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lobby.add()
    find = Sessions.find

    async def slowly(self: Sessions, digest: bytes):
        found = await find(self, digest)
        lobby.sign_in.browsers.forget(UUID(int=0))
        return found

    async with lobby.entered() as browser:
        monkeypatch.setattr(Sessions, "find", slowly)
        assert (await whoami(browser)).status_code == 200
        assert lobby.sign_in.browsers._known == {}


def test_how_old_what_is_stored_may_be_follows_from_the_idle_time() -> None:
    assert Lifetimes().touch_seconds == 60.0
    assert Lifetimes(idle=timedelta(minutes=1)).touch_seconds == 6.0

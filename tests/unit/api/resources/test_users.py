"""People are managed by those who can do as much as they, and somebody always can."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2
import pytest

from bascule.gateway.principal import Person
from bascule.gateway.record import Status
from bascule.identity.passwords import Match
from bascule.storage.errors import DatabaseUnreachable
from bascule.storage.repositories.grants import UserGrants
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.users import Users
from unit.api.equipment import QUICK_PASSWORDS, equipped
from unit.api.people import add_person, add_user, as_visitor, revoke_key, visited
from unit.api.site import Site, add_key, altered, contents, error_of
from unit.api.uses import grant_of

PATH = "/api/admin/users"


async def make(site: Site, name: str = "asha", role: str = "admin", **members: Any) -> Any:
    response = await site.post(PATH, role, json={"name": name, **members})
    assert response.status_code == 201, response.text
    return response.json()


async def patch(site: Site, name: str, key: str | None = None, **members: Any) -> httpx2.Response:
    return await site.ask("PATCH", f"{PATH}/{name}", key=key, json=members)


async def test_a_person_is_added_and_shown_without_anything_to_use(site: Site) -> None:
    made = await make(
        site, display_name="Asha Rao", email="asha@example.org", roles=["user", "viewer", "user"]
    )
    assert (made["name"], made["roles"], made["created_by"]) == (
        "asha",
        ["user", "viewer"],
        "admin",
    )
    assert (made["is_active"], made["has_password"], made["identities"]) == (True, False, [])
    assert (await site.get(f"{PATH}/asha")).json() == made
    assert "password_hash" not in made
    listed = (await site.get(PATH)).json()
    assert listed == {"users": [made], "total": 1, "page": 1, "limit": 50}


async def test_people_are_searched_and_given_in_pages(site: Site) -> None:
    for name in ("asha", "bo", "cleo"):
        await make(site, name, email=f"{name}@example.org")
    await site.post(f"{PATH}/bo/deactivate")
    for query, names in {
        "search=O@": ["bo", "cleo"],
        "active=false": ["bo"],
        "active=true": ["asha", "cleo"],
        "page=2&limit=2": ["cleo"],
    }.items():
        found = (await site.get(f"{PATH}?{query}")).json()
        assert sorted(one["name"] for one in found["users"]) == sorted(names), query
    assert error_of(await site.get(f"{PATH}?limit=501"))["code"] == "E2004"


async def test_the_record_of_a_change_says_what_was_and_what_is(site: Site) -> None:
    await make(site, roles=["user"])
    assert site.recorder.last.metadata == {"target": "asha", "roles": ["user"]}
    assert (await patch(site, "asha", roles=["viewer"])).is_success
    metadata = site.recorder.last.metadata
    assert metadata["target"] == "asha"
    assert metadata["before"] == {
        "roles": ["user"], "display_name": "", "email": "", "is_active": True,
    }  # fmt: skip
    assert metadata["after"] == {
        "roles": ["viewer"], "display_name": "", "email": "", "is_active": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", " asha", "asha ", "a\nb", "a\x1b[2Jb", "a|b", "a/b", "..", "x" * 201),
        *("asha\u202egnp.", "a\u200bb", "a\u2066b", "\u0065\u0301va", "a\ud800"),
    ],
)
async def test_a_name_reads_as_it_is_stored(site: Site, name: str) -> None:
    response = await site.post(
        PATH,
        content=json.dumps({"name": name}),
        headers={"content-type": "application/json"},
    )
    assert (response.status_code, error_of(response)["code"]) == (400, "E2004")


@pytest.mark.parametrize("name", ["asha@example.org", "Åsa Öberg", "साधना", "a b", "100%", "a?b#c"])
async def test_other_names_are_kept_and_found(site: Site, name: str) -> None:
    await make(site, name)
    await add_user(site, "another")
    assert (await site.delete(f"{PATH}/{quote(name, safe='')}")).json() == {"removed": name}
    assert (await site.get(PATH)).json()["total"] == 1


async def test_what_makes_no_sense_is_refused(site: Site, subtests: pytest.Subtests) -> None:
    await make(site, "Asha")
    for wrong, code in (
        ({"name": "asha"}, "E2012"),
        ({"name": "bo", "roles": ["usr"]}, "E2004"),
        ({"name": "bo", "roles": ["user"] * 21}, "E2004"),
        ({"name": "bo", "email": "nobody"}, "E2004"),
        ({"name": "bo", "email": "a b@c"}, "E2004"),
        ({"name": "bo", "display_name": "a\nb"}, "E2004"),
        ({"name": "bo", "password": "x"}, "E2004"),
        ({}, "E2003"),
    ):
        with subtests.test(str(wrong)):
            before = contents(site)
            assert error_of(await site.post(PATH, json=wrong))["code"] == code
            assert contents(site) == before
    for path in ("bo", "asha", "%00"):
        assert (await site.get(f"{PATH}/{path}")).status_code in {400, 404}


async def porter(site: Site) -> str:
    """The key of somebody who manages users and lists tools, and no more."""
    async with site.rows() as (session, tenant_id):
        await Roles(session, tenant_id).create("porter", "", ["users:manage", "tools:list"])
        await add_key(session, tenant_id, "porter", "bsc_porter")
    return "bsc_porter"


async def test_nobody_makes_somebody_who_may_do_what_they_may_not(site: Site) -> None:
    key = await porter(site)
    refused = await site.post(PATH, key=key, json={"name": "x", "roles": ["admin"]})
    assert (refused.status_code, error_of(refused)["details"]["role"]) == (403, "admin")
    await make(site, "asha", roles=["porter"])
    for roles in (["porter", "user"], ["admin"], ["system_admin"]):
        assert (await patch(site, "asha", key, roles=roles)).status_code == 403
    assert (await patch(site, "asha", key, roles=[])).status_code == 200
    assert (await patch(site, "asha", key, roles=["porter"])).status_code == 200


async def test_only_a_system_administrator_makes_another_one(site: Site) -> None:
    wanted = {"name": "root", "roles": ["system_admin"]}
    assert (await site.post(PATH, "admin", json=wanted)).status_code == 403
    assert (await site.post(PATH, "system_admin", json=wanted)).status_code == 201


async def test_a_role_is_given_by_who_has_it_and_not_just_what_it_permits(site: Site) -> None:
    async with site.rows() as (session, tenant_id):
        roles = Roles(session, tenant_id)
        await roles.create("porter", "", ["users:manage", "tools:list", "tools:execute"])
        await roles.create("payer", "Access rules let it pay.", ["tools:execute"])
        await add_key(session, tenant_id, "porter", "bsc_porter")
    refused = await site.post(PATH, key="bsc_porter", json={"name": "x", "roles": ["payer"]})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
    assert "You do not have the role payer" in error_of(refused)["message"]
    assert (await site.post(PATH, json={"name": "x", "roles": ["payer"]})).status_code == 201


async def test_nobody_touches_somebody_who_can_do_more(site: Site) -> None:
    key = await porter(site)
    await make(site, "boss", roles=["admin"])
    for method, path, body in (
        ("PATCH", "", {"email": "x@example.org"}),
        ("PATCH", "", {"roles": []}),
        ("DELETE", "", None),
        ("POST", "/deactivate", None),
        ("POST", "/activate", None),
        ("POST", "/password", {}),
        ("POST", "/sign-out", None),
    ):
        async with equipped(site) as whole:
            options = {} if body is None else {"json": body}
            response = await whole.ask(method, f"{PATH}/boss{path}", key=key, **options)
        assert response.status_code == 403, path


async def test_a_system_administrator_signs_anybody_out(site: Site) -> None:
    await make(site, "boss", roles=["admin"])
    assert (await site.post(f"{PATH}/boss/sign-out", "system_admin")).status_code == 200


async def test_changed_roles_count_with_the_next_request(site: Site) -> None:
    key = await add_person(site, "asha", "developer")
    assert (await site.get("/api/admin/tools", key=key)).status_code == 200
    assert (await patch(site, "asha", roles=["user"])).is_success
    assert (await site.get("/api/admin/tools", key=key)).status_code == 403


async def test_who_is_deactivated_is_out_at_once_and_back_when_activated(site: Site) -> None:
    key = await add_person(site, "asha", "developer")
    async with visited(site) as other:
        asha = as_visitor(await id_of(other, "asha"))
        assert (await other.get("/api/me", None, headers=asha)).status_code == 200
        shown = (await other.post(f"{PATH}/asha/deactivate")).json()
        assert (shown["is_active"], shown["signed_out_at"] is not None) == (False, True)
        for options in ({"key": key}, {"role": None, "headers": asha}):
            refused = await other.get("/api/me", **options)
            assert (refused.status_code, error_of(refused)["code"]) == (401, "E1002")
        assert (await other.post(f"{PATH}/asha/activate")).json()["is_active"]
        assert (await other.get("/api/me", key=key)).status_code == 200


async def id_of(site: Site, name: str) -> UUID:
    async with site.rows() as (session, tenant_id):
        return (await Users(session, tenant_id).get(name)).id


@pytest.mark.parametrize("how", ["deactivate", "delete"])
async def test_who_is_shut_out_is_out_even_where_no_new_snapshot_can_be_had(
    site: Site, how: str
) -> None:
    key = await add_person(site, "asha", "developer")
    asha = as_visitor(await id_of(site, "asha"))

    async def refresh() -> Any:
        raise DatabaseUnreachable("The database does not answer.")

    async with altered(site, refresh=refresh) as other:
        method, path = ("POST", "/deactivate") if how == "deactivate" else ("DELETE", "")
        assert (await other.ask(method, f"{PATH}/asha{path}")).status_code == 503
    assert (await site.get("/api/me", key=key)).status_code == 401
    async with visited(site) as other:
        assert (await other.get("/api/me", None, headers=asha)).status_code == 401


async def test_signing_out_ends_sessions_and_not_keys(site: Site) -> None:
    key = await add_person(site, "asha", "developer")
    async with visited(site) as other:
        asha = as_visitor(await id_of(other, "asha"))
        assert (await other.post(f"{PATH}/asha/sign-out")).json()["signed_out_at"]
        assert (await other.get("/api/me", None, headers=asha)).status_code == 401
        assert (await other.get("/api/me", key=key)).status_code == 200


async def test_who_is_removed_is_gone_with_their_keys(site: Site) -> None:
    key = await add_person(site, "asha", "developer")
    assert (await site.delete(f"{PATH}/asha")).json() == {"removed": "asha"}
    before = site.recorder.last.metadata["before"]
    assert before["roles"] == ["developer"]  # type: ignore[index]
    assert (await site.get("/api/me", key=key)).status_code == 401
    missing = await site.delete(f"{PATH}/asha")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "E2011")


async def hash_of(site: Site, name: str) -> str | None:
    async with site.rows() as (session, tenant_id):
        return (await Users(session, tenant_id).get(name)).password_hash


async def test_a_password_that_is_given_is_kept_and_never_told(site: Site) -> None:
    await make(site)
    given = "four horses and a wagon"
    async with equipped(site) as whole:
        response = await whole.post(f"{PATH}/asha/password", json={"password": given})
    assert response.json() == {"name": "asha", "password": None}
    assert await QUICK_PASSWORDS.matches(given, await hash_of(site, "asha")) is not Match.NO
    for place in (repr(contents(site)), repr(site.recorder.records), response.text):
        assert given not in place
    shown = (await site.get(f"{PATH}/asha")).json()
    assert shown["has_password"]
    assert shown["signed_out_at"] is not None


async def test_a_password_that_is_made_up_is_shown_once(site: Site) -> None:
    await make(site)
    async with equipped(site) as whole:
        shown = [(await whole.post(f"{PATH}/asha/password", json={})).json() for _ in range(2)]
    first, second = (one["password"] for one in shown)
    assert first != second
    assert len(second) >= 24
    kept = await hash_of(site, "asha")
    assert await QUICK_PASSWORDS.matches(first, kept) is Match.NO
    assert await QUICK_PASSWORDS.matches(second, kept) is not Match.NO
    assert second not in repr(contents(site))
    assert second not in repr(site.recorder.records)
    assert site.recorder.last.metadata == {"target": "asha", "made_up": True}


@pytest.mark.parametrize("password", ["short", "password1234", "asha asha asha", "x" * 257, ""])
async def test_a_password_that_is_guessed_first_is_refused(site: Site, password: str) -> None:
    await make(site)
    async with equipped(site) as whole:
        response = await whole.post(f"{PATH}/asha/password", json={"password": password})
    assert (response.status_code, error_of(response)["code"]) == (400, "E2004")
    assert await hash_of(site, "asha") is None


async def test_where_there_are_no_passwords_none_is_set(site: Site) -> None:
    await make(site)
    async with altered(site, passwords=None) as other:
        response = await other.post(f"{PATH}/asha/password", json={})
    assert (response.status_code, error_of(response)["code"]) == (400, "E2004")


# Somebody must be left who can set things right.


async def only(site: Site, *people: str, role: str = "admin") -> list[str]:
    """A tenant whose only administrators are these people; gives their keys."""
    keys = [await add_person(site, name, role, tenant="acme") for name in people]
    await revoke_key(site, "admin", "acme")
    return keys


_ENDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/{name}/deactivate", {}),
    ("DELETE", "/{name}", {}),
    ("PATCH", "/{name}", {"json": {"roles": ["user"]}}),
)


@pytest.mark.parametrize(("method", "path", "options"), _ENDS)
async def test_the_last_administrator_stays(
    site: Site, method: str, path: str, options: dict[str, Any]
) -> None:
    (asha,) = await only(site, "asha")
    headers = {"x-bascule-tenant": "acme"}
    before = contents(site)
    for caller in ({"key": asha}, {"role": "system_admin", "headers": headers}):
        refused = await site.ask(method, PATH + path.format(name="asha"), **caller, **options)
        error = error_of(refused)
        assert (refused.status_code, error["code"]) == (409, "E2012")
        assert "last active administrator of this tenant" in error["message"]
        assert site.recorder.last.status is Status.FAILURE
    assert contents(site) == before
    assert (await site.get(PATH, key=asha)).status_code == 200


@pytest.mark.parametrize(("method", "path", "options"), _ENDS)
async def test_nobody_takes_their_own_rights_away(
    site: Site, method: str, path: str, options: dict[str, Any]
) -> None:
    asha, bo = await only(site, "asha", "bo")
    own = await site.ask(method, PATH + path.format(name="asha"), key=asha, **options)
    assert (own.status_code, error_of(own)["code"]) == (409, "E2012")
    assert "Ask another administrator" in error_of(own)["message"]
    others = await site.ask(method, PATH + path.format(name="asha"), key=bo, **options)
    assert others.status_code == 200, others.text


@pytest.mark.parametrize(("method", "path", "options"), _ENDS)
async def test_of_two_administrators_who_end_each_other_one_stays(
    site: Site, method: str, path: str, options: dict[str, Any]
) -> None:
    asha, bo = await only(site, "asha", "bo")
    answers = await asyncio.gather(
        site.ask(method, PATH + path.format(name="bo"), key=asha, **options),
        site.ask(method, PATH + path.format(name="asha"), key=bo, **options),
    )
    codes = sorted(one.status_code for one in answers)
    assert codes[0] == 200
    assert codes[1] in {401, 403, 409}
    left = [key for key in (asha, bo) if (await site.get(PATH, key=key)).status_code == 200]
    assert len(left) == 1


async def test_the_last_system_administrator_stays(site: Site) -> None:
    await add_person(site, "root", "system_admin")
    await revoke_key(site, "system_admin")
    refused = await site.ask("DELETE", f"{PATH}/root", key="bsc_root")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    assert "last active system administrator" in error_of(refused)["message"]
    await add_person(site, "second", "system_admin")
    assert (await site.ask("DELETE", f"{PATH}/root", key="bsc_second")).status_code == 200


async def test_who_expires_one_day_is_no_substitute(site: Site) -> None:
    (asha,) = await only(site, "asha")
    wanted = {"name": "soon", "roles": ["admin"], "expires_in_days": 30}
    made = await site.post("/api/admin/keys", key=asha, json=wanted)
    refused = await site.ask("DELETE", f"{PATH}/asha", key=made.json()["key"])
    assert refused.status_code == 409


async def test_a_group_is_no_administrator(site: Site) -> None:
    (asha,) = await only(site, "asha")
    put = await site.ask("PUT", "/api/admin/groups/admins", key=asha, json={"roles": ["admin"]})
    assert put.is_success
    assert (await site.ask("DELETE", f"{PATH}/asha", key=asha)).status_code == 409


async def test_a_system_administrator_acts_elsewhere_and_the_record_says_so(site: Site) -> None:
    headers = {"x-bascule-tenant": "acme"}
    made = await site.post(PATH, "system_admin", json={"name": "asha"}, headers=headers)
    assert made.status_code == 201
    record = site.recorder.last
    assert (record.tenant, record.user) == ("acme", "system_admin")
    assert record.metadata["home_tenant"] == "default"
    assert (await site.get(f"{PATH}/asha", tenant="acme")).status_code == 200
    assert (await site.get(f"{PATH}/asha")).status_code == 404
    refused = await site.post(PATH, "admin", json={"name": "bo"}, headers=headers)
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
    assert "home_tenant" not in site.recorder.last.metadata


async def test_when_somebody_signed_in_is_told_in_utc(site: Site) -> None:
    user_id = await add_user(site, "asha")
    async with site.rows() as (session, tenant_id):
        moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
        await Users(session, tenant_id).note_sign_in(user_id, moment)
    shown = (await site.get(f"{PATH}/asha")).json()
    assert shown["last_sign_in_at"] == "2026-07-01T12:00:00Z"


# Identities: how issuers call people.

IDP = "https://id.example"
ANN = {"issuer": IDP, "subject": "s-1"}


async def believe(site: Site, *, tenant: str = "default", name: str = "corp") -> None:
    body = {"name": name, "issuer": IDP if name == "corp" else f"https://{name}.example"}
    made = await site.post("/api/admin/issuers", "system_admin", json={**body, "tenant": tenant})
    assert made.status_code == 201, made.text


async def link(site: Site, name: str, key: str | None = None, **members: Any) -> httpx2.Response:
    return await site.post(f"{PATH}/{name}/identities", key=key, json={**ANN, **members})


async def unlink(site: Site, name: str, key: str | None = None, **members: Any) -> httpx2.Response:
    path = f"{PATH}/{name}/identities"
    return await site.ask("DELETE", path, key=key, params={**ANN, **members})


async def identities(site: Site, name: str) -> list[str]:
    found = (await site.get(f"{PATH}/{name}/identities")).json()
    assert (found["user"], found["total"]) == (name, len(found["identities"]))
    return [one["subject"] for one in found["identities"]]


async def test_an_identity_is_linked_shown_and_unlinked(site: Site) -> None:
    await believe(site)
    await make(site, roles=["user"])
    made = await link(site, "asha")
    assert (made.status_code, made.json()["issuer_name"]) == (201, "corp")
    assert site.recorder.last.metadata == {"target": "asha", **ANN}
    assert (await link(site, "asha")).json() == made.json()
    shown = (await site.get(f"{PATH}/asha/identities")).json()
    assert shown == {"user": "asha", "identities": [made.json()], "total": 1}
    assert known(site)[IDP, "s-1"].name == "asha"
    assert (await unlink(site, "asha")).json() == {"user": "asha", **ANN}
    assert site.recorder.last.action == "user.identity.unlink"
    assert await identities(site, "asha") == []
    assert (IDP, "s-1") not in known(site)
    missing = await unlink(site, "asha")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "E2011")
    assert (await site.get(f"{PATH}/bo/identities")).status_code == 404


def known(site: Site, tenant: str = "default") -> Mapping[tuple[str, str], Person]:
    return site.control.snapshot().tenant(tenant).people


async def test_unlinking_ends_sessions_and_what_upstreams_gave(site: Site) -> None:
    await believe(site)
    await make(site, roles=["user"])
    await link(site, "asha")
    user_id = await id_of(site, "asha")
    owners = (f"user|{user_id}", f"token|{IDP}|s-1", "key|other")
    for owner in owners:
        await grant_of(site, owner)
    async with visited(site) as other:
        asha = as_visitor(user_id)
        assert (await other.get("/api/me", None, headers=asha)).status_code == 200
        assert (await unlink(other, "asha")).is_success
        assert (await other.get("/api/me", None, headers=asha)).status_code == 401
    assert await grant_owners(site) == {"key|other"}


async def grant_owners(site: Site) -> set[str]:
    async with site.rows() as (session, tenant_id):
        return {one.key.owner for one in await UserGrants(session, tenant_id).all()}


async def test_what_was_given_before_an_identity_was_linked_is_nobodys(site: Site) -> None:
    await believe(site)
    await make(site)
    for owner in (f"token|{IDP}|s-1", f"token|{IDP}|s-2"):
        await grant_of(site, owner)
    assert (await link(site, "asha")).is_success
    assert await grant_owners(site) == {f"token|{IDP}|s-2"}


async def test_an_identity_of_somebody_else_is_a_conflict_until_it_is_moved(site: Site) -> None:
    await believe(site)
    for name in ("asha", "bo"):
        await make(site, name)
    await link(site, "bo")
    taken = await link(site, "asha")
    assert (taken.status_code, error_of(taken)["details"]) == (409, {"user": "bo"})
    wrong = await link(site, "asha", subject="s-2", from_user="bo")
    assert (wrong.status_code, error_of(wrong)["code"]) == (404, "E2011")
    moved = await link(site, "asha", from_user="bo")
    assert moved.status_code == 201
    assert site.recorder.last.metadata == {"target": "asha", **ANN, "from_user": "bo"}
    assert (await identities(site, "asha"), await identities(site, "bo")) == (["s-1"], [])
    assert (await site.get(f"{PATH}/bo")).json()["signed_out_at"] is not None
    assert (await link(site, "asha", from_user="asha")).status_code == 201
    assert await identities(site, "asha") == ["s-1"]


async def test_another_tenants_user_of_the_same_identity_is_not_told_of(site: Site) -> None:
    headers = {"x-bascule-tenant": "acme"}
    issuer = {
        "name": "corp", "issuer": IDP, "tenant_claim": "org",
        "tenants": {"d": "default", "a": "acme"},
    }  # fmt: skip
    assert (await site.post("/api/admin/issuers", "system_admin", json=issuer)).is_success
    await add_user(site, "zoe", tenant="acme")
    there = f"{PATH}/zoe/identities"
    assert (await site.post(there, "system_admin", json=ANN, headers=headers)).status_code == 201
    await make(site)
    assert (await link(site, "asha")).status_code == 201
    hidden = await link(site, "asha", subject="s-2", from_user="zoe")
    assert hidden.status_code == 404
    assert known(site)[IDP, "s-1"].name == "asha"
    assert known(site, "acme")[IDP, "s-1"].name == "zoe"


async def test_nobody_becomes_or_undoes_somebody_who_can_do_more(site: Site) -> None:
    await believe(site)
    key = await porter(site)
    await make(site, "boss", roles=["admin"])
    await make(site, "asha", roles=["porter"])
    before = contents(site)
    assert (await link(site, "boss", key)).status_code == 403
    assert contents(site) == before
    await link(site, "boss")
    for refused in (
        await unlink(site, "boss", key),
        await link(site, "asha", key, from_user="boss"),
    ):
        assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
    assert await identities(site, "boss") == ["s-1"]
    assert (await link(site, "asha", key, subject="s-2")).status_code == 201
    assert (await unlink(site, "asha", key, subject="s-2")).status_code == 200
    assert (await site.get(f"{PATH}/boss/identities", key=key)).status_code == 200


async def test_the_last_administrators_last_way_in_stays(site: Site) -> None:
    await believe(site, tenant="acme")
    for name, roles in (("asha", ["admin"]), ("bo", ["user"]), ("cleo", ["admin"])):
        await add_user(site, name, *roles, tenant="acme", can_sign_in=False)
    headers = {"x-bascule-tenant": "acme"}
    options: dict[str, Any] = {"role": "system_admin", "headers": headers}
    path = f"{PATH}/asha/identities"
    assert (await site.post(path, json=ANN, **options)).status_code == 201
    await revoke_key(site, "admin", "acme")
    for refused in (
        await site.delete(path, params=ANN, **options),
        await site.post(f"{PATH}/bo/identities", json={**ANN, "from_user": "asha"}, **options),
    ):
        assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
        assert "last active administrator of this tenant" in error_of(refused)["message"]
    # To another administrator it may go: there is a way in before and after.
    moved = {**ANN, "from_user": "asha"}
    answer = await site.post(f"{PATH}/cleo/identities", json=moved, **options)
    assert answer.status_code == 201, answer.text


async def test_nobody_comes_in_by_an_issuer_that_leads_elsewhere(
    site: Site, subtests: pytest.Subtests
) -> None:
    await make(site)
    none = await link(site, "asha")
    assert "issuers add" in error_of(none)["message"]
    await believe(site)
    await believe(site, tenant="acme", name="others")
    for issuer, said in (
        (f"{IDP}/", f"Did you mean {IDP}?"),
        ("https://others.example", IDP),
        ("certificate", "There are"),
    ):
        with subtests.test(issuer):
            refused = await link(site, "asha", issuer=issuer)
            error = error_of(refused)
            assert (refused.status_code, error["code"]) == (400, "E2004")
            assert error["details"] == {"field": "issuer"}
            assert said in error["message"]
    off = {"is_active": False}
    await link(site, "asha")
    await site.post("/api/admin/issuers/corp/status", "system_admin", json=off)
    shown = (await site.get(f"{PATH}/asha/identities")).json()
    assert shown["identities"][0]["issuer_name"] is None
    assert (await unlink(site, "asha")).status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"issuer": ""}, {"subject": ""}, {"subject": "a\nb"}, {"subject": "x" * 501}], ids=str
)
async def test_an_identity_that_can_be_none_is_refused(site: Site, wrong: dict[str, str]) -> None:
    await believe(site)
    await make(site)
    for refused in (await link(site, "asha", **wrong), await unlink(site, "asha", **wrong)):
        assert (refused.status_code, error_of(refused)["code"]) == (400, "E2004")

"""Callers learn who they are, and make keys that have no more than they."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.users import UserChanges, Users
from unit.api.people import add_person, add_user, as_visitor, visited
from unit.api.site import Site, error_of

KEYS = "/api/me/keys"


@pytest.fixture
async def lounge(site: Site) -> AsyncIterator[Site]:
    """A site that people sign in to."""
    async with visited(site) as other:
        yield other


async def make(site: Site, user_id: UUID, **members: Any) -> Any:
    wanted = {"name": "laptop", **members}
    return await site.post(KEYS, None, headers=as_visitor(user_id), json=wanted)


async def test_a_key_is_told_what_it_is(site: Site) -> None:
    shown = (await site.get("/api/me", "operator")).json()
    assert (shown["name"], shown["tenant"], shown["home_tenant"]) == (
        "operator", "default", "default",
    )  # fmt: skip
    assert (shown["means"], shown["roles"], shown["user_id"]) == ("api_key", ["operator"], None)
    assert shown["key_id"]
    assert "tools:list" in shown["permissions"]
    assert "tools:write" not in shown["permissions"]


async def test_a_system_administrator_is_told_where_they_act(site: Site) -> None:
    headers = {"x-bascule-tenant": "acme"}
    shown = (await site.get("/api/me", "system_admin", headers=headers)).json()
    assert (shown["tenant"], shown["home_tenant"]) == ("acme", "default")
    assert len(shown["permissions"]) == 16


async def test_who_signed_in_is_told_as_who(lounge: Site) -> None:
    asha = await add_user(lounge, "asha", "user")
    async with lounge.rows() as (session, tenant_id):
        await Users(session, tenant_id).update("asha", UserChanges("Asha Rao", "a@example.org"))
    shown = (await lounge.get("/api/me", None, headers=as_visitor(asha))).json()
    assert (shown["name"], shown["display_name"], shown["email"]) == (
        "asha", "Asha Rao", "a@example.org",
    )  # fmt: skip
    assert (shown["means"], shown["user_id"], shown["key_id"]) == ("session", str(asha), None)
    assert shown["permissions"] == ["tools:list", "tools:execute"]


async def test_a_personal_key_acts_for_who_made_it(lounge: Site) -> None:
    asha = await add_user(lounge, "asha", "user", "viewer")
    made = (await make(lounge, asha, expires_in_days=7)).json()
    assert (made["name"], made["roles"], made["scopes"]) == ("laptop", ["user", "viewer"], None)
    assert made["expires_at"] is not None
    shown = (await lounge.get("/api/me", key=made["key"])).json()
    assert (shown["name"], shown["user_id"], shown["means"]) == ("asha", str(asha), "api_key")
    record = lounge.recorder.records[-1]
    assert (record.action, record.user) == ("key.create_own", "asha")
    assert made["key"] not in repr(record)
    listed = (await lounge.get(KEYS, None, headers=as_visitor(asha))).json()
    del made["key"]
    assert listed == {"keys": [made], "total": 1}
    managed = (await lounge.get("/api/admin/keys")).json()["keys"]
    assert [one["user"] for one in managed if one["name"] == "laptop"] == ["asha"]


async def test_a_personal_key_ends_when_its_owner_says(lounge: Site) -> None:
    asha, bo = await add_user(lounge, "asha", "user"), await add_user(lounge, "bo", "user")
    made = (await make(lounge, asha)).json()
    path = f"{KEYS}/{made['key_id']}"
    strange = await lounge.delete(path, None, headers=as_visitor(bo))
    assert (strange.status_code, error_of(strange)["code"]) == (404, "E2011")
    gone = await lounge.delete(path, None, headers=as_visitor(asha))
    assert gone.json()["revoked_at"] is not None
    assert lounge.recorder.last.action == "key.revoke_own"
    assert (await lounge.get("/api/me", key=made["key"])).status_code == 401
    missing = await lounge.delete(f"{KEYS}/{uuid4()}", None, headers=as_visitor(asha))
    assert missing.status_code == 404


async def test_people_name_their_keys_as_they_like(lounge: Site) -> None:
    asha, bo = await add_user(lounge, "asha", "user"), await add_user(lounge, "bo", "user")
    assert (await make(lounge, asha)).status_code == 201
    assert (await make(lounge, bo)).status_code == 201
    again = await make(lounge, asha)
    assert (again.status_code, error_of(again)["code"]) == (409, "E2012")


async def test_a_key_never_has_what_its_owner_was_not_given(lounge: Site) -> None:
    asha = await add_user(lounge, "asha", "user")
    bo = await add_user(lounge, "bo")
    for user_id, members, status in (
        (asha, {"roles": ["admin"]}, 400),
        (asha, {"roles": ["user", "boss"]}, 400),
        (asha, {"scopes": ["tools:write"]}, 403),
        (asha, {"scopes": ["tools:lst"]}, 400),
        (bo, {}, 400),
        (bo, {"roles": ["user"]}, 400),
    ):
        refused = await make(lounge, user_id, **members)
        assert refused.status_code == status, members
    assert "not given any role" in error_of(await make(lounge, bo))["message"]
    made = (await make(lounge, asha, scopes=["tools:list"])).json()
    shown = (await lounge.get("/api/me", key=made["key"])).json()
    assert (shown["permissions"], shown["withheld"]) == (["tools:list"], ["tools:execute"])


async def test_a_key_has_no_more_than_the_sign_in_it_was_made_with(site: Site) -> None:
    asha = await add_user(site, "asha", "developer")
    async with visited(site, frozenset({"tools:list"})) as limited:
        made = (await make(limited, asha)).json()
        assert made["scopes"] == ["tools:list"]
        assert (await make(limited, asha, name="b", scopes=["tools:write"])).status_code == 403
    assert (await site.get("/api/admin/tools", key=made["key"])).status_code == 403


async def test_a_key_loses_what_its_owner_loses(lounge: Site) -> None:
    asha = await add_user(lounge, "asha", "developer", "user")
    made = (await make(lounge, asha)).json()
    assert (await lounge.get("/api/admin/tools", key=made["key"])).status_code == 200
    await lounge.ask("PATCH", "/api/admin/users/asha", json={"roles": ["user"]})
    assert (await lounge.get("/api/admin/tools", key=made["key"])).status_code == 403


async def test_a_key_makes_no_keys(site: Site) -> None:
    key = await add_person(site, "asha", "developer")
    refused = await site.post(KEYS, key=key, json={"name": "more"})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
    assert "Sign in" in error_of(refused)["message"]
    assert (await site.get(KEYS, key=key)).json()["total"] == 1


async def test_only_who_has_an_account_has_keys_of_their_own(site: Site) -> None:
    headers = {"x-bascule-tenant": "acme"}
    for options in ({"role": "user"}, {"role": "system_admin", "headers": headers}):
        for answer in (
            await site.get(KEYS, **options),
            await site.post(KEYS, json={"name": "x"}, **options),
            await site.delete(f"{KEYS}/{uuid4()}", **options),
        ):
            assert (answer.status_code, error_of(answer)["code"]) == (403, "E1004")


async def test_nobody_has_keys_without_end(lounge: Site) -> None:
    asha = await add_user(lounge, "asha", "user")
    for number in range(25):
        assert (await make(lounge, asha, name=f"k{number}")).status_code == 201
    refused = await make(lounge, asha, name="k26")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    first = (await lounge.get(KEYS, None, headers=as_visitor(asha))).json()["keys"][0]
    await lounge.delete(f"{KEYS}/{first['key_id']}", None, headers=as_visitor(asha))
    assert (await make(lounge, asha, name="k26")).status_code == 201


async def test_a_role_of_the_owner_s_counts_by_what_it_permits(lounge: Site) -> None:
    async with lounge.rows() as (session, tenant_id):
        await Roles(session, tenant_id).create("payer", "", ["tools:execute"])
    asha = await add_user(lounge, "asha", "payer", "user")
    made = (await make(lounge, asha, roles=["payer"])).json()
    shown = (await lounge.get("/api/me", key=made["key"])).json()
    assert (shown["roles"], shown["permissions"]) == (["payer"], ["tools:execute"])

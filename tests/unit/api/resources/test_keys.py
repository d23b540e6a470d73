"""Keys are shown once, stored as digests, and never mightier than who makes them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bascule.gateway.record import Status
from bascule.storage.errors import DatabaseUnreachable
from bascule.storage.repositories.roles import Roles
from unit.api.people import add_person, add_user, revoke_key
from unit.api.site import Site, add_key, altered, contents, error_of, key_of

PATH = "/api/admin/keys"


async def make(site: Site, role: str = "admin", **members: Any) -> dict[str, Any]:
    wanted = {"name": "ci", "roles": ["user"], **members}
    response = await site.post(PATH, role, json=wanted)
    assert response.status_code == 201, response.text
    return response.json()


async def test_a_new_key_opens_the_api_at_once(site: Site) -> None:
    made = await make(site, roles=["developer"])
    assert (await site.get("/api/admin/tools", key=made["key"])).status_code == 200
    assert (made["name"], made["roles"], made["created_by"]) == ("ci", ["developer"], "admin")
    assert (made["expires_at"], made["revoked_at"]) == (None, None)


async def test_a_secret_is_in_its_answer_and_nowhere_else(site: Site) -> None:
    secret = (await make(site))["key"]
    listed = (await site.get(PATH)).text
    stored = repr(contents(site))
    recorded = repr(site.recorder.records)
    assert secret.startswith("bsc_")
    assert len(secret) > 40
    for place in (listed, stored, recorded):
        assert secret not in place
        assert secret[:12] in place
        assert secret[12:] not in place


async def test_keys_are_listed_with_what_recognises_them(site: Site) -> None:
    made = await make(site)
    del made["key"]
    found = (await site.get(PATH)).json()
    assert made in found["keys"]
    assert found["total"] == len(found["keys"])


async def test_a_key_expires_when_it_was_told_to(site: Site) -> None:
    made = await make(site, expires_in_days=30)
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


async def test_a_revoked_key_is_refused_from_the_next_request_on(site: Site) -> None:
    made = await make(site)
    revoked = await site.delete(f"{PATH}/{made['key_id']}")
    assert revoked.status_code == 200
    assert revoked.json()["revoked_at"] is not None
    refused = await site.get("/api/mcp/tools", key=made["key"])
    assert (refused.status_code, error_of(refused)["code"]) == (401, "E1002")


async def test_a_key_can_be_revoked_again_and_keeps_its_date(site: Site) -> None:
    made = await make(site)
    first = await site.delete(f"{PATH}/{made['key_id']}")
    second = await site.delete(f"{PATH}/{made['key_id']}")
    assert first.json() == second.json()


async def test_a_key_is_refused_even_where_no_new_snapshot_can_be_had(site: Site) -> None:
    made = await make(site)

    async def refresh():
        raise DatabaseUnreachable("The database does not answer.")

    async with altered(site, refresh=refresh) as other:
        assert (await other.delete(f"{PATH}/{made['key_id']}")).status_code == 503
    assert (await site.get("/api/mcp/tools", key=made["key"])).status_code == 401


async def test_a_revocation_that_is_not_recorded_leaves_the_key_in_force(site: Site) -> None:
    made = await make(site)
    site.recorder.fails = True
    assert (await site.delete(f"{PATH}/{made['key_id']}")).status_code == 503
    assert (await site.get("/api/mcp/tools", key=made["key"])).status_code == 200


async def test_a_key_that_is_not_there_cannot_be_revoked(
    site: Site, subtests: pytest.Subtests
) -> None:
    for key_id in [str(uuid4()), "nope", "%2e%2e", "1"]:
        with subtests.test(repr(key_id)):
            response = await site.delete(f"{PATH}/{key_id}")
            assert response.status_code in {400, 404}
            assert error_of(response)["code"] in {"E2004", "E2011"}


async def test_a_name_is_taken_while_its_key_is_in_force(site: Site) -> None:
    made = await make(site)
    again = await site.post(PATH, json={"name": "ci", "roles": ["user"]})
    assert (again.status_code, error_of(again)["code"]) == (409, "E2012")
    await site.delete(f"{PATH}/{made['key_id']}")
    assert (await make(site))["key_id"] != made["key_id"]


async def test_a_role_that_does_not_exist_is_named(site: Site) -> None:
    response = await site.post(PATH, json={"name": "ci", "roles": ["usr", "user"]})
    error = error_of(response)
    assert (response.status_code, error["code"]) == (400, "E2004")
    assert "usr" in error["message"]
    assert "user" in error["details"]["known"]


async def test_an_administrator_of_a_tenant_makes_no_administrator_of_all(site: Site) -> None:
    before = contents(site)
    response = await site.post(PATH, json={"name": "root", "roles": ["user", "system_admin"]})
    error = error_of(response)
    assert (response.status_code, error["code"]) == (403, "E1004")
    assert error["details"] == {"role": "system_admin", "permissions": ["system_admin"]}
    assert contents(site) == before
    assert site.recorder.last.status is Status.FAILURE
    assert (await make(site, "system_admin", roles=["system_admin"]))["roles"] == ["system_admin"]


async def test_nobody_makes_a_key_that_may_do_what_they_may_not(site: Site) -> None:
    async with site.rows() as (session, tenant_id):
        await Roles(session, tenant_id).create("porter", "", ["users:manage", "tools:list"])
        await add_key(session, tenant_id, "porter", "bsc_porter")
    refused = await site.post(PATH, key="bsc_porter", json={"name": "a", "roles": ["admin"]})
    assert refused.status_code == 403
    assert "policies:write" in error_of(refused)["details"]["permissions"]
    also = await site.post(PATH, key="bsc_porter", json={"name": "u", "roles": ["user"]})
    assert error_of(also)["details"]["permissions"] == ["tools:execute"]
    own = await site.post(PATH, key="bsc_porter", json={"name": "p", "roles": ["porter"]})
    assert own.status_code == 201


async def test_a_role_of_another_tenant_cannot_be_given(site: Site) -> None:
    wanted = {"name": "root", "roles": ["system_admin"]}
    response = await site.post(PATH, "admin", tenant="acme", json=wanted)
    assert (response.status_code, error_of(response)["code"]) == (400, "E2004")


async def test_a_key_that_is_not_right_is_refused(site: Site, subtests: pytest.Subtests) -> None:
    for wrong in [
        {"name": ""},
        {"name": "a\x1b[2Jb"},
        {"name": " padded "},
        {"roles": []},
        {"roles": None},
        {"expires_in_days": 0},
        {"expires_in_days": 3651},
        {"expires_in_days": 1e300},
        {"expires_in_day": 1},
    ]:
        with subtests.test(str(wrong)):
            wanted = {"name": "ci", "roles": ["user"], **wrong}
            response = await site.post(
                PATH, content=json.dumps(wanted), headers={"content-type": "application/json"}
            )
            assert (response.status_code, error_of(response)["code"]) == (400, "E2004")


async def test_a_key_is_limited_to_its_scopes(site: Site) -> None:
    made = await make(site, roles=["admin"], scopes=["tools:list", "audit:read"])
    assert made["scopes"] == ["audit:read", "tools:list"]
    assert (await site.get("/api/admin/audit-logs", key=made["key"])).status_code == 200
    refused = await site.get(PATH, key=made["key"])
    assert refused.status_code == 403
    wrong = await site.post(PATH, json={"name": "n", "roles": ["user"], "scopes": ["tools"]})
    assert (wrong.status_code, error_of(wrong)["code"]) == (400, "E2004")


async def test_a_limited_key_makes_none_that_is_less_limited(site: Site) -> None:
    made = await make(site, roles=["admin"], scopes=["users:manage", "tools:list"])
    for wanted, status in (
        ({"roles": ["admin"]}, 403),
        ({"roles": ["user"]}, 403),
        ({"roles": ["admin"], "scopes": ["tools:list", "tools:write"]}, 403),
        ({"roles": ["admin"], "scopes": ["tools:list"]}, 201),
    ):
        response = await site.post(PATH, key=made["key"], json={"name": "more", **wanted})
        assert response.status_code == status, wanted


async def test_a_key_may_act_for_a_person_and_have_no_more(site: Site) -> None:
    await add_user(site, "asha", "user", "viewer")
    made = await make(site, roles=[], user="asha")
    assert (made["user"], made["roles"]) == ("asha", ["user", "viewer"])
    shown = (await site.get("/api/me", key=made["key"])).json()
    assert (shown["name"], shown["roles"]) == ("asha", ["user", "viewer"])
    for wanted, status, code in (
        ({"user": "asha", "roles": ["developer"]}, 400, "E2004"),
        ({"user": "bo", "roles": ["user"]}, 404, "E2011"),
        ({"roles": []}, 400, "E2004"),
    ):
        refused = await site.post(PATH, json={"name": "x", **wanted})
        assert (refused.status_code, error_of(refused)["code"]) == (status, code)


async def test_nobody_makes_a_key_of_somebody_who_can_do_more(site: Site) -> None:
    await add_user(site, "boss", "admin")
    async with site.rows() as (session, tenant_id):
        await Roles(session, tenant_id).create("porter", "", ["users:manage"])
        await add_key(session, tenant_id, "porter", "bsc_porter")
    refused = await site.post(PATH, key="bsc_porter", json={"name": "x", "user": "boss"})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")


async def test_a_rotated_key_has_a_new_secret_and_nothing_else(site: Site) -> None:
    made = await make(site, roles=["developer"], expires_in_days=9)
    response = await site.post(f"{PATH}/{made['key_id']}/rotate", json={})
    rotated = response.json()
    assert response.status_code == 200
    assert rotated["key"] != made["key"]
    assert rotated["prefix"] == rotated["key"][:12]
    same = ("key_id", "name", "roles", "created_at", "expires_at")
    assert [rotated[one] for one in same] == [made[one] for one in same]
    assert (await site.get("/api/admin/tools", key=rotated["key"])).status_code == 200
    assert (await site.get("/api/admin/tools", key=made["key"])).status_code == 401
    for place in (repr(contents(site)), repr(site.recorder.records)):
        assert rotated["key"] not in place


async def test_the_secret_before_is_good_for_the_grace(site: Site) -> None:
    made = await make(site)
    path = f"{PATH}/{made['key_id']}/rotate"
    rotated = (await site.post(path, json={"grace_seconds": 3600})).json()
    for key in (made["key"], rotated["key"]):
        assert (await site.get("/api/me", key=key)).status_code == 200
    assert (await site.delete(f"{PATH}/{made['key_id']}")).is_success
    for key in (made["key"], rotated["key"]):
        assert (await site.get("/api/me", key=key)).status_code == 401
    refused = await site.post(path, json={})
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    for wrong in ({"grace_seconds": -1}, {"grace_seconds": 2_592_001}, {"grace": 1}):
        assert (await site.post(path, json=wrong)).status_code == 400


async def test_nobody_rotates_a_key_that_can_do_more(site: Site) -> None:
    async with site.rows() as (session, tenant_id):
        await Roles(session, tenant_id).create("porter", "", ["users:manage"])
        await add_key(session, tenant_id, "porter", "bsc_porter")
        boss = await add_key(session, tenant_id, "admin", "bsc_boss", name="boss")
    refused = await site.post(f"{PATH}/{boss}/rotate", key="bsc_porter", json={})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
    assert (await site.get(PATH, key="bsc_boss")).status_code == 200


async def porter(site: Site) -> str:
    """The key of who manages users, and no more."""
    async with site.rows() as (session, tenant_id):
        await Roles(session, tenant_id).create("porter", "", ["users:manage"])
        await add_key(session, tenant_id, "porter", "bsc_porter")
    return "bsc_porter"


async def test_nobody_revokes_a_key_that_can_do_more(site: Site) -> None:
    key = await porter(site)
    mighty = await make(site, name="mighty", roles=["admin"])
    limited = await make(site, name="limited", roles=["porter"])
    refused = await site.delete(f"{PATH}/{mighty['key_id']}", key=key)
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
    assert (await site.get(PATH, key=mighty["key"])).status_code == 200
    assert (await site.delete(f"{PATH}/{limited['key_id']}", key=key)).status_code == 200
    assert (await site.delete(f"{PATH}/{mighty['key_id']}", "system_admin")).status_code == 200


async def test_a_small_key_of_somebody_mighty_is_theirs_all_the_same(site: Site) -> None:
    key = await porter(site)
    await add_user(site, "boss", "admin", "porter")
    small = await make(site, name="small", user="boss", roles=["porter"])
    own = f"{PATH}/{small['key_id']}"
    more = {"name": "more", "user": "boss", "roles": ["porter"]}
    for refused in (
        await site.delete(own, key=key),
        await site.post(f"{own}/rotate", key=key, json={}),
        await site.post(PATH, key=key, json=more),
    ):
        assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
        assert "The user boss" in error_of(refused)["message"]
    # Its bearer is boss, and may do with it what it can do itself.
    assert (await site.post(PATH, key=small["key"], json=more)).status_code == 201
    rotated = await site.post(f"{own}/rotate", key=small["key"], json={})
    assert (await site.delete(own, key=rotated.json()["key"])).status_code == 200


async def test_the_last_key_that_administers_stays(site: Site) -> None:
    key = key_of("admin", "acme")
    keys = (await site.get(PATH, key=key)).json()["keys"]
    (own,) = [one["key_id"] for one in keys if one["name"] == "admin"]
    refused = await site.delete(f"{PATH}/{own}", key=key)
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    asha = await add_person(site, "asha", "admin", tenant="acme")
    refused = await site.delete(f"{PATH}/{own}", key=key)
    assert refused.status_code == 409
    assert "your own rights" in error_of(refused)["message"]
    assert (await site.delete(f"{PATH}/{own}", key=asha)).status_code == 200


async def test_a_name_has_nothing_that_could_be_taken_for_another(site: Site) -> None:
    for name in ("a|b", "asha\u202e", "\u200bci", "caf\u0065\u0301"):
        refused = await site.post(PATH, json={"name": name, "roles": ["user"]})
        assert (refused.status_code, error_of(refused)["code"]) == (400, "E2004"), name


async def test_each_use_of_a_key_is_told_with_its_tenant(site: Site) -> None:
    told: list[tuple[str, str]] = []

    def note(tenant: str, key_id: str) -> None:
        told.append((tenant, key_id))

    made = await make(site)
    async with altered(site, note_use=note) as other:
        await other.get("/api/me", key=made["key"])
        await other.get("/api/me", None)
        headers = {"x-bascule-tenant": "acme"}
        await other.get("/api/me", "system_admin", headers=headers)
    assert told[0] == ("default", made["key_id"])
    assert [tenant for tenant, _ in told] == ["default", "default"]


async def test_a_revoked_personal_key_s_owner_stays_an_administrator(site: Site) -> None:
    asha = await add_person(site, "asha", "admin", tenant="acme")
    await revoke_key(site, "admin", "acme")
    keys = (await site.get(PATH, key=asha)).json()["keys"]
    (own,) = [one["key_id"] for one in keys if one["user"] == "asha"]
    assert (await site.delete(f"{PATH}/{own}", key=asha)).status_code == 200

"""Groups bring what their maker has, and are called whatever issuers call them."""

from urllib.parse import quote

import pytest

from bascule.gateway.principal import Evidence, Means
from bascule.identity.standing import standing_of
from bascule.storage.repositories.roles import Roles
from unit.api.site import Site, add_key, error_of

PATH = "/api/admin/groups"


async def test_membership_brings_roles_until_it_does_not(site: Site) -> None:
    member = Evidence(
        Means.TOKEN, "default", "https://id.example", "1", "asha", groups=frozenset({"/staff"})
    )

    def standing() -> frozenset[str]:
        found = standing_of(member, site.control.snapshot(), lambda: 0.0)
        return getattr(found, "roles", frozenset())

    put = await site.ask("PUT", f"{PATH}/%2Fstaff", json={"roles": ["user", "viewer", "user"]})
    assert put.status_code == 200
    shown = put.json()
    assert (shown["name"], shown["roles"], shown["updated_by"]) == (
        "/staff", ["user", "viewer"], "admin",
    )  # fmt: skip
    assert standing() == {"user", "viewer"}
    assert (await site.get(f"{PATH}/%2Fstaff")).json() == shown
    assert (await site.get(PATH)).json() == {"groups": [shown], "total": 1}
    await site.ask("PUT", f"{PATH}/%2Fstaff", json={"roles": ["user"]})
    metadata = site.recorder.last.metadata
    assert metadata["before"] == {"roles": ["user", "viewer"]}
    assert metadata["after"] == {"roles": ["user"]}
    assert standing() == {"user"}
    assert (await site.delete(f"{PATH}/%2Fstaff")).json() == {"removed": "/staff"}
    assert standing() == frozenset()
    missing = await site.delete(f"{PATH}/%2Fstaff")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "E2011")


@pytest.mark.parametrize(
    "name", ["staff", "/a/b", "CN=Staff,OU=Groups,DC=example", "経理", "a b", "100%", "a?b#c"]
)
async def test_a_group_is_called_as_issuers_call_it(site: Site, name: str) -> None:
    path = f"{PATH}/{quote(name, safe='')}"
    assert (await site.ask("PUT", path, json={"roles": ["user"]})).json()["name"] == name
    assert (await site.get(path)).json()["name"] == name
    assert (await site.delete(path)).is_success


@pytest.mark.parametrize("name", ["a|b", "a\nb", " a", "a\u202eb", "x" * 301])
async def test_a_group_is_called_what_can_be_read(site: Site, name: str) -> None:
    path = f"{PATH}/{quote(name, safe='')}"
    refused = await site.ask("PUT", path, json={"roles": ["user"]})
    assert (refused.status_code, error_of(refused)["code"]) in {(400, "E2004"), (404, "E2011")}


async def test_what_makes_no_sense_is_refused(site: Site) -> None:
    for body in ({"roles": []}, {"roles": ["boss"]}, {"roles": "user"}):
        refused = await site.ask("PUT", f"{PATH}/staff", json=body)
        assert (refused.status_code, error_of(refused)["code"]) == (400, "E2004")
    assert (await site.get(f"{PATH}/staff")).status_code == 404


async def test_nobody_gives_a_group_what_they_do_not_have(site: Site) -> None:
    async with site.rows() as (session, tenant_id):
        await Roles(session, tenant_id).create("porter", "", ["users:manage"])
        await add_key(session, tenant_id, "porter", "bsc_porter")
    for roles in (["admin"], ["porter", "user"]):
        refused = await site.ask("PUT", f"{PATH}/staff", key="bsc_porter", json={"roles": roles})
        assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
    assert (
        await site.ask("PUT", f"{PATH}/staff", json={"roles": ["system_admin"]})
    ).status_code == 403
    assert (await site.ask("PUT", f"{PATH}/staff", json={"roles": ["admin"]})).is_success
    # What it brings already is not given by who keeps it.
    kept = await site.ask(
        "PUT", f"{PATH}/staff", key="bsc_porter", json={"roles": ["admin", "porter"]}
    )
    assert kept.is_success

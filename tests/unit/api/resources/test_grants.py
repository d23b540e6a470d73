"""Grants over the REST API: own ones for everybody, all of them for who manages users."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from bascule.gateway.record import Status
from bascule.storage.repositories.users import UserDraft, Users
from unit.api.equipment import equipped
from unit.api.site import Site, contents, error_of
from unit.api.uses import grant_of

OWN = "/api/me/grants"
ALL = "/api/admin/grants"


@pytest.fixture
async def whole(site: Site) -> AsyncIterator[Site]:
    """The API with somebody who asks people for consent."""
    async with equipped(site) as other:
        yield other


async def test_everybody_sees_their_own_and_nobody_elses(whole: Site) -> None:
    await grant_of(whole, "key|user")
    await grant_of(whole, "key|admin")
    found = (await whole.get(OWN, "user")).json()
    assert found["total"] == 1
    (grant,) = found["grants"]
    assert (grant["upstream"], grant["issuer_host"]) == ("notes", "id.example")
    assert (grant["resource"], grant["scopes"]) == ("https://notes.example/mcp", ["read"])
    assert grant.keys().isdisjoint({"access_token", "refresh_token", "ciphertext", "owner"})


async def test_another_tenants_grants_are_not_there(whole: Site) -> None:
    grant_id = await grant_of(whole, "key|admin")
    assert (await whole.get(OWN, tenant="acme")).json()["grants"] == []
    assert (await whole.get(ALL, tenant="acme")).json()["total"] == 0
    for path in (OWN, ALL):
        assert (await whole.delete(f"{path}/{grant_id}", tenant="acme")).status_code == 404


async def test_who_manages_users_sees_all_by_name(whole: Site) -> None:
    async with whole.rows() as (session, tenant_id):
        ann = await Users(session, tenant_id).create(UserDraft("ann"))
    await grant_of(whole, ann.owner)
    await grant_of(whole, ann.owner, "mail")
    await grant_of(whole, "key|user")
    await grant_of(whole, "token|https://id.example|s-1", "mail")
    await grant_of(whole, "", "mail")
    found = (await whole.get(ALL)).json()
    assert (found["total"], found["page"], found["limit"]) == (5, 1, 50)
    assert {one["account"] for one in found["grants"]} == {
        "ann", "the API key user", "s-1 (https://id.example)", "the gateway itself",
    }  # fmt: skip
    anns = (await whole.get(ALL, params={"user": "ann"})).json()
    assert [one["upstream"] for one in anns["grants"]] == ["mail", "notes"]
    assert {one["owner"] for one in anns["grants"]} == {ann.owner}
    mail = (await whole.get(ALL, params={"upstream": "mail", "limit": 2, "page": 2})).json()
    assert (mail["total"], len(mail["grants"])) == (3, 1)
    by_owner = (await whole.get(ALL, params={"owner": "key|user"})).json()
    assert by_owner["total"] == 1
    assert (await whole.get(ALL, params={"user": "nobody"})).status_code == 404


async def test_what_is_taken_back_is_gone_and_on_record(whole: Site) -> None:
    grant_id = await grant_of(whole, "key|user")
    version = whole.control.snapshot().version
    response = await whole.delete(f"{OWN}/{grant_id}", "user")
    assert response.json() == {"revoked": grant_id}
    record = whole.recorder.last
    assert (record.action, record.status, record.user) == ("grant.revoke", Status.SUCCESS, "user")
    assert record.metadata["upstream"] == "notes"
    assert (await whole.get(OWN, "user")).json()["total"] == 0
    assert whole.control.snapshot().version == version, "no snapshot holds grants"


async def test_nobody_takes_back_what_is_anothers(whole: Site) -> None:
    grant_id = await grant_of(whole, "key|admin")
    response = await whole.delete(f"{OWN}/{grant_id}", "user")
    assert (response.status_code, error_of(response)["code"]) == (404, "E2011")
    assert whole.recorder.last.status is Status.FAILURE
    assert (await whole.get(OWN)).json()["total"] == 1
    assert (await whole.delete(f"{ALL}/{uuid4()}")).status_code == 404


async def test_an_administrator_takes_back_any_and_the_record_says_whose(whole: Site) -> None:
    grant_id = await grant_of(whole, "key|user")
    assert (await whole.delete(f"{ALL}/{grant_id}")).is_success
    assert whole.recorder.last.metadata["account"] == "the API key user"


async def test_what_cannot_be_recorded_is_not_taken_back(whole: Site) -> None:
    grant_id = await grant_of(whole, "key|user")
    before = contents(whole)
    whole.recorder.fails = True
    response = await whole.delete(f"{OWN}/{grant_id}", "user")
    assert (response.status_code, error_of(response)["code"]) == (503, "E5004")
    assert contents(whole) == before


async def test_asking_for_consent_gives_an_address(whole: Site) -> None:
    wanted = {"json": {"upstream": "notes"}}
    own = (await whole.post(OWN, "user", **wanted)).json()
    assert own["consent_url"].endswith("/default-notes-key|user")
    assert whole.recorder.last.action == "grant.ask"
    gateways = (await whole.post(ALL, **wanted)).json()
    assert gateways["consent_url"].endswith("/default-notes-gateway")
    missing = await whole.post(OWN, "user", json={"upstream": "nothing"})
    assert missing.status_code == 404


async def test_where_nobody_can_be_asked_that_is_said(site: Site) -> None:
    response = await site.post(OWN, "user", json={"upstream": "notes"})
    assert (response.status_code, error_of(response)["code"]) == (503, "E5004")

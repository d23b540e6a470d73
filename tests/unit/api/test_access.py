"""Nobody without a key gets in anywhere, and a key opens what its role's permissions say."""

from datetime import timedelta
from uuid import UUID

import pytest

from bascule.gateway.record import EventType, Status
from bascule.gateway.trickle import Trickle
from bascule.storage.repositories.keys import Keys
from bascule.storage.seed import BUILTIN_ROLES
from unit.api.equipment import equipped
from unit.api.site import ROLES, Site, altered, contents, error_of, key_of
from unit.api.uses import ANYBODY, USES, Route, key_that, names_for


def routes_of(site: Site) -> set[Route]:
    """Method and path of everything the API documents."""
    paths = site.app.openapi()["paths"]
    return {(method.upper(), path) for path, item in paths.items() for method in item}


def test_every_route_has_its_permission_in_this_table(site: Site) -> None:
    assert routes_of(site) == USES.keys()


async def test_without_a_key_no_route_answers_anything_else_than_401(site: Site) -> None:
    before, routes = contents(site), routes_of(site)
    # As many a second as there are routes, so that each of these refusals has to be on record.
    async with altered(site, _strangers=Trickle(len(routes))) as other:
        for method, path in routes:
            response = await other.ask(method, path, None)
            assert (response.status_code, error_of(response)["code"]) == (401, "E1001"), path
            assert response.headers["www-authenticate"] == 'Bearer realm="bascule"'
    assert contents(site) == before
    records = site.recorder.records
    assert {one.action for one in records} == {f"{method} {path}" for method, path in routes}
    assert len(records) == len(routes)
    assert {(one.event_type, one.status, one.error_code) for one in records} == {
        ("auth_event", "denied", "E1001")
    }


async def test_what_is_not_a_bearer_credential_is_none(
    site: Site, subtests: pytest.Subtests
) -> None:
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRtaW46YWRtaW4=",
        key_of("admin"),
        "bearer\t",
        "Bearer  ",
    ]:
        with subtests.test(repr(value)):
            response = await site.get("/api/admin/keys", None, headers={"authorization": value})
            assert (response.status_code, error_of(response)["code"]) == (401, "E1001")


async def test_a_key_that_is_not_known_is_refused_on_every_route(
    site: Site, subtests: pytest.Subtests
) -> None:
    for secret in [b"bsc_unknown", b"x" * 5000, b"bsc_default-admi", b"\xff"]:
        with subtests.test(repr(secret)):
            header = {"authorization": b"Bearer " + secret}
            for method, path in routes_of(site):
                response = await site.ask(method, path, None, headers=header)
                assert (response.status_code, error_of(response)["code"]) == (401, "E1002"), path
                assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_an_expired_key_says_so(site: Site) -> None:
    await key_that(site, "bsc_expired", expires_in=timedelta(seconds=-1))
    await key_that(site, "bsc_valid", expires_in=timedelta(minutes=1))
    response = await site.get("/api/admin/keys", key="bsc_expired")
    assert (response.status_code, error_of(response)["code"]) == (401, "E1003")
    assert (await site.get("/api/admin/keys", key="bsc_valid")).status_code == 200


async def test_a_revoked_key_is_as_unknown_as_any_other(site: Site) -> None:
    key_id = await key_that(site, "bsc_revoked")
    assert (await site.get("/api/admin/keys", key="bsc_revoked")).status_code == 200
    async with site.rows() as (session, tenant_id):
        await Keys(session, tenant_id).revoke(UUID(key_id))
    revoked = await site.get("/api/admin/keys", key="bsc_revoked")
    unknown = await site.get("/api/admin/keys", key="bsc_never-made")
    assert revoked.status_code == 401
    assert error_of(revoked)["message"] == error_of(unknown)["message"]


async def test_the_scheme_may_be_written_in_any_case(site: Site) -> None:
    header = {"authorization": f"bEARER {key_of('admin')}"}
    assert (await site.get("/api/admin/keys", None, headers=header)).status_code == 200


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_opens_exactly_the_routes_its_permissions_name(site: Site, role: str) -> None:
    permissions = BUILTIN_ROLES[role][1]
    # Only what one may call oneself can be put into a bundle.
    rule = {"name": "lenders", "effect": "allow", "roles": ["developer"]}
    assert (await site.post("/api/admin/policies", json=rule)).is_success
    async with equipped(site) as whole:
        for (method, path), use in USES.items():
            names = await names_for(whole, method, path, role)
            response = await whole.ask(method, path.format(**names), role, **use.options)
            if use.personal:
                assert (response.status_code, error_of(response)["code"]) == (403, "E1004"), path
                continue
            if use.permission in {ANYBODY, *permissions} or "system_admin" in permissions:
                assert response.is_success, (role, path, response.text)
                continue
            error = error_of(response)
            assert (response.status_code, error["code"]) == (403, "E1004"), (role, path)
            assert error["details"] == {"permission": use.permission}
            assert use.permission in error["message"]
            assert site.recorder.last.error_message == f"lacks {use.permission}", path


async def test_a_stranger_is_refused_before_their_body_is_read(site: Site) -> None:
    async def endless():
        raise AssertionError("the body was asked for")
        yield b""

    response = await site.post("/api/admin/openapi", None, content=endless())
    assert response.status_code == 401


async def test_the_description_of_the_api_needs_no_key(site: Site) -> None:
    response = await site.get("/api/openapi.json", None)
    assert response.status_code == 200
    assert response.json()["paths"].keys() == {path for _, path in USES}


async def test_who_was_refused_for_want_of_a_permission_is_recorded(site: Site) -> None:
    response = await site.get("/api/admin/keys", "user")
    record = site.recorder.last
    assert (record.event_type, record.status) == (EventType.ADMIN_ACTION, Status.DENIED)
    assert (record.tenant, record.user, record.action) == (
        "default",
        "user",
        "GET /api/admin/keys",
    )
    assert (record.error_code, record.error_message) == ("E1004", "lacks users:manage")
    assert record.correlation_id == response.headers["x-correlation-id"]
    assert record.peer == "127.0.0.1"


async def test_a_key_that_is_not_known_is_in_no_record(site: Site) -> None:
    await site.get("/api/admin/keys", key="bsc_somebody-s-mistyped-key")
    assert (site.recorder.last.error_code, site.recorder.last.user) == ("E1002", "")
    assert "mistyped" not in repr(site.recorder.records)


async def test_a_refusal_stands_even_where_it_cannot_be_recorded(site: Site) -> None:
    site.recorder.fails = True
    assert (await site.get("/api/admin/keys", None)).status_code == 401
    assert (await site.get("/api/admin/keys", "user")).status_code == 403

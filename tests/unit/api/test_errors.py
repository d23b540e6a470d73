"""Every failure has one shape, and its sentence says what to do."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI, Request
from structlog.testing import capture_logs

from bascule.api.errors import Refused, error_response
from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Refuse
from bascule.storage.errors import DatabaseLocked
from fakes.asgi import FakeExchange
from unit.api.site import Site, altered, error_of

JSON = {"content-type": "application/json"}


async def send(site: Site, body: bytes, content_type: str = "application/json"):
    return await site.post(
        "/api/admin/bundles", content=body, headers={"content-type": content_type}
    )


@pytest.mark.parametrize("code", list(ErrorCode), ids=lambda code: code.code)
def test_each_code_has_its_status_and_only_a_401_a_challenge(code: ErrorCode) -> None:
    scope = {**FakeExchange().scope, "query_string": b"", "app": FastAPI()}
    response = error_response(Request(scope), code, "No.")
    assert response.status_code == code.http_status
    assert ("www-authenticate" in response.headers) == (code.http_status == 401)


def test_a_refusal_keeps_its_code_and_both_its_sentences() -> None:
    refused = Refused(Refuse(ErrorCode.TOKEN_EXPIRED, "It expired.", "key 7 expired", {"a": 1}))
    assert (refused.code, refused.public, refused.private, refused.details) == (
        ErrorCode.TOKEN_EXPIRED,
        "It expired.",
        "key 7 expired",
        {"a": 1},
    )


async def test_a_path_that_is_not_there_is_a_404_that_says_where_to_look(site: Site) -> None:
    response = await site.get("/api/admin/nothing")
    error = error_of(response)
    assert (response.status_code, error["code"]) == (404, "E2011")
    assert "/api/admin/nothing" in error["message"]
    assert "/api/openapi.json" in error["message"]


async def test_a_thing_that_is_not_there_is_a_404_that_names_it(site: Site) -> None:
    response = await site.get("/api/admin/tools/no_such")
    error = error_of(response)
    assert (response.status_code, error["code"]) == (404, "E2011")
    assert "no_such" in error["message"]


async def test_a_thing_that_exists_already_is_a_409_that_names_it(site: Site) -> None:
    await site.post("/api/admin/bundles", json={"name": "shop"})
    response = await site.post("/api/admin/bundles", json={"name": "shop"})
    error = error_of(response)
    assert (response.status_code, error["code"]) == (409, "E2012")
    assert "shop" in error["message"]


async def test_a_wrong_method_is_a_405_that_lists_the_right_ones(site: Site) -> None:
    response = await site.ask("PUT", "/api/admin/tools")
    error = error_of(response)
    assert (response.status_code, error["code"]) == (405, "E2001")
    assert response.headers["allow"] == "GET"
    assert "PUT" in error["message"]


async def test_a_body_that_is_not_json_is_said_to_be_just_that(
    site: Site, subtests: pytest.Subtests
) -> None:
    for body in [b"{nope", b"", b"\xff\xfe{", b'{"name": "\xff"}', b"[" * 100_000, b'{"a": 1} x']:
        with subtests.test(repr(body[:30])):
            response = await send(site, body)
            error = error_of(response)
            assert response.status_code == 400
            assert error["code"] == ("E2005" if body else "E2003")


async def test_a_body_of_another_type_is_a_415(site: Site, subtests: pytest.Subtests) -> None:
    for kind in ["text/plain", "application/x-www-form-urlencoded", "nonsense"]:
        with subtests.test(repr(kind)):
            response = await send(site, b'{"name": "b"}', kind)
            error = error_of(response)
            assert (response.status_code, error["code"]) == (415, "E2007")
            assert "application/json" in error["message"]


async def test_a_field_that_is_missing_is_named(site: Site) -> None:
    response = await site.post("/api/admin/keys", json={"roles": ["user"]})
    error = error_of(response)
    assert (response.status_code, error["code"]) == (400, "E2003")
    assert error["details"]["errors"] == [{"location": "body.name", "message": "Field required"}]


async def test_every_wrong_field_is_named_at_once(site: Site) -> None:
    wrong = {"name": "a/b", "surprise": 1, "owner": "x" * 101}
    response = await site.post("/api/admin/bundles", json=wrong)
    error = error_of(response)
    assert (response.status_code, error["code"]) == (400, "E2004")
    found = {one["location"] for one in error["details"]["errors"]}
    assert found == {"body.name", "body.owner", "body.surprise"}
    assert all(location in error["message"] for location in found)


async def test_what_is_wrong_ends_with_one_mark(site: Site) -> None:
    misspelt = await site.post("/api/admin/bundles", json={"name": "a", "ownr": "x"})
    assert error_of(misspelt)["message"].endswith("mean owner?")
    below = await site.get("/api/admin/tools?page=0")
    assert error_of(below)["message"].endswith("equal to 1.")


async def test_a_flood_of_wrong_fields_is_answered_briefly(site: Site) -> None:
    response = await site.post(
        "/api/admin/bundles", json={"name": "b", **{f"extra{n}": n for n in range(5000)}}
    )
    assert len(error_of(response)["details"]["errors"]) == 20
    assert len(response.content) < 10_000


async def test_hostile_values_are_a_caller_s_mistake_and_never_a_crash(
    site: Site, subtests: pytest.Subtests
) -> None:
    for body in [
        b'{"name": "\\ud800"}',
        b'{"name": "b", "\\ud800": 1}',
        b"[]",
        b"null",
        b'"b"',
        b"1e999",
    ]:
        with subtests.test(repr(body[:30])):
            response = await send(site, body)
            assert response.status_code == 400
            assert error_of(response)["code"] in {"E2003", "E2004"}


async def test_a_page_that_makes_no_sense_is_a_caller_s_mistake(
    site: Site, subtests: pytest.Subtests
) -> None:
    for page in ["0", "-1", "x", "1" * 30, "1.5", ""]:
        with subtests.test(repr(page)):
            response = await site.get("/api/admin/tools", "developer", params={"page": page})
            assert (response.status_code, error_of(response)["code"]) == (400, "E2004")


async def test_a_failure_of_the_database_is_a_503_whose_reason_is_only_logged(site: Site) -> None:
    class Locked:
        @asynccontextmanager
        async def read(self) -> AsyncGenerator[None]:
            raise DatabaseLocked("The database is busy. Try again.", private="held by pid 4711")
            yield

    async with altered(site, database=Locked()) as other:
        with capture_logs() as entries:
            response = await other.get("/api/admin/bundles")
    error = error_of(response)
    assert (response.status_code, error["code"]) == (503, "E5002")
    assert "4711" not in response.text
    assert [entry["reason"] for entry in entries] == ["held by pid 4711"]


async def test_a_mistake_of_the_caller_is_not_logged_as_ours(site: Site) -> None:
    with capture_logs() as entries:
        await site.get("/api/admin/tools/no_such")
        await site.post("/api/admin/bundles", json={})
    assert entries == []

import pytest

from unit.api.site import Site, contents, error_of

PATH = "/api/admin/bundles"


async def test_a_bundle_is_made_and_listed(site: Site) -> None:
    made = await site.post(PATH, json={"name": "shop", "description": "What shops need."})
    assert made.status_code == 201
    bundle = made.json()
    assert (bundle["name"], bundle["owner"], bundle["status"]) == ("shop", "admin", "active")
    assert (await site.get(PATH)).json() == {"bundles": [bundle], "total": 1}


async def test_an_owner_may_be_named(site: Site) -> None:
    made = await site.post(PATH, json={"name": "shop", "owner": "sales"})
    assert made.json()["owner"] == "sales"


async def test_bundles_are_listed_by_name(site: Site) -> None:
    for name in ("c", "a", "b"):
        assert (await site.post(PATH, json={"name": name})).is_success
    found = (await site.get(PATH)).json()
    assert [bundle["name"] for bundle in found["bundles"]] == ["a", "b", "c"]


async def test_a_name_that_is_taken_is_a_conflict(site: Site) -> None:
    await site.post(PATH, json={"name": "shop", "owner": "first"})
    response = await site.post(PATH, json={"name": "shop", "owner": "second"})
    assert (response.status_code, error_of(response)["code"]) == (409, "E2012")
    assert (await site.get(PATH)).json()["bundles"][0]["owner"] == "first"


async def test_a_name_that_no_url_could_hold_is_refused(
    site: Site, subtests: pytest.Subtests
) -> None:
    for name in ["", "a/b", "..", "-x", "a b", "x" * 101, None, 7]:
        with subtests.test(repr(name)):
            before = contents(site)
            response = await site.post(PATH, json={"name": name})
            error = error_of(response)
            assert (response.status_code, error["code"]) == (400, "E2004")
            assert error["details"]["errors"][0]["location"] == "body.name"
            assert contents(site) == before


async def test_text_that_cannot_be_stored_is_refused(site: Site) -> None:
    response = await site.post(PATH, json={"name": "b", "description": "a\0b"})
    assert (response.status_code, error_of(response)["code"]) == (400, "E2004")
    assert (await site.get(PATH)).json()["total"] == 0

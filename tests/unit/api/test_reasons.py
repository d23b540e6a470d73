"""A reason comes in a header, in any script."""

from unit.api.site import Site, error_of

PATH = "/api/admin/policies"
RULE = {"name": "rule", "effect": "allow", "roles": ["user"]}


async def reason_of(site: Site, header: str) -> object:
    await site.delete(f"{PATH}/rule")
    made = await site.post(PATH, json=RULE, headers={"x-bascule-reason": header})
    assert made.is_success, made.text
    return site.recorder.last.metadata["reason"]


async def test_a_reason_is_plain_or_encoded(site: Site) -> None:
    assert await reason_of(site, "night shift") == "night shift"
    assert await reason_of(site, "=?base64?5aSc?=") == "夜"
    assert await reason_of(site, "") == ""


async def test_a_reason_that_cannot_be_read_or_kept_is_refused(site: Site) -> None:
    for header in ("=?base64?x?=", "x" * 1001, "=?base64?AA==?="):
        refused = await site.post(PATH, json=RULE, headers={"x-bascule-reason": header})
        assert error_of(refused)["code"] == "E2004"
        assert "X-Bascule-Reason" in error_of(refused)["message"]

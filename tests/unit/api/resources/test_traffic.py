import pytest

from bascule.api.condition import Condition
from unit.api.site import Site, altered, error_of

PATH = "/api/admin/upstreams/shop"
OPEN = Condition("open", 5, 12.5, "down", "its breaker is open", 0.25)
CLOSED = Condition("closed", 0, 0.0, "", "", None)


class FakeConditions:
    """Knows one upstream, of one tenant."""

    def __init__(self) -> None:
        self.condition = OPEN

    def of(self, tenant: str, name: str) -> Condition | None:
        return self.all(tenant).get(name)

    def all(self, tenant: str) -> dict[str, Condition]:
        return {"shop": self.condition} if tenant == "default" else {}

    def reset(self, tenant: str, name: str) -> bool:
        self.condition = CLOSED
        return True


async def test_breaker_and_health_of_an_upstream_are_shown(site: Site) -> None:
    async with altered(site, conditions=FakeConditions()) as one:
        breaker = (await one.get(f"{PATH}/breaker")).json()
        health = (await one.get(f"{PATH}/health")).json()
        listed = (await one.get("/api/admin/conditions")).json()
    assert breaker == {
        "upstream": "shop",
        "state": "open",
        "failures": 5,
        "retry_after_seconds": 12.5,
    }
    assert health == {
        "upstream": "shop",
        "health": "down",
        "reason": "its breaker is open",
        "probe_seconds": 0.25,
    }
    whole = {"upstream": "shop", "breaker": breaker, "health": health}
    assert listed == {"conditions": [whole], "total": 1}


async def test_a_reset_is_recorded_and_then_done(site: Site) -> None:
    conditions = FakeConditions()
    async with altered(site, conditions=conditions) as one:
        reset = await one.post(f"{PATH}/breaker/reset")
        assert (await one.get(f"{PATH}/health")).json()["health"] is None
    assert (reset.status_code, reset.json()["state"]) == (200, "closed")
    record = site.recorder.records[-1]
    assert (record.action, record.metadata) == ("breaker.reset", {"target": "shop"})


async def test_what_cannot_be_recorded_is_not_done(site: Site) -> None:
    conditions = FakeConditions()
    site.recorder.fails = True
    async with altered(site, conditions=conditions) as one:
        refused = await one.post(f"{PATH}/breaker/reset")
    assert refused.status_code == 503
    assert conditions.condition is OPEN


@pytest.mark.parametrize("path", ["breaker", "health"])
async def test_no_other_tenant_sees_it_and_nobody_what_is_not_there(site: Site, path: str) -> None:
    async with altered(site, conditions=FakeConditions()) as one:
        for refused in (
            await one.get(f"{PATH}/{path}", tenant="acme"),
            await one.get(f"/api/admin/upstreams/absent/{path}"),
            await site.get(f"{PATH}/{path}"),
        ):
            assert (refused.status_code, error_of(refused)["code"]) == (404, "E2011")
        assert (await one.get("/api/admin/conditions", tenant="acme")).json()["total"] == 0
    assert (await site.get("/api/admin/conditions")).json()["total"] == 0


async def test_who_may_only_look_resets_nothing(site: Site) -> None:
    conditions = FakeConditions()
    async with altered(site, conditions=conditions) as one:
        refused = await one.post(f"{PATH}/breaker/reset", "viewer")
        assert (await one.get(f"{PATH}/breaker", "viewer")).status_code == 200
        assert (await one.get(f"{PATH}/breaker", "user")).status_code == 403
    assert (refused.status_code, conditions.condition) == (403, OPEN)

from bascule.gateway.record import AuditRecord
from bascule.plugins import Placed, Plugin, Slot
from bascule.plugins.loading import Loaded
from fakes.stages import FakeStage
from unit.api.equipment import FakeConnector, equipped
from unit.api.site import Site, altered, error_of

PATH = "/api/admin/plugins"
IMPORT = "/api/admin/connectors/queries"


class Watcher:
    def observe(self, record: AuditRecord) -> None:
        raise AssertionError(record)


async def test_the_plugins_in_use_are_listed_with_what_they_add(site: Site) -> None:
    plugin = Plugin(
        stages=[Placed(Slot.IDENTIFIED, FakeStage(name="hours"))],
        connectors={"queries": FakeConnector()},
        observers=[Watcher()],
    )
    async with altered(site, plugins=[Loaded("office", "bascule-office", "1.0", plugin)]) as one:
        listed = (await one.get(PATH)).json()
    assert listed == {
        "plugins": [
            {
                "name": "office",
                "package": "bascule-office",
                "version": "1.0",
                "stages": [{"slot": "identified", "name": "hours"}],
                "guards": [],
                "connectors": ["queries"],
                "observers": 1,
            }
        ],
        "total": 1,
    }


async def test_most_gateways_have_none(site: Site) -> None:
    assert (await site.get(PATH)).json() == {"plugins": [], "total": 0}


async def test_what_a_connector_finds_is_imported_like_anything_else(site: Site) -> None:
    body = {"bundle_id": "wired", "address": "shop"}
    async with equipped(site) as one:
        preview = await one.post(IMPORT, json={**body, "dry_run": True})
        made = await one.post(IMPORT, json={**body, "auto_publish": True})
        tool = await one.get("/api/admin/tools/find_shop")
    assert preview.json()["dry_run"]
    assert made.json()["published"]
    assert tool.json()["status"] == "active"


async def test_a_connector_that_is_not_there_is_told_with_those_that_are(site: Site) -> None:
    async with equipped(site) as one:
        path = "/api/admin/connectors/absent"
        refused = await one.post(path, json={"bundle_id": "wired", "address": "shop"})
    assert refused.status_code == 404
    assert error_of(refused)["details"] == {"known": ["queries"]}

import pytest

from bascule.api.standing import Standing
from bascule.gateway.record import Status
from bascule.protocol.versions import Era
from unit.api.site import Site, altered, document, error_of

PATH = "/api/admin/servers"
NOTES = {"name": "notes", "url": "http://127.0.0.1:9/mcp"}


async def test_a_server_is_added_listed_and_removed(site: Site) -> None:
    made = await site.post(PATH, json={**NOTES, "headers": {"Authorization": "Bearer secret"}})
    assert made.status_code == 201
    server = made.json()
    assert (server["kind"], server["url"]) == ("mcp_http", NOTES["url"])
    assert (await site.get(PATH)).json() == {"servers": [server], "total": 1}
    assert (await site.delete(f"{PATH}/notes")).json() == {"removed": "notes"}
    assert (await site.get(PATH)).json() == {"servers": [], "total": 0}


async def test_the_values_of_headers_are_never_shown(site: Site) -> None:
    wanted = {**NOTES, "headers": {"Authorization": "Bearer secret"}}
    made = await site.post(PATH, json=wanted)
    shown = made.text + (await site.get(PATH)).text + (await site.get("/api/admin/audit-logs")).text
    assert made.json()["header_names"] == ["Authorization"]
    assert "secret" not in shown


async def test_a_server_may_be_a_command(site: Site) -> None:
    made = await site.post(
        PATH, "system_admin", json={"name": "files", "command": ["files-server", "--root", "/srv"]}
    )
    assert (made.json()["kind"], made.json()["command"]) == (
        "mcp_stdio",
        ["files-server", "--root", "/srv"],
    )


class FakeStandings:
    """Knows one server; `gone` cannot be reached."""

    def known(self, tenant: str, name: str) -> Standing:
        assert tenant == "default"
        return Standing(name != "gone", Era.LEGACY, 3, "private words")

    async def ask(self, tenant: str, name: str) -> Standing:
        return self.known(tenant, name)


async def test_how_a_server_stands_is_shown_but_why_only_to_who_asks(site: Site) -> None:
    async with altered(site, standings=FakeStandings()) as watched:
        made = (await watched.post(PATH, json={**NOTES, "name": "gone"})).json()
        listed = (await watched.get(PATH)).json()["servers"]
        checked = await watched.post(f"{PATH}/gone/check")
    status = {"reached": False, "era": "legacy", "tools": 3}
    assert made["status"] == status
    assert listed == [made]
    assert checked.json() == {**status, "name": "gone", "reason": "private words"}


async def test_a_server_that_nobody_asked_may_stand_in_any_way(site: Site) -> None:
    unknown = {"reached": None, "era": None, "tools": None}
    assert (await site.post(PATH, json=NOTES)).json()["status"] == unknown
    checked = (await site.post(f"{PATH}/notes/check")).json()
    assert checked == {**unknown, "name": "notes", "reason": ""}


async def test_what_is_not_there_cannot_be_checked(site: Site) -> None:
    refused = await site.post(f"{PATH}/absent/check")
    assert (refused.status_code, error_of(refused)["code"]) == (404, "E2011")


async def test_only_a_system_administrator_adds_a_command(site: Site) -> None:
    refused = await site.post(PATH, "operator", json={"name": "files", "command": ["sh"]})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
    assert (await site.get(PATH)).json()["total"] == 0


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "notes"},
        {**NOTES, "command": ["also"]},
        {"name": "notes", "command": ["x"], "headers": {"A": "b"}},
        {"name": "notes", "url": "ftp://127.0.0.1/"},
        {"name": "notes", "url": "http://"},
        {"name": "a/b", "url": NOTES["url"]},
        {**NOTES, "headers": {"Bad Name": "x"}},
        {**NOTES, "headers": {"X-Split": "a\r\nb: c"}},
        {**NOTES, "headers": {"Content-Length": "5"}},
        {"name": "notes", "command": ["nul\0"]},
    ],
)
async def test_what_cannot_be_spoken_to_is_refused(site: Site, wanted: dict[str, object]) -> None:
    refused = await site.post(PATH, "system_admin", json=wanted)
    assert refused.status_code in {400, 422}
    assert (await site.get(PATH)).json()["total"] == 0


async def test_a_name_that_a_bundle_or_a_service_has_is_taken(site: Site) -> None:
    assert (await site.upload(document("get_a"), bundle_id="shop", auto_publish="true")).is_success
    assert (await site.post(PATH, json=NOTES)).is_success
    for name in ("shop", "notes"):
        refused = await site.post(PATH, json={**NOTES, "name": name})
        assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")


async def test_what_is_no_mcp_server_is_neither_listed_nor_removed(site: Site) -> None:
    assert (await site.upload(document("get_a"), bundle_id="shop", auto_publish="true")).is_success
    assert (await site.get(PATH)).json()["total"] == 0
    for name in ("shop", "absent"):
        refused = await site.delete(f"{PATH}/{name}")
        assert (refused.status_code, error_of(refused)["code"]) == (404, "E2011")


async def test_a_check_is_recorded_before_the_server_is_asked(site: Site) -> None:
    await site.post(PATH, json=NOTES)
    async with altered(site, standings=FakeStandings()) as watched:
        assert (await watched.post(f"{PATH}/notes/check", "operator")).status_code == 200
        record = site.recorder.records[-1]
        assert (record.action, record.user, record.metadata) == (
            "server.check", "operator", {"target": "notes"},
        )  # fmt: skip
        await watched.post(f"{PATH}/absent/check")
    assert site.recorder.records[-1] is record


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "notes", "command": ["sh"]},
        {**NOTES, "headers": {"Authorization": "Bearer ${DATABASE_PASSWORD}"}},
        {**NOTES, "headers": {"Authorization": "${file:/etc/shadow}"}},
    ],
)
async def test_who_tries_what_is_the_installations_is_on_record(
    site: Site, wanted: dict[str, object]
) -> None:
    assert (await site.post(PATH, "operator", json=wanted)).status_code == 403
    assert (await site.ask("PUT", f"{PATH}/notes", "operator", json=wanted)).status_code == 403
    added, put = site.recorder.records
    assert (added.action, put.action) == ("server.add", "server.put")
    for record in (added, put):
        assert (record.status, record.user) == (Status.FAILURE, "operator")
        assert record.metadata["target"] == "notes"
        assert record.metadata["failure"] == "Forbidden"
        assert "shadow" not in str(record)
        assert "PASSWORD" not in str(record)

"""How services are reached is set whole, shown without secrets, and kept from those who may not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from bascule.api.probing import Step
from bascule.gateway.record import Status
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.repositories.upstreams import Upstreams
from unit.api.site import Site, altered, document, error_of

PATH = "/api/admin/upstreams"
URL = "https://api.example/base"
TOKEN = {
    "token_url": "https://login.example/token",
    "client_id": "gateway",
    "client_secret": "${secret:client}",
}


async def put(site: Site, role: str = "admin", name: str = "crm", **body: Any):
    return await site.ask("PUT", f"{PATH}/{name}", role, json={"url": URL, **body})


async def refusal(site: Site, role: str = "admin", **body: Any) -> tuple[int, str]:
    answer = await put(site, role, **body)
    error = error_of(answer)
    assert "hunter2" not in answer.text
    return answer.status_code, error["message"]


async def test_a_service_is_added_shown_and_removed(site: Site) -> None:
    headers = {"Ocp-Apim-Subscription-Key": "${secret:key}", "Accept-Language": "en"}
    answer = await put(
        site,
        headers=headers,
        connector={"credentials": {**TOKEN, "scope": "a b"}, "health_path": "/up"},
        timeout_seconds=7,
    )
    shown = answer.json()
    assert answer.status_code == 200, answer.text
    assert (shown["kind"], shown["url"], shown["timeout_seconds"]) == ("rest", URL, 7)
    assert shown["header_names"] == list(headers)
    assert shown["connector"]["credentials"]["client_secret"] == "${secret:client}"
    assert shown["connector"]["retry"] == {
        "attempts": 3, "first_seconds": 1.0, "cap_seconds": 10.0,
    }  # fmt: skip
    assert (await site.get(f"{PATH}/crm")).json() == shown
    assert (await site.get(PATH)).json() == {"upstreams": [shown], "total": 1}
    upstream = site.control.snapshot().tenant("default").upstreams["crm"]
    assert upstream.headers == tuple(headers.items())
    assert (await site.delete(f"{PATH}/crm")).json() == {"removed": "crm"}
    assert (await site.get(f"{PATH}/crm")).status_code == 404
    assert [one.action for one in site.recorder.records] == ["upstream.set", "upstream.remove"]


async def test_what_is_left_out_stays(site: Site) -> None:
    await put(site, headers={"X-Api-Key": "${secret:key}"}, connector={"credentials": TOKEN})
    changed = await put(site, timeout_seconds=3, connect_timeout_seconds=1)
    assert changed.json()["connector"]["credentials"]["client_id"] == "gateway"
    assert changed.json()["header_names"] == ["X-Api-Key"]
    cleared = await put(site, headers={}, connector={})
    assert cleared.json()["connector"]["credentials"] is None
    assert cleared.json()["header_names"] == []


async def test_a_record_of_changes_names_what_was_given_and_no_value(site: Site) -> None:
    await put(
        site,
        headers={"X-Api-Key": "${secret:key}"},
        connector={"credentials": {**TOKEN, "token_url": "https://login.example/t?code=hunter2"}},
    )
    (record,) = site.recorder.records
    assert record.metadata == {
        "target": "crm", "given": ["connector", "headers", "url"], "headers": ["X-Api-Key"],
        "mode": "live", "networks": [], "tls": False, "token_url": "https://login.example/t",
    }  # fmt: skip


async def test_secrets_go_to_another_host_only_if_given_anew(site: Site) -> None:
    given = {"headers": {"X-Api-Key": "${secret:key}"}, "connector": {"credentials": TOKEN}}
    await put(site, **given)
    for partly in ({}, {"headers": given["headers"]}, {"connector": given["connector"]}):
        status, message = await refusal(site, url="https://evil.example", **partly)
        assert (status, "another host" in message) == (409, True)
    assert (await put(site, url="https://api.example/v2")).status_code == 200
    assert (await put(site, url="https://new.example", **given)).status_code == 200


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"headers": {"Authorization": "Bearer hunter2"}}, "headers.Authorization"),
        ({"headers": {"X-Api-Key": "${KEY:hunter2}"}}, "headers.X-Api-Key"),
        ({"headers": {"X": "${"}}, "headers.X"),
        ({"headers": {"Host": "x"}}, "headers"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "headers"),
        ({"connector": {"credentials": {**TOKEN, "client_secret": "hunter2"}}}, "client_secret"),
        ({"connector": {"credentials": {**TOKEN, "token_url": "login"}}}, "token_url"),
        ({"connector": {"credentials": {**TOKEN, "token_url": "http://login.example"}}}, "https"),
        ({"connector": {"credentials": {**TOKEN, "token_url": "http://0x7f.1"}}}, "token_url"),
        ({"connector": {"tls": {"certificate": "x", "key": "hunter2"}}}, "connector.tls.key"),
        ({"connector": {"tls": {"certificate": "x"}}}, "go together"),
        ({"connector": {"networks": ["10.0.0.1/8"]}}, "connector.networks"),
        ({"connector": {"mode": "off"}}, "mode"),
        ({"connector": {"health_path": "up"}}, "health_path"),
        ({"connector": {"health": "/up"}}, "health"),
        ({"connector": {"retry": {"attempts": 0}}}, "attempts"),
        ({"url": "ftp://x"}, "url"),
        ({"url": "https://x/?q=1"}, "url"),
        ({"url": "http://2130706433/"}, "url"),
        ({"url": "http://[fe80::1%25eth0]/"}, "url"),
        ({"url": "https://user:hunter2@x/"}, "url"),
    ],
)
async def test_what_cannot_be_used_is_refused_with_its_place(site: Site, body, place: str) -> None:
    status, message = await refusal(site, "system_admin", **body)
    assert status == 400
    assert place in message
    assert (await site.get(PATH)).json()["total"] == 0


async def test_a_token_and_a_header_do_not_both_authorise(site: Site) -> None:
    headers = {"Authorization": "Basic ${secret:basic}"}
    status, message = await refusal(site, headers=headers, connector={"credentials": TOKEN})
    assert (status, "Remove one of the two" in message) == (400, True)


async def test_a_token_endpoint_on_this_machine_needs_no_tls(site: Site) -> None:
    for host in ("127.0.0.1:8080", "localhost:8080", "[::1]:8080"):
        token = {**TOKEN, "token_url": f"http://{host}/token"}
        assert (await put(site, connector={"credentials": token})).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"headers": {"X": "${DATABASE_PASSWORD}"}},
        {"headers": {"X": "${file:/etc/shadow}"}},
        {"connector": {"credentials": {**TOKEN, "client_id": "${vault:kv/x#f}"}}},
        {"connector": {"credentials": {**TOKEN, "client_secret": "${aws:x}"}}},
        {"connector": {"tls": {"certificate": "${file:/a}", "key": "${secret:k}"}}},
        {"connector": {"networks": ["10.0.0.0/8"]}},
    ],
)
async def test_what_is_the_installations_is_for_system_administrators(site: Site, body) -> None:
    status, message = await refusal(site, "admin", **body)
    assert (status, "system administrator" in message) == (403, True)
    (record,) = site.recorder.records
    assert (record.action, record.status, record.user) == ("upstream.set", Status.FAILURE, "admin")
    assert (record.metadata["target"], record.metadata["failure"]) == ("crm", "Forbidden")
    assert (await put(site, "system_admin", **body)).status_code == 200


async def test_a_server_of_tools_has_a_connector_too_but_no_mock(site: Site) -> None:
    server = {"name": "notes", "url": "https://notes.example/mcp?team=1"}
    await site.post("/api/admin/servers", json=server)
    changed = await site.ask(
        "PUT", f"{PATH}/notes", json={"connector": {"credentials": TOKEN}, "headers": {}}
    )
    assert changed.status_code == 200, changed.text
    assert (changed.json()["kind"], changed.json()["url"]) == ("mcp_http", server["url"])
    mock = await site.ask("PUT", f"{PATH}/notes", json={"connector": {"mode": "mock"}})
    assert (mock.status_code, "only REST" in error_of(mock)["message"]) == (400, True)


async def test_a_server_by_command_is_not_among_them(site: Site) -> None:
    server = {"name": "here", "command": ["server"]}
    await site.post("/api/admin/servers", "system_admin", json=server)
    assert (await site.get(PATH)).json()["total"] == 0
    assert (await site.get(f"{PATH}/here")).status_code == 404
    assert (await put(site, name="here")).status_code == 409


async def test_servers_resolve_the_same_references_by_the_same_rules(site: Site) -> None:
    server = {"name": "notes", "url": "https://notes.example/mcp"}
    headers = {"Authorization": "Bearer ${NOTES_TOKEN}"}
    answer = await site.post("/api/admin/servers", json={**server, "headers": headers})
    assert (answer.status_code, "system administrator" in answer.text) == (403, True)
    headers = {"Authorization": "Bearer ${secret:notes}"}
    answer = await site.post("/api/admin/servers", json={**server, "headers": headers})
    assert answer.status_code == 201, answer.text


async def test_a_new_service_needs_a_url_and_a_name_of_its_own(site: Site) -> None:
    answer = await site.ask("PUT", f"{PATH}/crm", json={"timeout_seconds": 1})
    assert (answer.status_code, "give its url" in error_of(answer)["message"]) == (400, True)
    await site.upload(document("list_orders"))
    answer = await put(site, name="shop")
    assert (answer.status_code, "names a bundle" in error_of(answer)["message"]) == (409, True)


async def test_a_service_that_tools_call_stays(site: Site) -> None:
    await site.upload(document("list_orders"), auto_publish="true")
    (name,) = [one["name"] for one in (await site.get(PATH)).json()["upstreams"]]
    assert (await site.delete(f"{PATH}/{name}")).status_code == 409


async def test_an_import_keeps_how_its_service_is_reached(site: Site) -> None:
    await site.upload(document("list_orders"), auto_publish="true")
    (found,) = (await site.get(PATH)).json()["upstreams"]
    connector = {"credentials": TOKEN}
    await site.ask("PUT", f"{PATH}/{found['name']}", json={"connector": connector})
    again = await site.upload(document("list_orders", "get_order"), auto_publish="true")
    assert again.status_code == 200, again.text
    kept = (await site.get(f"{PATH}/{found['name']}")).json()
    assert kept["connector"]["credentials"]["client_id"] == "gateway"
    moved = document("list_orders", server="https://evil.example")
    answer = await site.upload(moved, auto_publish="true", base_url="https://evil.example")
    assert (answer.status_code, "another host" in answer.text) == (409, True)


async def test_tenants_do_not_see_each_others_services(site: Site) -> None:
    await put(site)
    assert (await site.get(PATH, tenant="acme")).json()["total"] == 0
    assert (await site.get(f"{PATH}/crm", tenant="acme")).status_code == 404
    assert (await site.delete(f"{PATH}/crm", tenant="acme")).status_code == 404


async def test_only_who_manages_servers_sets_them(site: Site) -> None:
    for role, status in (("operator", 200), ("developer", 403), ("viewer", 403)):
        assert (await put(site, role)).status_code == status
    for role, status in (("viewer", 200), ("developer", 403), ("user", 403)):
        assert (await site.get(PATH, role)).status_code == status
    assert (await site.post(f"{PATH}/crm/test", "viewer")).status_code == 403


@dataclass
class FakeProber:
    """Takes the steps it was given."""

    steps: Sequence[Step]
    asked: list[tuple[str, str]]

    async def probe(self, tenant: str, upstream: Upstream) -> Sequence[Step]:
        self.asked.append((tenant, upstream.name))
        return self.steps


async def test_a_try_tells_step_by_step_and_is_recorded(site: Site) -> None:
    await put(site)
    steps = [Step("secrets", ok=True, detail="1 read"), Step("address", ok=False, detail="no")]
    prober = FakeProber(steps, [])
    async with altered(site, prober=prober) as asked:
        answer = await asked.post(f"{PATH}/crm/test", "operator")
        missing = await asked.post(f"{PATH}/none/test", "operator")
    assert answer.json() == {
        "name": "crm", "ok": False, "steps": [
            {"step": "secrets", "ok": True, "detail": "1 read"},
            {"step": "address", "ok": False, "detail": "no"},
        ],
    }  # fmt: skip
    assert missing.status_code == 404
    assert prober.asked == [("default", "crm")]
    assert site.recorder.records[-1].action == "upstream.test"


async def test_where_nothing_is_reached_nothing_is_tried(site: Site) -> None:
    await put(site)
    answer = await site.post(f"{PATH}/crm/test")
    assert answer.status_code == 503


async def test_a_secret_stored_open_by_other_means_is_not_shown(site: Site) -> None:
    from bascule.gateway.connector import ClientCredentials, ClientTls, Connector  # noqa: PLC0415

    credentials = ClientCredentials("https://t.example", "id", "hunter2")
    connector = Connector(credentials=credentials, tls=ClientTls("c", "hunter2"))
    async with site.rows() as (session, tenant):
        await Upstreams(session, tenant).upsert(
            Upstream("old", UpstreamKind.REST, URL, headers=(("X", "hunter2"),),
                     connector=connector)
        )  # fmt: skip
    for path in (PATH, f"{PATH}/old"):
        assert "hunter2" not in (await site.get(path)).text

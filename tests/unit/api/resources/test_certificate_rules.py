"""Rules about certificates are for system administrators, who decide which tenant they lead to."""

import pytest

from unit.api.site import Site, error_of

PATH = "/api/admin/certificate-rules"
RULE = {"pattern": "URI:spiffe://example.org/agents/*", "roles": ["user"]}
IN_ACME = {"x-bascule-tenant": "acme"}


async def put(site: Site, name: str = "agents", **members: object):
    return await site.ask(
        "PUT", f"{PATH}/{name}", "system_admin", json={**RULE, **members}, headers=IN_ACME
    )


async def test_a_rule_leads_to_the_tenant_that_is_acted_in(site: Site) -> None:
    shown = (await put(site, issuer="CN=Agents CA")).json()
    assert (shown["name"], shown["issuer"], shown["roles"]) == ("agents", "CN=Agents CA", ["user"])
    assert shown["updated_by"] == "system_admin"
    (rule,) = site.control.snapshot().certificate_rules
    assert (rule.tenant, rule.pattern, rule.roles) == ("acme", RULE["pattern"], ("user",))
    listed = (await site.get(PATH, "system_admin", headers=IN_ACME)).json()
    assert listed == {"certificate_rules": [shown], "total": 1}
    assert (await site.get(PATH, "system_admin")).json()["total"] == 0
    assert (await put(site)).json()["issuer"] == ""
    metadata = site.recorder.last.metadata
    assert metadata["before"] == {**RULE, "issuer": "CN=Agents CA"}
    assert metadata["after"] == {**RULE, "issuer": ""}
    gone = await site.ask("DELETE", f"{PATH}/agents", "system_admin", headers=IN_ACME)
    assert gone.json() == {"removed": "agents"}
    assert site.control.snapshot().certificate_rules == ()
    again = await site.ask("DELETE", f"{PATH}/agents", "system_admin", headers=IN_ACME)
    assert (again.status_code, error_of(again)["code"]) == (404, "E2011")


@pytest.mark.parametrize(
    "pattern",
    [
        "DNS:*.agents.example.org",
        "SUBJECT:CN=agent,*",
        "SHA256:" + "a" * 64,
        "EMAIL:a@b",
        "IP:10.*",
    ],
)
async def test_a_pattern_is_about_one_kind_of_name(site: Site, pattern: str) -> None:
    assert (await put(site, pattern=pattern)).json()["pattern"] == pattern


@pytest.mark.parametrize(
    "pattern",
    ["", "*", "URI:*", "DNS:", "SUBJECT:**?", "spiffe://a", "uri:a", "OTHER:a", "URI:a\n"],
)
async def test_a_pattern_that_says_nothing_is_refused(site: Site, pattern: str) -> None:
    refused = await put(site, pattern=pattern)
    assert (refused.status_code, error_of(refused)["code"]) == (400, "E2004")


async def test_roles_have_to_be_the_tenants(site: Site) -> None:
    for roles in ([], ["boss"], ["system_admin"]):  # acme has no such role
        refused = await put(site, roles=roles)
        assert (refused.status_code, error_of(refused)["code"]) == (400, "E2004")

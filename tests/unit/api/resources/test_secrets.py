"""Secrets go in, and do not come out."""

import os
from collections.abc import AsyncIterator

import pytest

from bascule.storage.repositories.grants import (
    GrantDraft,
    GrantKey,
    OAuthClients,
    StoredClient,
    UserGrants,
)
from bascule.upstreams.oauth.ports import Holder
from bascule.upstreams.oauth.sealing import (
    Place,
    Tokens,
    open_client,
    open_tokens,
    seal_client,
    seal_tokens,
)
from bascule.upstreams.secrets.box import SecretBox
from unit.api.site import Site, altered, contents, error_of

OLD, NEW = os.urandom(32), os.urandom(32)
VALUE = "hunter2-hunter2"
PATH = "/api/admin/secrets"
ID = "https://id.example"


@pytest.fixture
async def vault(site: Site) -> AsyncIterator[Site]:
    async with altered(site, box=SecretBox([OLD])) as opened:
        yield opened


async def put(site: Site, name: str = "crm", value: object = VALUE, role="admin", **options):
    return await site.ask("PUT", f"{PATH}/{name}", role, json={"value": value}, **options)


async def use(site: Site, reference: str = "${secret:crm}", **options) -> None:
    body = {"url": "https://api.example", "headers": {"X-Api-Key": reference}}
    answer = await site.ask("PUT", "/api/admin/upstreams/crm-api", json=body, **options)
    assert answer.status_code == 200, answer.text


async def test_a_secret_is_set_listed_and_never_shown(vault: Site) -> None:
    first, second = await put(vault), await put(vault, value="another-value")
    assert (first.status_code, first.json()["version"], second.json()["version"]) == (200, 1, 2)
    listed = await vault.get(PATH)
    (one,) = listed.json()["secrets"]
    assert (one["name"], one["version"], one["updated_by"], one["used_by"]) == (
        "crm", 2, "admin", [],
    )  # fmt: skip
    shown = first.text + second.text + listed.text + str(vault.recorder.records)
    assert VALUE not in shown + str(contents(vault))
    assert "another-value" not in shown + str(contents(vault))
    assert [one.action for one in vault.recorder.records] == ["secret.set", "secret.set"]


async def test_a_secret_is_in_the_snapshot_and_opens_for_its_tenant(vault: Site) -> None:
    await put(vault)
    sealed = vault.control.snapshot().tenant("default").secrets["crm"]
    assert SecretBox([OLD]).open("default", sealed) == VALUE


async def test_tenants_have_secrets_of_their_own(vault: Site) -> None:
    await put(vault)
    await put(vault, value="of-acme", tenant="acme")
    await vault.delete(f"{PATH}/crm", tenant="acme")
    assert (await vault.get(PATH, tenant="acme")).json()["total"] == 0
    assert (await vault.get(PATH)).json()["total"] == 1


async def test_a_secret_in_use_is_removed_by_force_only(vault: Site) -> None:
    await put(vault)
    await use(vault)
    assert (await vault.get(PATH)).json()["secrets"][0]["used_by"] == ["crm-api"]
    refused = await vault.delete(f"{PATH}/crm")
    assert refused.status_code == 409
    assert error_of(refused)["details"] == {"used_by": ["crm-api"]}
    assert (await vault.delete(f"{PATH}/crm?force=true")).json() == {"removed": "crm"}
    assert (await vault.delete(f"{PATH}/crm")).status_code == 404


async def test_every_place_of_a_record_counts_as_use(vault: Site) -> None:
    names = ("id", "secret", "certificate", "key", "authorities")
    for name in names:
        await put(vault, name)
    ref = {name: f"${{secret:{name}}}" for name in names}
    token = {
        "token_url": "https://t.example",
        "client_id": ref["id"],
        "client_secret": ref["secret"],
    }
    tls = {name: ref[name] for name in names[2:]}
    connector = {"credentials": token, "tls": tls}
    body = {"url": "https://api.example", "connector": connector}
    await vault.ask("PUT", "/api/admin/upstreams/crm-api", json=body)
    secrets = (await vault.get(PATH)).json()["secrets"]
    assert {one["name"]: one["used_by"] for one in secrets} == {name: ["crm-api"] for name in names}


async def test_a_secret_of_an_issuer_is_in_use(vault: Site) -> None:
    await put(vault)
    await put(vault, tenant="acme")
    issuer = {
        "name": "corp",
        "issuer": "https://id.example",
        "client_id": "console",
        "client_secret": "${secret:crm}",
    }
    assert (await vault.post("/api/admin/issuers", "system_admin", json=issuer)).status_code == 201
    assert (await vault.get(PATH)).json()["secrets"][0]["used_by"] == ["issuer corp"]
    assert (await vault.delete(f"{PATH}/crm")).status_code == 409
    assert (await vault.get(PATH, tenant="acme")).json()["secrets"][0]["used_by"] == []


async def test_a_reference_that_cannot_be_read_counts_for_nothing(vault: Site) -> None:
    await put(vault)
    from bascule.gateway.tool import Upstream, UpstreamKind  # noqa: PLC0415
    from bascule.storage.repositories.upstreams import Upstreams  # noqa: PLC0415

    async with vault.rows() as (session, tenant):
        odd = Upstream("odd", UpstreamKind.REST, "https://x.example", headers=(("X", "${"),))
        await Upstreams(session, tenant).upsert(odd)
    assert (await vault.get(PATH)).json()["secrets"][0]["used_by"] == []


@pytest.mark.parametrize("value", ["", "x" * 65_537, None, 5])
async def test_what_is_no_value_is_refused_and_not_repeated(vault: Site, value: object) -> None:
    answer = await put(vault, value=value)
    assert answer.status_code in {400, 422}
    assert "xxxxxxxx" not in answer.text


@pytest.mark.parametrize("name", ["a b", "-x", "a%2Fb", "x" * 101, "ü"])
async def test_what_is_no_name_is_refused(vault: Site, name: str) -> None:
    assert (await put(vault, name)).status_code in {400, 404}


async def test_only_who_manages_servers_sets_secrets(vault: Site) -> None:
    for role, status in (("operator", 200), ("developer", 403), ("viewer", 403), ("user", 403)):
        assert (await put(vault, role=role)).status_code == status
    for role, status in (("viewer", 200), ("developer", 403), ("user", 403)):
        assert (await vault.get(PATH, role)).status_code == status
    assert (await vault.post(f"{PATH}/reseal", "admin")).status_code == 403


async def test_a_new_key_takes_over_every_secret_of_every_tenant(vault: Site) -> None:
    await put(vault)
    await put(vault, value="of-acme", tenant="acme")
    rotated = SecretBox([NEW, OLD])
    async with altered(vault, box=rotated) as site:
        await put(site, "newer")
        answer = await site.post(f"{PATH}/reseal", "system_admin")
        assert answer.json() == {"resealed": 2, "key_id": rotated.key_id}
        assert (await site.post(f"{PATH}/reseal", "system_admin")).json()["resealed"] == 0
        snapshot = site.control.snapshot()
    alone = SecretBox([NEW])
    assert alone.open("default", snapshot.tenant("default").secrets["crm"]) == VALUE
    assert alone.open("acme", snapshot.tenant("acme").secrets["crm"]) == "of-acme"
    assert snapshot.tenant("default").secrets["crm"].version == 1


async def test_a_new_key_takes_over_what_upstreams_gave_callers_and_leaves_what_is_lost(
    vault: Site,
) -> None:
    place = Place(Holder("default", "key|user", "notes"), ID, "https://notes.example/mcp")
    lost = place._replace(resource="https://lost.example")
    old, other = SecretBox([OLD]), SecretBox([os.urandom(32)])
    async with vault.rows() as (session, tenant_id):
        for one, box in ((place, old), (lost, other)):
            key = GrantKey("key|user", "notes", one.issuer, one.resource)
            sealed = seal_tokens(box, one, Tokens("access", "refresh"))
            await UserGrants(session, tenant_id).put(GrantDraft(key, "c", (), None, sealed))
        client = StoredClient(ID, "c", {}, seal_client(old, "default", ID, "open-sesame"))
        await OAuthClients(session, tenant_id).put(client)
    async with altered(vault, box=SecretBox([NEW, OLD])) as site:
        answer = await site.post(f"{PATH}/reseal", "system_admin")
        assert answer.json()["resealed"] == 2
    async with vault.rows() as (session, tenant_id):
        grants = {one.key.resource: one for one in await UserGrants(session, tenant_id).all()}
        (known,) = await OAuthClients(session, tenant_id).all()
    alone = SecretBox([NEW])
    assert open_tokens(alone, place, grants[place.resource].sealed).refresh_token == "refresh"
    assert grants[lost.resource].sealed.key_id == other.key_id
    assert open_client(alone, "default", ID, known.sealed) == "open-sesame"


async def test_a_secret_that_does_not_open_stops_the_change_of_keys(vault: Site) -> None:
    await put(vault)
    before = contents(vault)["secrets"]
    async with altered(vault, box=SecretBox([NEW])) as site:
        answer = await site.post(f"{PATH}/reseal", "system_admin")
    assert answer.status_code == 409
    assert "security.secret_keys" in error_of(answer)["message"]
    assert contents(vault)["secrets"] == before


async def test_without_keys_it_says_what_to_set(site: Site) -> None:
    answer = await put(site)
    assert answer.status_code == 503
    assert "security.secret_keys" in error_of(answer)["message"]

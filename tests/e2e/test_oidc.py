"""Access tokens of a real provider, through a real gateway: whom they let in, and whom not."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import OctKey, RSAKey

from bascule.storage.database import open_database
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.users import Identity, Users
from fakes.echo import echoing
from fakes.instances import Instance, bascule_here, serving
from fakes.issuers import encode, sign, sign_text
from fakes.providers import Provider, providing
from unit.api.site import document

AUDIENCE = "https://tools.example"
TOOL = "list_orders"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as one:
        yield one


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Instance]:
    """A gateway with a tool, whose users come from `provider`."""
    settings = {"server.public_url": AUDIENCE}
    data = tmp_path_factory.mktemp("oidc") / "data"
    with echoing() as service, serving(data, settings=settings) as one:
        one.publish(json.dumps(document(TOOL)).encode(), "shop", service.url)
        given = ("issuers", "add", "id", "--issuer", provider.url, "--role-map", "staff=user")
        assert bascule_here(*given, "--data", data, "-o", "json").value["name"] == "id"
        yield one


def good(**changes: Any) -> dict[str, Any]:
    usual = {"sub": "ann", "aud": AUDIENCE, "roles": ["staff"], "azp": "agent"}
    return {**usual, **changes}


def error_in(answer: httpx2.Response) -> dict[str, Any]:
    """The error of a refusal, which gives nothing of the inside away."""
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    return answer.json()["error"]


def refused(instance: Instance, token: str, code: str = "E1002") -> dict[str, Any]:
    answer = instance.call(TOOL, key=token)
    assert answer.status_code == 401, answer.text
    error = error_in(answer)
    assert error["data"]["code"] == code
    return error


def accepted(instance: Instance, token: str) -> None:
    answer = instance.call(TOOL, key=token)
    assert answer.status_code == 200, answer.text
    assert not answer.json()["result"].get("isError"), answer.text


def last_record(instance: Instance) -> dict[str, Any]:
    with instance.api() as client:
        return client.get("/api/admin/audit-logs", params={"limit": 1}).json()["logs"][0]


def test_a_token_from_the_token_endpoint_calls_a_tool(
    instance: Instance, provider: Provider
) -> None:
    accepted(instance, provider.grant(**good()))
    record = last_record(instance)
    assert (record["user"], record["tool_name"]) == ("id:ann", TOOL)


def test_the_issuer_is_tried_and_a_token_explained_at_the_command_line(
    instance: Instance, provider: Provider
) -> None:
    tried = bascule_here("issuers", "test", "id", "--data", instance.data, "-o", "json").value
    assert (tried["ok"], tried["keys"][0]["key_id"]) == (True, "first")
    with instance.api() as client:
        path = "/api/admin/issuers/id/explain"
        told = client.post(path, json={"token": provider.token(**good())}).json()
        assert told["bearer"]["agent"] == "agent"
        assert "tools:execute" in told["bearer"]["permissions"]
        told = client.post(path, json={"token": provider.token(**good(aud="x"))}).json()
        assert (told["accepted"], told["reason"]) == (False, "audience")


def test_a_token_opens_the_rest_api_as_far_as_its_roles_do(
    instance: Instance, provider: Provider
) -> None:
    with instance.api(provider.token(**good())) as client:
        assert client.get("/api/mcp/tools").status_code == 200
        assert client.get("/api/admin/issuers").status_code == 403


@pytest.mark.parametrize(
    ("header", "changes", "code"),
    [
        ({}, {"exp": 1_000_000}, "E1003"),
        ({}, {"nbf": 4_000_000_000}, "E1002"),
        ({}, {"aud": "https://other.example"}, "E1002"),
        ({}, {"iss": "https://other.example"}, "E1002"),
        ({}, {"nonce": "n"}, "E1002"),
        ({}, {"sub": ""}, "E1002"),
        ({}, {"cnf": {"jkt": "x"}}, "E1002"),
        ({"kid": "unknown"}, {}, "E1002"),
        ({"typ": "logout+jwt"}, {}, "E1002"),
    ],
    ids=str,
)
def test_a_token_that_is_not_good_is_refused(
    instance: Instance, provider: Provider, header: Any, changes: Any, code: str
) -> None:
    refused(instance, provider.token(header, **good(**changes)), code)


def test_a_token_that_somebody_tampered_with_is_refused(
    instance: Instance, provider: Provider
) -> None:
    head, body, signature = provider.token(**good(roles=[])).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    more = encode(json.dumps({**claims, "roles": ["staff"]}).encode())
    refused(instance, f"{head}.{more}.{signature}")
    refused(instance, f"{head}.{body}.")
    refused(instance, f"{head}.{body}")
    assert last_record(instance)["status"] == "denied"


def claims_now(provider: Provider) -> dict[str, Any]:
    now = time.time()
    return {**good(), "iss": provider.url, "iat": now, "exp": now + 600}


def test_no_signature_is_none(instance: Instance, provider: Provider) -> None:
    body = encode(json.dumps(claims_now(provider)).encode())
    for name in ("none", "None", "NONE"):
        header = encode(json.dumps({"alg": name, "kid": "first"}).encode())
        refused(instance, f"{header}.{body}.")


def test_the_public_key_is_no_secret_to_sign_with(instance: Instance, provider: Provider) -> None:
    (published,) = [one for one in provider.published() if one["kid"] == "first"]
    pem = RSAKey.import_key(published).as_pem(private=False)
    header = {"alg": "HS256", "kid": "first", "typ": "JWT"}
    refused(instance, sign(header, claims_now(provider), OctKey(pem, pem)))


def test_a_key_of_ones_own_signs_for_nobody_else(instance: Instance, provider: Provider) -> None:
    own = RSAKey.generate_key(2048)
    for more in ({"jwk": own.as_dict(private=False)}, {"jku": "http://127.0.0.1:9/keys"}, {}):
        header = {"alg": "RS256", "kid": "first", **more}
        text = json.dumps(header).encode()
        refused(instance, sign_text(text, json.dumps(claims_now(provider)).encode(), "RS256", own))


def test_a_token_for_one_bundle_is_good_there_only(instance: Instance, provider: Provider) -> None:
    token = provider.token(**good(aud=f"{AUDIENCE}/mcp/bundles/shop"))
    refused(instance, token)
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    with instance.api(token) as client:
        answers = {
            name: client.post(
                f"/mcp/bundles/{name}",
                json=listing,
                headers={"accept": "application/json, text/event-stream"},
            ).status_code
            for name in ("shop", "other")
        }
    assert answers["shop"] != 401
    assert answers["other"] == 401


def test_a_deactivated_issuer_lets_nobody_in_and_an_active_one_does_again(
    instance: Instance, provider: Provider
) -> None:
    token = provider.token(**good())
    accepted(instance, token)
    with instance.api() as client:
        path = "/api/admin/issuers/id/status"
        assert client.post(path, json={"is_active": False}).is_success
        refused(instance, token)
        assert client.post(path, json={"is_active": True}).is_success
    accepted(instance, token)


def test_a_role_that_is_taken_away_is_gone_with_the_next_call(
    instance: Instance, provider: Provider
) -> None:
    token = provider.token(**good())
    accepted(instance, token)
    record = {"name": "id", "issuer": provider.url}
    with instance.api() as client:
        assert client.put("/api/admin/issuers/id", json=record).is_success
        answer = instance.call(TOOL, key=token).json()
        restored = {**record, "role_map": {"staff": ["user"]}}
        assert client.put("/api/admin/issuers/id", json=restored).is_success
    assert answer["error"]["data"]["code"] == "E3001"
    accepted(instance, token)


async def test_a_user_who_is_deactivated_is_refused_with_the_next_call(
    instance: Instance, provider: Provider
) -> None:
    token = provider.token(**good(sub="bob"))
    accepted(instance, token)
    with instance.api() as client:
        assert client.post("/api/admin/users", json={"name": "bob"}).is_success
        url = f"sqlite+aiosqlite:///{instance.data}/bascule.db"
        async with open_database(url) as database, database.change(author="test") as session:
            users = Users(session, (await Tenants(session).get("default")).id)
            await users.link((await users.get("bob")).id, Identity(provider.url, "bob"))
        until(lambda: user_of(instance, token) == "bob")
        assert client.post("/api/admin/users/bob/deactivate").is_success
        refused(instance, token)
        assert client.post("/api/admin/users/bob/activate").is_success
    # What was issued before stays out, since all of it was signed out.
    refused(instance, token)
    later = provider.token(**good(sub="bob", iat=time.time() + 2))
    assert user_of(instance, later) == "bob"


def user_of(instance: Instance, token: str) -> str:
    accepted(instance, token)
    return last_record(instance)["user"]


def test_a_new_key_of_the_provider_is_accepted_and_an_outage_is_outlived(
    instance: Instance, provider: Provider
) -> None:
    old = provider.make({"kid": "first", "claims": good()})
    accepted(instance, old)
    provider.add_key("second", "ES256")
    new = provider.make({"kid": "second", "claims": good()})
    until_accepted(instance, new)
    accepted(instance, old)
    later = provider.make({"kid": "first", "claims": good(jti="never seen before")})
    found = bascule_here("issuers", "status", "--data", instance.data, "-o", "json").value
    (state,) = (one["key_set"] for one in found["issuers"] if one["name"] == "id")
    assert (state["keys"], state["is_stale"], state["failures"]) == (2, False, 0)
    provider.go_down()
    try:
        accepted(instance, new)
        accepted(instance, later)
    finally:
        provider.come_up()


def until_accepted(instance: Instance, token: str) -> None:
    """A key that was not there is looked for once in ten seconds, and others asked before."""
    until(lambda: instance.call(TOOL, key=token).status_code == 200)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline


def test_what_was_refused_is_counted_and_no_token_is_in_any_log(
    instance: Instance, provider: Provider, tmp_path: Path
) -> None:
    token = provider.token(**good(aud="https://other.example"))
    refused(instance, token)
    accepted(instance, provider.token(**good()))
    with instance.api() as client:
        figures = client.get("/metrics").text
    assert 'bascule_token_refusals_total{reason="audience"}' in figures
    assert 'bascule_jwks_fetches_total{outcome="ok"}' in figures
    signature = token.rpartition(".")[2]
    assert signature not in instance.child.said
    for file in instance.data.rglob("*"):
        if file.is_file():
            assert signature.encode() not in file.read_bytes(), file

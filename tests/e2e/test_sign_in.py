"""People sign in to a real gateway: by the one-time link, by passwords, at a real provider."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fakes.instances import Finished, Instance, bascule_here, serving
from fakes.providers import Provider, providing

PASSWORD = "an elk in the attic"
OTHER = "an owl in the oven"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as one:
        yield one


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Instance]:
    """A gateway whose people sign in at `provider`, or with a password."""
    data = tmp_path_factory.mktemp("people") / "data"
    with serving(data, settings={"identity.sign_in_attempts": "4"}) as one:
        given = ("issuers", "add", "id", "--issuer", provider.url, "--role-map", "staff=developer")
        with one.api() as api:
            kept = api.put("/api/admin/secrets/console", json={"value": "s3cret"})
        assert kept.is_success, kept.text
        secret = ("--client-secret", "${secret:console}")
        known = ("--client-id", "console", *secret, "--role-claim", "roles")
        added = bascule_here(*given, *known, "--data", data, "-o", "json")
        assert added.value["client_id"] == "console"
        yield one


@pytest.fixture
def people(provider: Provider) -> Iterator[Provider]:
    """The provider, back to what is usual after each test."""
    provider.say(sub="u-1", preferred_username="ann", roles=["staff"])
    yield provider
    provider.say()
    provider.answer()


def browser(instance: Instance, **headers: str) -> httpx2.Client:
    """A browser without cookies yet; redirects are followed by hand."""
    return httpx2.Client(base_url=instance.url, headers=headers, timeout=20.0, trust_env=False)


def token_in(page: httpx2.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def said(page: httpx2.Response) -> str:
    found = re.search(r'role="(?:alert|status)">(.*?)</p>', page.text)
    return found[1] if found else ""


def enter(client: httpx2.Client, name: str, password: str, **more: str) -> httpx2.Response:
    form = client.get("/sign-in")
    sent = {"csrf": token_in(form), "name": name, "password": password, **more}
    return client.post("/sign-in", data=sent)


def make_user(instance: Instance, name: str, *roles: str) -> None:
    with instance.api() as api:
        made = api.post("/api/admin/users", json={"name": name, "roles": list(roles)})
        assert made.status_code == 201, made.text
        given = api.post(f"/api/admin/users/{name}/password", json={"password": PASSWORD})
        assert given.is_success, given.text


def by_provider(client: httpx2.Client, path: str = "/sign-in/id") -> httpx2.Response:
    """Go to the provider and back, as a browser does; gives the answer to coming back."""
    there = client.get(path)
    assert there.status_code == 303, there.text
    with httpx2.Client(trust_env=False, timeout=20.0) as other:
        back = other.get(there.headers["location"])
    assert back.status_code == 302, back.text
    return client.get(back.headers["location"])


def me(client: httpx2.Client) -> dict[str, Any]:
    answer = client.get("/api/session")
    assert answer.status_code == 200, answer.text
    return answer.json()


def records(instance: Instance, action: str) -> list[dict[str, Any]]:
    with instance.api() as api:
        logs = api.get("/api/admin/audit-logs", params={"limit": 100}).json()["logs"]
    return [one for one in logs if one["action"] == action]


def test_the_first_administrator_is_made_by_the_link_that_up_prints(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as instance:
        link = _link(instance)
        with browser(instance) as client:
            assert client.get(link).status_code == 200
            sent = {"name": "root", "password": PASSWORD, "again": PASSWORD}
            assert client.post(link, data=sent).headers["location"] == "/account"
            assert me(client)["roles"] == ["admin", "system_admin"]
            assert client.get("/api/admin/users").status_code == 200
            assert client.post(link, data=sent).status_code == 404
        journal = b"".join(one.read_bytes() for one in (data / "audit").rglob("*") if one.is_file())
        for secret in (link.rsplit("/", 1)[1], PASSWORD):
            assert secret.encode() not in journal
        assert PASSWORD.encode() not in (data / "bascule.db").read_bytes()
    with serving(data) as again:
        assert "/setup/" not in again.child.said
        with browser(again) as client:
            assert client.get(link).status_code == 404
            assert enter(client, "root", PASSWORD).status_code == 303


def test_a_link_of_before_a_restart_is_over(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as instance:
        link = _link(instance)
    with serving(data) as again, browser(again) as client:
        assert _link(again) != link
        assert client.get(link).status_code == 404


def _link(instance: Instance) -> str:
    found = re.search(r"(/setup/[\w-]{43})\s", instance.child.said)
    assert found is not None, instance.child.said
    return found[1]


def test_a_password_lets_in_and_the_session_is_good_for_the_api(instance: Instance) -> None:
    make_user(instance, "dev", "developer")
    with browser(instance) as client:
        assert enter(client, "dev", PASSWORD).headers["location"] == "/account"
        for _ in range(2):
            assert "dev" in client.get("/account").text
        assert client.get("/api/admin/tools").status_code == 200
        assert client.get("/api/admin/keys").status_code == 403
        body = {"name": "made-by-dev"}
        assert client.post("/api/admin/bundles", json=body).status_code == 403
        token = {"x-csrf-token": me(client)["csrf_token"]}
        assert client.post("/api/admin/bundles", json=body, headers=token).status_code == 201
        elsewhere = {**token, "origin": "http://127.0.0.1:1"}
        assert client.post("/api/admin/bundles", json=body, headers=elsewhere).status_code == 403
    assert records(instance, "bundle.create")[0]["user"] == "dev"


def test_a_cookie_is_nothing_to_mcp(instance: Instance) -> None:
    make_user(instance, "caller", "user")
    with browser(instance) as client:
        enter(client, "caller", PASSWORD)
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        headers = {"accept": "application/json, text/event-stream"}
        headers["x-csrf-token"] = me(client)["csrf_token"]
        assert client.post("/mcp", json=message, headers=headers).status_code == 401


def test_a_stolen_cookie_is_worth_nothing_after_signing_out(instance: Instance) -> None:
    make_user(instance, "victim", "user")
    with browser(instance) as client:
        enter(client, "victim", PASSWORD)
        stolen = client.cookies["bascule"]
        with browser(instance, cookie=f"bascule={stolen}") as thief:
            assert me(thief)["name"] == "victim"
            client.post("/sign-out", data={"csrf": token_in(client.get("/sign-out"))})
            assert thief.get("/api/session").status_code == 401
            assert thief.get("/account").headers["location"].startswith("/sign-in")
    database = instance.data / "bascule.db"
    with closing(sqlite3.connect(database)) as rows:
        kept = rows.execute("SELECT digest, claims, agent FROM user_sessions").fetchall()
    assert kept
    assert stolen not in repr(kept)


def test_who_is_deactivated_is_out_at_once(instance: Instance) -> None:
    make_user(instance, "leaver", "user")
    with browser(instance) as client, instance.api() as api:
        enter(client, "leaver", PASSWORD)
        assert me(client)["name"] == "leaver"
        api.post("/api/admin/users/leaver/deactivate").raise_for_status()
        assert client.get("/api/session").status_code == 401
        assert enter(client, "leaver", PASSWORD).status_code == 403


def test_wrong_passwords_wait_whatever_the_account(instance: Instance) -> None:
    make_user(instance, "target", "user")
    with browser(instance) as client:
        for name in ("target", "nobody-at-all"):
            answers = [enter(client, name, "wrong") for _ in range(5)]
            assert [one.status_code for one in answers] == [403] * 4 + [429]
            assert int(answers[-1].headers["retry-after"]) > 800
        assert enter(client, "target", PASSWORD).status_code == 429
    found = [one for one in records(instance, "sign_in") if one.get("user") == "target"]
    assert [one["error_code"] for one in found] == ["E1002"] * 4


def test_a_changed_password_ends_every_other_session(instance: Instance) -> None:
    make_user(instance, "careful", "user")
    with browser(instance) as client, browser(instance) as other:
        for one in (client, other):
            enter(one, "careful", PASSWORD)
        page = client.get("/account")
        sent = {"current": PASSWORD, "password": OTHER, "again": OTHER}
        assert client.post("/account/password", data=sent).status_code == 403
        done = client.post("/account/password", data={**sent, "csrf": token_in(page)})
        assert done.headers["location"] == "/account?done=password"
        assert me(client)["name"] == "careful"
        assert other.get("/api/session").status_code == 401
        assert enter(other, "careful", PASSWORD).status_code == 403
        assert enter(other, "careful", OTHER).status_code == 303


def test_signing_out_everywhere_ends_every_session(instance: Instance) -> None:
    make_user(instance, "away", "user")
    with browser(instance) as client, browser(instance) as other:
        for one in (client, other):
            enter(one, "away", PASSWORD)
        token = token_in(client.get("/account"))
        client.post("/account/sign-out-everywhere", data={"csrf": token})
        for one in (client, other):
            assert one.get("/api/session").status_code == 401
    assert records(instance, "sign_out.everywhere")[0]["user"] == "away"


@pytest.mark.parametrize("path", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_nobody_is_sent_elsewhere(instance: Instance, people: Provider, path: str) -> None:
    with browser(instance) as client:
        arrived = by_provider(client, f"/sign-in/id?next={path}")
        assert arrived.headers["location"] == "/account"


def test_a_provider_lets_in_whom_it_knows_with_the_roles_it_claims(
    instance: Instance, people: Provider
) -> None:
    with browser(instance) as client:
        arrived = by_provider(client, "/sign-in/id?next=/account?x=1")
        assert (arrived.status_code, arrived.headers["location"]) == (303, "/account?x=1")
        body = me(client)
        assert (body["name"], body["roles"], body["issuer"]) == ("ann", ["developer"], people.url)
        assert client.get("/api/admin/tools").status_code == 200
        page = client.post("/sign-out", data={"csrf": token_in(client.get("/sign-out"))})
        assert f"{people.url}/endsession?client_id=console" in page.text
        assert client.get("/api/session").status_code == 401
        by_provider(client)
        assert me(client)["user_id"] == body["user_id"]


def test_trying_an_issuer_says_which_of_its_secrets_cannot_be_read(
    instance: Instance, people: Provider, tmp_path: Path
) -> None:
    def tried() -> Finished:
        return bascule_here("issuers", "test", "id", "--data", instance.data, "-o", "json")

    def refer(reference: str) -> None:
        with instance.api() as api:
            known = api.get("/api/admin/issuers/id").json()
            names = ("name", "issuer", "role_map", "roles_claims", "client_id")
            body = {**{name: known[name] for name in names}, "client_secret": reference}
            assert api.put("/api/admin/issuers/id", json=body).is_success

    usual = "${secret:console}"
    used = {"field": "client_secret", "reference": usual, "is_usable": True}
    good = tried()
    assert (good.value["ok"], good.value["secrets"]) == (True, [used])
    file = tmp_path / "console"
    try:
        for reference, said in (
            ("${secret:nobody}", "bascule secrets set nobody"),
            ("${BASCULE_NO_SUCH_SECRET}", "no variable BASCULE_NO_SUCH_SECRET"),
            (f"${{file:{file}}}", f"${{file:{file}}} names no file"),
        ):
            refer(reference)
            ended = tried()
            found = json.loads(ended.out)
            assert (ended.code, found["ok"], len(found["problems"])) == (4, False, 1)
            assert found["problems"][0].startswith("client_secret: ")
            assert said in found["problems"][0]
            assert found["secrets"] == [{**used, "reference": reference, "is_usable": False}]
            assert found["keys"], "the rest of it was tried all the same"
            with browser(instance) as client:
                assert by_provider(client).status_code != 303, "nobody signs in with it, either"
        there = tmp_path / "there"
        there.write_text("s3cret\n")
        refer(f"${{file:{there}}}")
        assert tried().value["ok"]
        assert "s3cret" not in tried().out
    finally:
        refer(usual)
    assert tried().value["ok"]


def test_a_provider_takes_over_no_account_by_its_name_or_address(
    instance: Instance, people: Provider
) -> None:
    make_user(instance, "boss", "admin", "system_admin")
    people.say(sub="u-2", preferred_username="boss", email="boss@example.com")
    with browser(instance) as client:
        by_provider(client)
        body = me(client)
    assert (body["name"], body["roles"]) == ("boss-2", [])


def test_a_user_of_the_provider_who_is_deactivated_stays_out(
    instance: Instance, people: Provider
) -> None:
    people.say(sub="u-3", preferred_username="gone")
    with browser(instance) as client, instance.api() as api:
        by_provider(client)
        assert me(client)["name"] == "gone"
        api.post("/api/admin/users/gone/deactivate").raise_for_status()
        assert client.get("/api/session").status_code == 401
        assert by_provider(client).status_code == 403


def test_an_identity_that_is_linked_comes_in_as_its_user_until_it_is_unlinked(
    instance: Instance, people: Provider
) -> None:
    make_user(instance, "clerk", "operator")
    people.say(sub="u-9", preferred_username="somebody")
    identity = ("--issuer", people.url, "--subject", "u-9")
    at = ("--data", instance.data, "-o", "json")
    with browser(instance) as client:
        by_provider(client)
        assert (me(client)["name"], me(client)["roles"]) == ("somebody", [])
        # An account of their own was made at the first sign-in: the identity is taken from it.
        moved = bascule_here("users", "link", "clerk", *identity, "--from", "somebody", *at)
        assert moved.value["issuer_name"] == "id"
        assert client.get("/api/session").status_code == 401
        by_provider(client)
        assert (me(client)["name"], me(client)["roles"]) == ("clerk", ["operator"])
        assert client.get("/api/admin/servers").status_code == 200
        listed = bascule_here("users", "identities", "clerk", *at).value
        assert [one["subject"] for one in listed["identities"]] == ["u-9"]
        bascule_here("users", "unlink", "clerk", *identity, *at)
        assert client.get("/api/session").status_code == 401
        assert client.get("/api/admin/servers").status_code == 401
        by_provider(client)
        assert (me(client)["name"], me(client)["roles"]) == ("somebody-2", [])
        assert client.get("/api/admin/servers").status_code == 403
    (record,) = records(instance, "user.identity.unlink")
    assert (record["metadata"]["target"], record["metadata"]["subject"]) == ("clerk", "u-9")


@pytest.mark.parametrize(
    ("claims", "members"),
    [
        ({"nonce": "another"}, {}),
        ({"aud": "another-client"}, {}),
        ({"iss": "http://127.0.0.1:1"}, {}),
        ({"exp": 1}, {}),
        ({}, {"state": "made-up"}),
        ({}, {"state": None}),
        ({}, {"code": "made-up"}),
        ({}, {"code": None}),
        ({}, {"iss": "https://evil.example"}),
        ({}, {"error": "access_denied"}),
    ],
)
def test_an_answer_that_is_not_right_lets_nobody_in(
    instance: Instance, people: Provider, claims: dict[str, Any], members: dict[str, str | None]
) -> None:
    people.say(sub="u-1", **claims)
    people.answer(**members)
    with browser(instance) as client:
        refused = by_provider(client)
        assert refused.status_code == 403, refused.text
        assert "Begin again" in said(refused)
        assert "bascule" not in client.cookies
        assert client.get("/api/session").status_code == 401


def test_an_answer_is_good_once_and_in_its_own_browser(
    instance: Instance, people: Provider
) -> None:
    with browser(instance) as victim, browser(instance) as thief:
        there = thief.get("/sign-in/id")
        with httpx2.Client(trust_env=False) as other:
            back = other.get(there.headers["location"]).headers["location"]
        victim.get("/sign-in")
        # Sign-in forgery: the victim is to work in the thief's account.
        assert victim.get(back).status_code == 403
        assert thief.get(back).status_code == 403, "it was used up by then"
        arrived = by_provider(thief)
        assert arrived.status_code == 303
        assert thief.get(str(arrived.request.url)).status_code == 403


def test_a_provider_that_is_down_is_a_page_that_says_so(instance: Instance) -> None:
    with providing() as other:
        given = ("issuers", "add", "down", "--issuer", other.url, "--client-id", "c")
        bascule_here(*given, "--data", instance.data, "-o", "json")
        other.go_down()
        with browser(instance) as client:
            answer = client.get("/sign-in/down")
    assert answer.status_code == 503
    assert "down cannot be used" in said(answer)


def test_a_lost_password_is_set_anew_from_the_shell(instance: Instance) -> None:
    make_user(instance, "forgetful", "user")
    with browser(instance) as client:
        enter(client, "forgetful", PASSWORD)
        given = ("users", "set-password", "forgetful", "--generate", "--data", instance.data)
        fresh = bascule_here(*given, "-o", "json").value["password"]
        assert client.get("/api/session").status_code == 401
        assert enter(client, "forgetful", PASSWORD).status_code == 403
        assert enter(client, "forgetful", fresh).status_code == 303

"""Signing in by program."""

from dataclasses import replace

from bascule.api.signin.desk import PasswordRules
from unit.api.lobby import GOOD, IDP, ISSUER, Lobby, open_lobby, query_of
from unit.api.site import Site, error_of, key_of

NEW = "an owl in the oven"
ANN = {"name": "ann", "password": GOOD}


async def test_a_session_is_made_shown_and_ended(lobby: Lobby) -> None:
    await lobby.add("ann", "developer")
    async with lobby.browser() as browser:
        made = await browser.post("/api/session", json=ANN)
        assert made.status_code == 200
        body = made.json()
        assert (body["name"], body["tenant"], body["roles"]) == ("ann", "default", ["developer"])
        assert body["issuer"] is None
        assert GOOD not in made.text
        assert browser.cookies["bascule"] not in made.text
        assert (await browser.get("/api/session")).json() == body
        token = {"x-csrf-token": body["csrf_token"]}
        assert (await browser.delete("/api/session")).status_code == 403
        ended = await browser.delete("/api/session", headers=token)
        assert ended.json() == {"provider": None, "provider_sign_out_url": None}
        assert (await browser.get("/api/session")).status_code == 401


async def test_a_wrong_password_and_an_unknown_name_are_the_same(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.browser() as browser:
        answers = [
            await browser.post("/api/session", json={"name": name, "password": "wrong"})
            for name in ("ann", "nobody")
        ]
    first, second = (error_of(one) for one in answers)
    assert (answers[0].status_code, first["code"]) == (401, "E1002")
    assert (first["message"], first["details"]) == (second["message"], second["details"])
    assert "set-cookie" not in answers[0].headers


async def test_too_many_attempts_are_told_how_long_to_wait(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.browser() as browser:
        for _ in range(5):
            await browser.post("/api/session", json={**ANN, "password": "wrong"})
        answer = await browser.post("/api/session", json=ANN)
    assert (answer.status_code, error_of(answer)["code"]) == (429, "E1010")
    assert answer.headers["retry-after"] == "900"


async def test_a_page_from_elsewhere_signs_nobody_in(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.browser(origin="http://127.0.0.1:9999") as browser:
        answer = await browser.post("/api/session", json=ANN)
        assert (answer.status_code, error_of(answer)["code"]) == (403, "E1011")
    async with lobby.browser() as browser:
        form = await browser.post("/api/session", data=ANN)
        assert form.status_code in {400, 415}


async def test_a_password_is_in_no_answer_and_no_record(lobby: Lobby) -> None:
    async with lobby.browser() as browser:
        answer = await browser.post("/api/session", json={**ANN, "name": "", "extra": GOOD})
    assert answer.status_code == 400
    assert GOOD not in answer.text
    assert GOOD not in repr(lobby.site.recorder.records)


async def test_a_tenant_may_be_named(lobby: Lobby) -> None:
    await lobby.add(tenant="acme")
    async with lobby.browser() as browser:
        assert (await browser.post("/api/session", json=ANN)).status_code == 401
        made = await browser.post("/api/session", json={**ANN, "tenant": "acme"})
        assert made.json()["tenant"] == "acme"


async def test_the_ways_in_are_listed_for_anybody(site: Site) -> None:
    async with open_lobby(site) as lobby, lobby.browser() as browser:
        await lobby.add_issuer(replace(ISSUER, name="my id"))
        answer = await browser.get("/api/session/providers")
        assert answer.json() == {
            "local_accounts": True,
            "min_password_characters": 12,
            "providers": [{"name": "my id", "url": "/sign-in/my%20id"}],
        }
        assert "s3cret" not in answer.text
    none = PasswordRules(local_accounts=False)
    async with open_lobby(site, rules=none) as lobby, lobby.browser() as browser:
        body = (await browser.get("/api/session/providers")).json()
        assert not body["local_accounts"]
        assert (await browser.post("/api/session", json=ANN)).status_code == 403


async def test_the_password_is_changed_and_other_sessions_end(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser, lobby.entered() as other:
        token = (await browser.get("/api/session")).json()["csrf_token"]
        wanted = {"current": GOOD, "new": NEW}
        path = "/api/session/password"
        assert (await browser.post(path, json=wanted)).status_code == 403
        old = browser.cookies["bascule"]
        headers = {"x-csrf-token": token}
        weak = await browser.post(path, json={"current": GOOD, "new": "x"}, headers=headers)
        assert error_of(weak)["details"] == {"field": "password"}
        done = await browser.post(path, json=wanted, headers=headers)
        assert done.status_code == 200
        assert browser.cookies["bascule"] != old
        assert done.json()["csrf_token"] != token
        assert (await browser.get("/api/session")).json() == done.json()
        assert (await other.get("/api/session")).status_code == 401


async def test_signing_out_everywhere_ends_every_session(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser, lobby.entered() as other:
        token = (await browser.get("/api/session")).json()["csrf_token"]
        path = "/api/session/sign-out-everywhere"
        assert (await browser.post(path)).status_code == 403
        assert (await browser.post(path, headers={"x-csrf-token": token})).status_code == 204
        for one in (browser, other):
            assert (await one.get("/api/session")).status_code == 401


async def test_a_key_is_no_session(lobby: Lobby) -> None:
    key = {"authorization": f"Bearer {key_of('admin')}"}
    async with lobby.browser(**key) as browser:
        for method, path in (
            ("GET", "/api/session"),
            ("DELETE", "/api/session"),
            ("POST", "/api/session/sign-out-everywhere"),
        ):
            answer = await browser.request(method, path)
            assert (answer.status_code, error_of(answer)["code"]) == (401, "E1001"), path
        wanted = {"current": GOOD, "new": NEW}
        assert (await browser.post("/api/session/password", json=wanted)).status_code == 401


async def test_who_came_by_a_provider_is_told_where_to_sign_out_as_well(lobby: Lobby) -> None:
    await lobby.add_issuer()
    lobby.provider.said = {"iss": IDP, "sub": "s-1"}
    async with lobby.browser() as browser:
        asked = query_of((await browser.get("/sign-in/corp")).headers["location"])
        back = {"state": asked["state"], "code": "c", "iss": IDP}
        await browser.get("/sign-in/corp/callback", params=back)
        body = (await browser.get("/api/session")).json()
        assert body["issuer"] == IDP
        token = {"x-csrf-token": body["csrf_token"]}
        ended = (await browser.delete("/api/session", headers=token)).json()
    assert ended["provider"] == "corp"
    assert ended["provider_sign_out_url"].startswith(f"{IDP}/logout?")


def test_every_operation_of_sessions_is_documented(lobby: Lobby) -> None:
    paths = lobby.app.openapi()["paths"]
    found = {(method, path) for path in paths for method in paths[path] if "/session" in path}
    assert found == {
        ("get", "/api/session"),
        ("post", "/api/session"),
        ("delete", "/api/session"),
        ("get", "/api/session/providers"),
        ("post", "/api/session/sign-out-everywhere"),
        ("post", "/api/session/password"),
    }
    assert not any(path.startswith(("/sign", "/setup", "/account")) for path in paths)

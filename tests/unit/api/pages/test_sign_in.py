"""The page to sign in at, the way to providers and back, and the way out."""

import asyncio
from dataclasses import replace

import httpx2
import pytest

from bascule.api.signin.attempts import PER_ADDRESS
from bascule.api.signin.cookies import Cookies, csrf_token
from bascule.api.signin.desk import PasswordRules
from bascule.storage.repositories.tenants import TenantChanges, Tenants
from unit.api.lobby import BASE, GOOD, IDP, ISSUER, Lobby, open_lobby, query_of, said, token_in
from unit.api.site import Site

SAID = {"iss": IDP, "sub": "s-1", "preferred_username": "ann", "roles": ["Staff"]}


async def test_the_page_has_a_form_and_a_button_for_each_provider(lobby: Lobby) -> None:
    await lobby.add_issuer(replace(ISSUER, name="A&B <id>"))
    async with lobby.browser() as browser:
        page = await browser.get("/sign-in?next=/oauth/consent/x")
    assert page.status_code == 200
    assert 'name="password" type="password"' in page.text
    assert "Sign in with A&amp;B &lt;id&gt;" in page.text
    assert 'href="/sign-in/A%26B%20%3Cid%3E?next=%2Foauth%2Fconsent%2Fx"' in page.text
    assert "<script" not in page.text
    assert "HttpOnly" in page.headers["set-cookie"]


async def test_a_first_visitor_is_told_of_the_link(lobby: Lobby) -> None:
    async with lobby.browser() as browser:
        assert "bascule up" in (await browser.get("/sign-in")).text
        await lobby.add()
        assert "bascule up" not in (await browser.get("/sign-in")).text


async def test_where_there_is_no_way_in_the_page_says_so(site: Site) -> None:
    none = PasswordRules(local_accounts=False)
    async with open_lobby(site, rules=none) as lobby, lobby.browser() as browser:
        page = await browser.get("/sign-in")
        assert "Nobody can sign in here yet" in said(page)
        assert "password" not in page.text.split("</style>")[1]
        sent = {"csrf": _token(browser), "name": "ann", "password": GOOD}
        assert (await browser.post("/sign-in", data=sent)).status_code == 403


def _token(browser: httpx2.AsyncClient) -> str:
    return csrf_token(browser.cookies["bascule-form"])


async def test_a_wrong_password_says_what_an_unknown_name_does(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.browser() as browser:
        answers = [
            await lobby.enter(browser, "ann", "wrong"),
            await lobby.enter(browser, "nobody", "wrong"),
        ]
    assert [one.status_code for one in answers] == [403, 403]
    assert said(answers[0]) == said(answers[1]) != ""
    texts = {
        one.text.replace(token_in(one), "").replace('value="nobody"', 'value="ann"')
        for one in answers
    }
    assert len(texts) == 1
    assert "set-cookie" in answers[0].headers
    assert "bascule=" not in answers[0].headers["set-cookie"]


async def test_too_many_attempts_are_told_how_long_to_wait(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.browser() as browser:
        for _ in range(5):
            await lobby.enter(browser, "ann", "wrong")
        answer = await lobby.enter(browser)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")


async def test_a_form_of_another_browser_or_page_lets_nobody_in(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.browser() as browser, lobby.browser() as other:
        theirs = token_in(await other.get("/sign-in"))
        mine = token_in(await browser.get("/sign-in"))
        sent = {"name": "ann", "password": GOOD}
        for token, headers in (
            ("", {}),
            ("x", {}),
            (theirs, {}),
            (mine, {"origin": "http://127.0.0.1:9999"}),
            (mine, {"sec-fetch-site": "cross-site"}),
        ):
            answer = await browser.post("/sign-in", data={**sent, "csrf": token}, headers=headers)
            assert answer.status_code == 403, (token, headers)
            assert "bascule" not in browser.cookies
        browser.cookies.clear()
        answer = await browser.post("/sign-in", data={**sent, "csrf": mine})
        assert answer.status_code == 403
        assert "allow cookies" in said(answer)


async def test_a_cookie_that_was_planted_is_not_the_one_that_is_signed_in(lobby: Lobby) -> None:
    await lobby.add("mallory")
    await lobby.add("ann")
    async with lobby.entered("mallory") as thief, lobby.browser() as victim:
        planted = thief.cookies["bascule"]
        victim.cookies.set("bascule", planted, domain="127.0.0.1")
        victim.cookies.set("bascule-form", "known-to-the-thief", domain="127.0.0.1")
        form = await victim.get("/sign-out")
        assert "mallory" in form.text
        sent = {"csrf": _token(victim), "name": "ann", "password": GOOD}
        answer = await victim.post("/sign-in", data=sent)
        assert answer.status_code == 303
        fresh = [one.value for one in victim.cookies.jar if one.name == "bascule"]
        assert planted not in fresh
        assert (await thief.get("/api/session")).status_code == 401


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aset-cookie:x\r\n"]
)
async def test_nobody_is_sent_elsewhere_after_signing_in(lobby: Lobby, path: str) -> None:
    await lobby.add()
    async with lobby.browser() as browser:
        answer = await lobby.enter(browser, next=path)
        assert answer.headers["location"] == "/account"
        again = await browser.get("/sign-in", params={"next": path})
        assert again.headers["location"] == "/account"


async def test_who_is_in_already_goes_on(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        answer = await browser.get("/sign-in?next=/oauth/consent/x")
        assert (answer.status_code, answer.headers["location"]) == (303, "/oauth/consent/x")
        lobby.clock.pass_by(hours=1)
        assert (await browser.get("/sign-in")).status_code == 200


async def test_over_https_the_cookie_is_one_that_no_other_host_can_set(site: Site) -> None:
    async with open_lobby(site, cookies=Cookies("https://gw.example.com")) as lobby:
        await lobby.add()
        async with lobby.browser("https://gw.example.com") as browser:
            origin = {"origin": "https://gw.example.com"}
            browser.headers.update(origin)
            answer = await lobby.enter(browser)
            assert answer.status_code == 303
            (cookie,) = [
                one
                for one in answer.headers.get_list("set-cookie")
                if one.startswith("__Host-bascule=")
            ]
            for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"):
                assert part in cookie
            assert "Domain" not in cookie
            assert (await browser.get("/account")).status_code == 200


async def test_a_tenant_is_asked_for_where_there_are_several_and_the_host_is_nobodys(
    lobby: Lobby,
) -> None:
    await lobby.add("ann", tenant="acme")
    async with lobby.browser() as browser:
        page = await browser.get("/sign-in?tenant=acme")
        assert 'name="tenant"' in page.text
        assert 'value="acme"' in page.text
        assert (await lobby.enter(browser)).status_code == 403
        assert (await lobby.enter(browser, tenant="acme")).status_code == 303
    async with lobby.site.rows() as (session, _):
        await Tenants(session).update("acme", TenantChanges(hosts=("localhost",)))
    async with lobby.browser("http://localhost") as browser:
        assert 'name="tenant"' not in (await browser.get("/sign-in")).text
        assert (await lobby.enter(browser, tenant="default")).status_code == 303


async def sent_to_provider(browser: httpx2.AsyncClient, path: str = "") -> dict[str, str]:
    answer = await browser.get(f"/sign-in/corp{path}")
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{IDP}/authorize?")
    return query_of(answer.headers["location"])


async def test_a_provider_lets_in_whom_it_sent_back_to_the_same_browser(lobby: Lobby) -> None:
    await lobby.add_issuer()
    lobby.provider.said = SAID
    async with lobby.browser() as browser, lobby.browser() as other:
        asked = await sent_to_provider(browser, "?next=/oauth/consent/x")
        assert asked["redirect_uri"] == f"{BASE}/sign-in/corp/callback"
        back = {"state": asked["state"], "code": "c", "iss": IDP}
        stolen = await other.get("/sign-in/corp/callback", params=back)
        assert stolen.status_code == 403
        assert "Begin again" in said(stolen)
        asked = await sent_to_provider(browser, "?next=/oauth/consent/x")
        back = {"state": asked["state"], "code": "c", "iss": IDP}
        answer = await browser.get("/sign-in/corp/callback", params=back)
        assert (answer.status_code, answer.headers["location"]) == (303, "/oauth/consent/x")
        page = await browser.get("/account")
    assert "ann" in page.text
    assert IDP in page.text
    assert "Change your password" not in page.text


async def test_who_comes_first_when_too_many_do_is_told_how_long_to_wait(site: Site) -> None:
    async with open_lobby(site, attempts=1) as lobby:
        await lobby.add_issuer()
        for number in range(PER_ADDRESS + 1):
            lobby.provider.said = {"iss": IDP, "sub": f"s-{number}"}
            async with lobby.browser() as browser:
                asked = await sent_to_provider(browser)
                back = {"state": asked["state"], "code": "c", "iss": IDP}
                answer = await browser.get("/sign-in/corp/callback", params=back)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert "for the first time" in said(answer)
    assert "set-cookie" not in answer.headers


async def test_an_answer_that_says_things_twice_is_none(lobby: Lobby) -> None:
    await lobby.add_issuer()
    async with lobby.browser() as browser:
        asked = await sent_to_provider(browser)
        query = f"state={asked['state']}&code=a&code=b&iss={IDP}"
        answer = await browser.get(f"/sign-in/corp/callback?{query}")
    assert answer.status_code == 400
    assert lobby.provider.posted == []


async def test_what_a_provider_writes_is_not_shown(lobby: Lobby) -> None:
    await lobby.add_issuer()
    async with lobby.browser() as browser:
        asked = await sent_to_provider(browser)
        back = {"state": asked["state"], "iss": IDP, "error": "<b>call 555</b>"}
        back["error_description"] = "call 555"
        answer = await browser.get("/sign-in/corp/callback", params=back)
    assert answer.status_code == 403
    assert "555" not in answer.text


async def test_a_way_in_that_is_not_there_is_a_page(lobby: Lobby) -> None:
    async with lobby.browser() as browser:
        assert (await browser.get("/sign-in/nowhere")).status_code == 404
    await lobby.add_issuer()
    lobby.provider.down = True
    async with lobby.browser() as browser:
        answer = await browser.get("/sign-in/corp")
    assert answer.status_code == 503
    assert "corp cannot be used" in said(answer)


async def test_signing_out_takes_a_button_and_ends_the_session(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        stolen = browser.cookies["bascule"]
        form = await browser.get("/sign-out")
        assert "ann" in form.text
        for token in ("", "x"):
            answer = await browser.post("/sign-out", data={"csrf": token})
            assert answer.status_code == 403
        answer = await browser.post("/sign-out", data={"csrf": token_in(form)})
        assert answer.status_code == 200
        assert "bascule" not in browser.cookies
        assert (await browser.get("/sign-out")).headers["location"] == "/sign-in"
    async with lobby.browser(cookie=f"bascule={stolen}") as thief:
        assert (await thief.get("/account")).status_code == 303


async def test_who_was_signed_out_already_is_signed_out(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        token = token_in(await browser.get("/sign-out"))
        lobby.clock.pass_by(hours=1)
        answer = await browser.post("/sign-out", data={"csrf": token})
    assert answer.status_code == 200
    async with lobby.browser() as browser:
        assert (await browser.post("/sign-out")).status_code == 200


async def test_who_came_by_a_provider_is_told_where_to_sign_out_as_well(lobby: Lobby) -> None:
    await lobby.add_issuer()
    lobby.provider.said = SAID
    async with lobby.browser() as browser:
        asked = await sent_to_provider(browser)
        back = {"state": asked["state"], "code": "c", "iss": IDP}
        async with asyncio.timeout(10):
            await browser.get("/sign-in/corp/callback", params=back)
        token = token_in(await browser.get("/sign-out"))
        answer = await browser.post("/sign-out", data={"csrf": token})
    assert f"{IDP}/logout?client_id=console" in answer.text
    assert "Sign out at corp as well" in answer.text

"""The page of who is signed in."""

import re

import pytest

from bascule.api.pages.account import browser_name
from unit.api.lobby import GOOD, IDP, Lobby, query_of, said, token_in

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Safari/604.1"
NEW = "an owl in the oven"


async def test_who_is_signed_in_sees_who_they_are(lobby: Lobby) -> None:
    await lobby.add("ann", "developer", "user")
    async with lobby.entered(**{"user-agent": CHROME}) as browser:
        page = await browser.get("/account")
    assert page.status_code == 200
    for text in ("ann", "default", "developer", "user", "a password", "Chrome on Linux"):
        assert text in page.text
    assert page.text.count(">this one<") == 1


async def test_what_a_provider_said_of_them_is_shown(lobby: Lobby) -> None:
    await lobby.add_issuer()
    lobby.provider.said = {"iss": IDP, "sub": "s", "email": "a@b.c", "groups": ["desk", "<x>"]}
    async with lobby.browser() as browser:
        asked = query_of((await browser.get("/sign-in/corp")).headers["location"])
        back = {"state": asked["state"], "code": "c", "iss": IDP}
        await browser.get("/sign-in/corp/callback", params=back)
        page = await browser.get("/account")
    assert "<dd>a@b.c</dd>" in page.text
    assert "<dd>&lt;x&gt;, desk</dd>" in page.text


async def test_who_has_no_role_yet_is_told_whom_to_ask(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        assert "ask an administrator" in (await browser.get("/account")).text


async def test_who_is_not_signed_in_is_sent_to_do_that(lobby: Lobby) -> None:
    async with lobby.browser() as browser:
        answer = await browser.get("/account")
        assert answer.headers["location"] == "/sign-in?next=%2Faccount"


async def test_names_and_browsers_cannot_write_into_the_page(lobby: Lobby) -> None:
    await lobby.add("<b>ann</b>".replace("/", "-"))
    async with lobby.entered("<b>ann<-b>", **{"user-agent": "<i>evil</i>"}) as browser:
        page = await browser.get("/account")
    assert "<b>ann" not in page.text
    assert "<i>evil" not in page.text


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/account/password", {"current": GOOD, "password": NEW, "again": NEW}),
        ("/account/sign-out-everywhere", {}),
        ("/account/sessions/1fbee858-d49c-48d5-a247-7fd754e5637b/end", {}),
    ],
)
async def test_nothing_is_changed_without_the_token_of_the_cookie(
    lobby: Lobby, path: str, sent: dict[str, str]
) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        for token in ({}, {"csrf": "x"}):
            assert (await browser.post(path, data={**sent, **token})).status_code == 403
        assert (await browser.get("/account")).status_code == 200
    async with lobby.browser() as stranger:
        answer = await stranger.post(path, data=sent)
        assert answer.headers["location"] == "/sign-in"


async def test_the_password_is_changed_and_the_cookie_with_it(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser, lobby.entered() as other:
        token, old = token_in(await browser.get("/account")), browser.cookies["bascule"]
        sent = {"csrf": token, "current": GOOD, "password": NEW, "again": NEW}
        answer = await browser.post("/account/password", data=sent)
        assert answer.headers["location"] == "/account?done=password"
        assert browser.cookies["bascule"] != old
        page = await browser.get("/account?done=password")
        assert "Your password is changed" in said(page)
        assert (await other.get("/account")).status_code == 303
    async with lobby.browser() as again:
        assert (await lobby.enter(again, password=GOOD)).status_code == 403
        assert (await lobby.enter(again, password=NEW)).status_code == 303


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"current": GOOD, "password": NEW, "again": "x"}, "not the same"),
        ({"current": "x", "password": NEW, "again": NEW}, "not your current password"),
        ({"current": GOOD, "password": "x", "again": "x"}, "at least 12"),
    ],
)
async def test_what_is_wrong_with_a_new_password_is_said_on_the_page(
    lobby: Lobby, sent: dict[str, str], sentence: str
) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        token = token_in(await browser.get("/account"))
        answer = await browser.post("/account/password", data={**sent, "csrf": token})
        assert answer.status_code == 400
        assert sentence in said(answer)


async def test_another_session_is_ended_by_its_button(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser, lobby.entered(**{"user-agent": IPHONE}) as other:
        page = await browser.get("/account")
        assert "Safari on iPhone" in page.text
        (path,) = re.findall(r'action="(/account/sessions/[^"]+)"', page.text)
        answer = await browser.post(path, data={"csrf": token_in(page)})
        assert answer.headers["location"] == "/account?done=ended"
        assert (await other.get("/account")).status_code == 303
        assert (await browser.get("/account")).status_code == 200


async def test_nobody_ends_the_session_of_somebody_else(lobby: Lobby) -> None:
    await lobby.add("ann")
    await lobby.add("bob")
    async with lobby.entered("ann") as ann, lobby.entered("bob") as bob:
        session_id = (await bob.get("/api/session")).json()["session_id"]
        token = token_in(await ann.get("/account"))
        path = f"/account/sessions/{session_id}/end"
        answer = await ann.post(path, data={"csrf": token})
        assert answer.status_code == 404
        assert (await bob.get("/account")).status_code == 200


async def test_signing_out_everywhere_ends_every_session(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser, lobby.entered() as other:
        token = token_in(await browser.get("/account"))
        answer = await browser.post("/account/sign-out-everywhere", data={"csrf": token})
        assert answer.status_code == 200
        for one in (browser, other):
            assert (await one.get("/account")).status_code == 303
    async with lobby.entered() as again:
        assert (await again.get("/account")).status_code == 200


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROME, "Chrome on Linux"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Firefox/140", "Firefox on macOS"),
        ("Firefox/140", "Firefox"),
        ("curl/8.1", "curl"),
        ("", "unknown"),
        ("<script>", "unknown"),
    ],
)
def test_a_browser_has_the_name_people_call_it(agent: str, name: str) -> None:
    assert browser_name(agent) == name

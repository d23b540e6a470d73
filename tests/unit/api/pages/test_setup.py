"""The page behind the one-time link."""

from unit.api.lobby import GOOD, Lobby, said


async def link_of(lobby: Lobby) -> str:
    link = await lobby.sign_in.setup.issue()
    assert link is not None
    return link


async def test_the_page_makes_the_first_administrator_and_lets_them_in(lobby: Lobby) -> None:
    link = await link_of(lobby)
    async with lobby.browser() as browser:
        assert "Welcome" in (await browser.get(link)).text
        assert (await browser.get(link)).status_code == 200
        sent = {"name": " ann ", "password": GOOD, "again": GOOD}
        answer = await browser.post(link, data=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        page = await browser.get("/account")
        assert "system_admin" in page.text
        gone = await browser.get(link)
        assert gone.status_code == 404
        assert "works once" in said(gone)
        assert (await browser.post(link, data=sent)).status_code == 404


async def test_what_is_wrong_is_said_beside_what_was_typed(lobby: Lobby) -> None:
    link = await link_of(lobby)
    async with lobby.browser() as browser:
        for sent, sentence in (
            ({"name": "ann", "password": GOOD, "again": "x"}, "are not the same"),
            ({"name": "ann", "password": "x", "again": "x"}, "at least 12 characters"),
            ({"name": "a/b", "password": GOOD, "again": GOOD}, "printable characters"),
            ({}, ""),
        ):
            answer = await browser.post(link, data=sent)
            assert answer.status_code == 400
            assert sentence in said(answer)
            assert f'value="{sent.get("name", "")}"' in answer.text
            assert GOOD not in answer.text


async def test_a_page_of_another_origin_does_not_use_the_link(lobby: Lobby) -> None:
    link = await link_of(lobby)
    sent = {"name": "ann", "password": GOOD, "again": GOOD}
    async with lobby.browser(origin="http://127.0.0.1:9999") as browser:
        assert (await browser.post(link, data=sent)).status_code == 403
    assert await lobby.sign_in.setup.is_open(link.removeprefix("/setup/"))


async def test_a_made_up_link_is_a_page_that_says_so(lobby: Lobby) -> None:
    async with lobby.browser() as browser:
        assert (await browser.get("/setup/made-up")).status_code == 404

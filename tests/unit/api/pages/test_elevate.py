"""The page behind a link to `/elevate/`: who may ask there, for what, and what it says after."""

import re
from collections.abc import Mapping

import httpx2
import pytest

from bascule.api.elevated import Terms
from bascule.gateway.elevation import ScopeKind
from bascule.policy.elevation import ElevationStatus
from unit.api.elevation_room import CALL, REFUND, Room, open_room
from unit.api.lobby import BASE, said, token_in
from unit.api.shelf import a_tool, stock
from unit.api.site import Site

EVIL = "<img src=x onerror=alert(1)>"


def heading(page: httpx2.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text)
    assert found, page.text
    return found[1]


async def test_a_person_asks_another_agrees_and_the_very_call_is_covered(room: Room) -> None:
    ann = room.principal("ann")
    path = await room.link(ann)
    async with room.lobby.entered("ann") as browser:
        assert heading(await browser.get(path)) == "Ask to use refund?"
        asked = await room.ask(browser, path)
        assert (asked.status_code, asked.headers["location"]) == (303, path)
        page = await browser.get(path)
        assert heading(page) == "Your request to use refund waits"
        assert 'value="ask"' not in page.text, "nobody asks twice"
        async with room.lobby.entered("bob") as approver:
            done = await room.decide(approver, await room.only_request(), "approve", minutes="10")
            assert done.status_code == 303
        page = await browser.get(path)
        assert heading(page) == "You may use refund now"
        assert "Approved by bob" in said(page)
    assert (await room.check(ann, arguments={**CALL, "dealer": 8})).grant is None
    covered = (await room.check(ann)).grant
    assert covered is not None
    assert covered.scope.kind is ScopeKind.CALL


async def test_the_page_says_what_was_held_back_and_runs_nothing(room: Room) -> None:
    await stock(room.lobby.site, a_tool("evil", title=EVIL, description=f"Does {EVIL}\u202e."))
    evil = room.lobby.site.control.snapshot().tenant("default").tools["evil"]
    path = await room.link(room.principal("ann"), evil, {"dealer": 7, EVIL: EVIL})
    async with room.lobby.entered("ann") as browser:
        page = await browser.get(path)
    assert "<img" not in page.text
    assert "&lt;img" in page.text
    assert "\u202e" not in page.text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    for part in ("default-src 'none'", "form-action 'self';", "frame-ancestors 'none'"):
        assert part in policy
    assert "script-src" not in policy
    assert page.headers["cache-control"] == "no-store"


async def test_arguments_are_shown_masked_and_not_in_the_address(room: Room) -> None:
    path = await room.link(room.principal("ann"), arguments={"card": "4111111111111111"})
    async with room.lobby.entered("ann") as browser:
        page = await browser.get(path)
    assert "41************11" in page.text
    for text in ("4111111111111111", "refund"):
        assert text not in path


async def test_who_can_sign_in_must_and_comes_back(room: Room) -> None:
    path = await room.link(room.principal("ann"))
    async with room.lobby.browser() as browser:
        page = await browser.get(path)
        assert page.status_code == 403
        assert heading(page) == "Sign in first"
        answer = await browser.post(path, data={"reason": "Because.", "decision": "ask"})
        assert heading(answer) == "Sign in first"
        entered = await room.lobby.enter(browser, "ann", next=path)
        assert entered.headers["location"] == path
        assert heading(await browser.get(path)) == "Ask to use refund?"
    assert await room.requests() == ()


async def test_somebody_else_cannot_ask_in_the_name_of_who_called(room: Room) -> None:
    """client/elicitation "Phishing": who opens the address is who made the call."""
    path = await room.link(room.principal("ann"))
    async with room.lobby.entered("bob") as browser:
        page = await browser.get(path)
        assert page.status_code == 403
        assert "You are signed in as bob" in said(page)
        token = token_in(await browser.get("/account"))
        sent = {"csrf": token, "reason": "Because.", "scope": "call", "minutes": "5"}
        assert (await browser.post(path, data=sent)).status_code == 403
    assert await room.requests() == ()


@pytest.mark.parametrize("token", ["", "x" * 43])
async def test_a_form_without_the_token_of_its_page_asks_for_nothing(
    room: Room, token: str
) -> None:
    who = {"ann": room.principal("ann"), "": room.key_of("user")}
    for name, principal in who.items():
        path = await room.link(principal)
        async with room.lobby.browser() as browser:
            if name:
                await room.lobby.enter(browser, name)
            answer = await room.ask(browser, path, csrf=token)
            assert answer.status_code == 403, name
    assert await room.requests() == ()


async def test_for_the_key_of_a_service_the_link_is_the_proof(room: Room) -> None:
    service = room.key_of("user")
    path = await room.link(service)
    async with room.lobby.browser() as browser:
        page = await browser.get(path)
        assert "the API key user" in page.text
        assert "Do not pass it on" in page.text
        cookie = page.headers["set-cookie"]
        assert cookie.startswith("bascule-elevate=")
        assert "HttpOnly" in cookie
        assert (await room.ask(browser, path, scope="tool")).status_code == 303
        assert "waits" in heading(await browser.get(path))
    (one,) = await room.requests()
    assert (one.holder.owner, one.asked_by) == ("key|user", "user")
    async with room.lobby.entered("bob") as approver:
        await room.decide(approver, await room.only_request(), "approve", minutes="10")
    assert (await room.check(service)).grant is not None


async def test_who_is_signed_in_asks_for_a_service_in_their_own_name(room: Room) -> None:
    path = await room.link(room.key_of("user"))
    async with room.lobby.entered("eve") as browser:
        assert (await room.ask(browser, path)).status_code == 303
        answer = await room.decide(browser, await room.only_request(), "cancel")
        assert answer.status_code == 303
        await room.ask(browser, path)
        waiting = (await room.requests())[0]
        page = await browser.get(f"/elevations/{waiting.id}")
        assert "This is your own request" in page.text, (
            "eve may approve, but not what she asked for"
        )
    assert (waiting.asked_by, waiting.holder.owner) == ("eve", "key|user")


async def test_a_key_that_is_gone_cannot_be_asked_for(room: Room) -> None:
    path = await room.link(room.key_of("user"))
    site = room.lobby.site
    listed = (await site.get("/api/admin/keys")).json()["keys"]
    (key,) = [one for one in listed if one["name"] == "user"]
    assert (await site.delete(f"/api/admin/keys/{key['key_id']}")).is_success
    async with room.lobby.browser() as browser:
        assert (await browser.get(path)).status_code == 404


@pytest.mark.parametrize("spoil", ["x", "short", "long", "old"])
async def test_a_link_that_is_over_says_what_to_do(room: Room, spoil: str) -> None:
    path = await room.link(room.principal("ann"))
    paths = {"x": f"{path}x", "short": "/elevate/a", "long": "/elevate/" + "a" * 9000}
    if spoil == "old":
        room.clock.pass_by(minutes=61)
    async with room.lobby.entered("ann") as browser:
        page = await browser.get(paths.get(spoil, path))
    assert page.status_code == 404
    assert "bascule elevation request" in page.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"minutes": "9999"}, "480"),
        ({"minutes": "0"}, "480"),
        ({"minutes": "soon"}, "whole number"),
        ({"minutes": "1" * 5000}, "whole number"),
        ({"scope": "everything"}, "whole number"),
        ({"reason": ""}, "Say why"),
        ({"reason": "x" * 3000}, "Say why"),
        ({"ticket": "x" * 300}, "ticket"),
    ],
)
async def test_what_is_wrong_with_a_form_is_said_and_the_rest_of_it_kept(
    room: Room, changes: Mapping[str, str], sentence: str
) -> None:
    path = await room.link(room.principal("ann"))
    async with room.lobby.entered("ann") as browser:
        answer = await room.ask(browser, path, **changes)
    assert answer.status_code in {400, 422}
    assert sentence in said(answer)
    for name, value in {"reason": "A customer paid twice.", "ticket": "INC-7"}.items():
        assert (value in answer.text) == (name not in changes)
    assert await room.requests() == ()


@pytest.mark.parametrize(("scope", "name"), [("tool", "refund"), ("bundle", "shop")])
async def test_more_than_the_one_call_can_be_asked_for(room: Room, scope: str, name: str) -> None:
    path = await room.link(room.principal("ann"))
    async with room.lobby.entered("ann") as browser:
        assert (await room.ask(browser, path, scope=scope)).status_code == 303
        assert "waits" in heading(await browser.get(path))
        other = await room.link(room.principal("ann"), arguments={"dealer": 1})
        assert "waits" in heading(await browser.get(other)), "it covers that call, too"
    (one,) = await room.requests()
    assert (one.scope.kind, one.scope.name, one.minutes) == (scope, name, 30)


async def test_a_request_for_other_arguments_is_another(room: Room) -> None:
    ann = room.principal("ann")
    path, other = await room.link(ann), await room.link(ann, arguments={"dealer": 1})
    async with room.lobby.entered("ann") as browser:
        await room.ask(browser, path)
        assert heading(await browser.get(other)) == "Ask to use refund?"
        again = await room.ask(browser, other)
        assert again.status_code == 303
    assert len(await room.requests()) == 2


async def test_a_request_is_taken_back_where_it_was_made(room: Room) -> None:
    path = await room.link(room.principal("ann"))
    async with room.lobby.entered("ann") as browser:
        await room.ask(browser, path)
        sent = {"csrf": token_in(await browser.get(path)), "decision": "cancel"}
        assert (await browser.post(path, data=sent)).status_code == 303
        page = await browser.get(path)
        assert "Cancelled by ann" in said(page)
        again = await browser.post(path, data=sent)
        assert again.status_code == 409
        assert "nothing to cancel" in said(again)
    (one,) = await room.requests()
    assert one.status is ElevationStatus.CANCELLED


async def test_what_was_decided_is_said_with_the_words_of_who_decided(room: Room) -> None:
    path = await room.link(room.principal("ann"))
    async with room.lobby.entered("ann") as browser, room.lobby.entered("bob") as approver:
        await room.ask(browser, path)
        request = await room.only_request()
        await room.decide(approver, request, "deny", comment=f"No {EVIL}")
        page = await browser.get(path)
        assert "Denied by bob" in said(page)
        assert "No &lt;img" in page.text
        assert heading(page) == "Ask to use refund?", "one can ask again"
        await room.ask(browser, path)
        latest = (await room.requests())[0]
        await room.decide(approver, f"/elevations/{latest.id}", "approve", minutes="5")
        room.clock.pass_by(minutes=6)
        page = await browser.get(path)
        assert "over since" in said(page)
        assert heading(page) == "Ask to use refund?"


async def test_a_request_that_nobody_decided_about_is_void(site: Site) -> None:
    async with open_room(site, Terms(request_minutes=10)) as room:
        path = await room.link(room.principal("ann"))
        async with room.lobby.entered("ann") as browser:
            await room.ask(browser, path)
            room.clock.pass_by(minutes=11)
            page = await browser.get(path)
            assert "Nobody decided before" in said(page)
            assert heading(page) == "Ask to use refund?"


async def test_where_nobody_gives_leave_there_is_no_page(site: Site) -> None:
    page = await site.get("/elevate/x", None)
    assert page.status_code == 404
    assert "Nobody is asked for elevation here" in page.text


async def test_the_address_is_that_of_the_gateway(room: Room) -> None:
    found = await room.check(room.principal("ann"), REFUND)
    assert found.url.startswith(f"{BASE}/elevate/")

"""The pages of `/elevations`: what each sees there, and what they can do about it."""

import re
from uuid import uuid4

import httpx2
import pytest

from bascule.api.elevated import Terms
from bascule.gateway.elevation import ScopeKind
from bascule.policy.elevation import ElevationStatus
from unit.api.elevation_room import Room, open_room
from unit.api.lobby import Lobby, said, token_in
from unit.api.site import Site

LISTS = ("waiting", "active", "history")


async def asked(room: Room, name: str = "ann", **changes: str) -> str:
    """A request of somebody; gives its page."""
    path = await room.link(room.principal(name))
    async with room.lobby.entered(name) as browser:
        answer = await room.ask(browser, path, **changes)
    assert answer.status_code == 303, answer.text
    return f"/elevations/{(await room.requests())[0].id}"


def tabs(page: httpx2.Response) -> list[str]:
    return re.findall(r'<a href="/elevations\?list=(\w+)"', page.text)


async def test_who_asks_sees_theirs_and_no_list_of_others(room: Room) -> None:
    request = await asked(room)
    async with room.lobby.entered("ann") as browser:
        page = await browser.get("/elevations")
        assert request in page.text
        assert "A customer paid twice." in page.text
        assert tabs(page) == []
        for name in LISTS:
            answer = await browser.get(f"/elevations?list={name}")
            assert answer.headers["location"] == "/elevations"
    async with room.lobby.entered("cat") as browser:
        assert request not in (await browser.get("/elevations")).text
        assert (await browser.get(request)).status_code == 404


async def test_lists_that_are_empty_say_so(room: Room) -> None:
    async with room.lobby.entered("bob") as browser:
        for name, text in {
            "mine": "bascule elevation request",
            "waiting": "Nobody waits",
            "active": "Nobody may do more",
            "history": "Nobody has asked",
        }.items():
            page = await browser.get(f"/elevations?list={name}")
            assert text in page.text
            assert f'?list={name}" aria-current="page"' in page.text


async def test_an_approver_sees_what_waits_and_what_it_would_allow(room: Room) -> None:
    request = await asked(room, scope="bundle", reason="Quarter <b>end</b>.")
    async with room.lobby.entered("bob") as browser:
        listed = await browser.get("/elevations?list=waiting")
        assert request in listed.text
        assert 'To approve <span class="tag">1</span>' in listed.text
        page = await browser.get(request)
    assert "every tool of the bundle <strong>shop</strong>" in page.text
    order = [page.text.index(f"<strong>{name}</strong>") for name in ("refund", "look")]
    assert order == sorted(order), "what does the most comes first"
    for text in ("INC-7", "never before", "Quarter &lt;b&gt;end", "20******22", "30 minutes"):
        assert text in page.text
    assert "<b>end" not in page.text


async def test_approvers_see_how_often_the_same_person_asked_before(room: Room) -> None:
    first = await asked(room)
    async with room.lobby.entered("bob") as browser:
        await room.decide(browser, first, "deny", comment="No.")
        second = await asked(room)
        assert "<dt>Asked before</dt><dd>1 denied</dd>" in (await browser.get(second)).text
    async with room.lobby.entered("ann") as browser:
        assert "Asked before" not in (await browser.get(second)).text


async def test_less_can_be_granted_than_was_asked_for(room: Room) -> None:
    request = await asked(room, scope="bundle")
    async with room.lobby.entered("bob") as browser:
        done = await room.decide(
            browser, request, "approve", minutes="5", scope="tool", comment="Only refunds."
        )
        assert done.headers["location"] == "/elevations?list=waiting&done=approve"
        assert "approved" in said(await browser.get(done.headers["location"]))
        page = await browser.get(request)
    assert "5 minutes (of 30 minutes asked for)" in page.text
    assert "Only refunds." in page.text
    (one,) = await room.requests()
    assert (one.scope.kind, one.scope.name, one.minutes) == (ScopeKind.TOOL, "refund", 5)
    granted = (await room.check(room.principal("ann"), arguments={"dealer": 1})).grant
    assert granted is not None


@pytest.mark.parametrize(
    "sent", [{"minutes": "31"}, {"minutes": "x"}, {"minutes": "5", "scope": "bundle"}]
)
async def test_more_than_was_asked_for_cannot_be_granted(room: Room, sent: dict[str, str]) -> None:
    request = await asked(room, scope="tool")
    async with room.lobby.entered("bob") as browser:
        answer = await room.decide(browser, request, "approve", **sent)
        assert answer.status_code == 400
        assert said(answer)
        assert f'value="{sent["minutes"]}"' in answer.text, "the form keeps what stood in it"
    assert (await room.check(room.principal("ann"))).grant is None


async def test_nobody_decides_about_their_own_request(room: Room) -> None:
    request = await asked(room, "eve")
    async with room.lobby.entered("eve") as browser:
        page = await browser.get(request)
        assert "This is your own request" in said(page) or "own request" in page.text
        assert "/approve" not in page.text
        token = token_in(await browser.get("/account"))
        for action in ("approve", "deny"):
            answer = await browser.post(
                f"{request}/{action}", data={"csrf": token, "minutes": "5", "comment": "Mine."}
            )
            if action == "approve":
                assert answer.status_code == 403
                assert "your own request" in said(answer)
    assert (await room.check(room.principal("eve"))).grant is None


async def test_where_the_installation_allows_it_one_decides_about_ones_own(site: Site) -> None:
    async with open_room(site, Terms(self_approval=True)) as room:
        request = await asked(room, "eve")
        async with room.lobby.entered("eve") as browser:
            assert (await room.decide(browser, request, "approve", minutes="5")).status_code == 303
        assert (await room.check(room.principal("eve"))).grant is not None


async def test_who_may_not_approve_cannot_by_sending_the_form(room: Room) -> None:
    request = await asked(room)
    async with room.lobby.entered("ann") as browser:
        assert "/approve" not in (await browser.get(request)).text
        for action, status in (("approve", 403), ("deny", 403)):
            answer = await room.decide(browser, request, action, minutes="5")
            assert answer.status_code == status
    async with room.lobby.entered("cat") as browser:
        token = token_in(await browser.get("/account"))
        for action in ("approve", "deny", "revoke", "cancel"):
            answer = await browser.post(f"{request}/{action}", data={"csrf": token, "minutes": "5"})
            assert answer.status_code in {403, 404}, action
    (one,) = await room.requests()
    assert one.status is ElevationStatus.PENDING


async def test_of_two_who_decide_the_second_learns_who_was_first(room: Room) -> None:
    request = await asked(room)
    async with room.lobby.entered("bob") as browser, room.lobby.entered("eve") as other:
        page = await other.get(request)
        await room.decide(browser, request, "deny", comment="No.")
        answer = await other.post(
            f"{request}/approve", data={"csrf": token_in(page), "minutes": "5"}
        )
        assert answer.status_code == 409
        assert "already decided by bob" in said(answer)
        assert "Denied by bob" in answer.text
    assert (await room.check(room.principal("ann"))).grant is None


async def test_a_grant_is_ended_by_approvers_and_by_who_has_it(room: Room) -> None:
    for name in ("bob", "ann"):
        request = await asked(room, scope="tool")
        async with room.lobby.entered("bob") as approver:
            await room.decide(approver, request, "approve", minutes="5")
            assert request in (await approver.get("/elevations?list=active")).text
        assert (await room.check(room.principal("ann"))).grant is not None
        async with room.lobby.entered(name) as browser:
            done = await room.decide(browser, request, "revoke", comment="It is done.")
            assert done.status_code == 303
            page = await browser.get(request)
            assert f"Revoked by {name}" in said(page)
            assert "/revoke" not in page.text
        assert (await room.check(room.principal("ann"))).grant is None


async def test_a_request_is_taken_back_by_who_made_it(room: Room) -> None:
    request = await asked(room)
    async with room.lobby.entered("ann") as browser:
        done = await room.decide(browser, request, "cancel")
        assert done.headers["location"] == "/elevations?list=mine&done=cancel"
        assert "Cancelled by ann" in said(await browser.get(request))


async def test_a_form_without_the_token_of_its_page_does_nothing(room: Room) -> None:
    request = await asked(room)
    async with room.lobby.entered("bob") as browser:
        for token in ({}, {"csrf": "x" * 43}):
            answer = await browser.post(f"{request}/approve", data={"minutes": "5", **token})
            assert answer.status_code == 403
    assert (await room.check(room.principal("ann"))).grant is None


async def test_who_is_not_signed_in_is_sent_to_do_that(room: Room) -> None:
    request = await asked(room)
    async with room.lobby.browser() as browser:
        for path in ("/elevations", request):
            answer = await browser.get(path)
            assert answer.headers["location"].startswith("/sign-in?next=")
        assert (await browser.post(f"{request}/approve")).headers["location"] == "/sign-in"


async def test_requests_of_another_tenant_are_not_there(room: Room) -> None:
    request = await asked(room)
    await room.lobby.add("zoe", "admin", tenant="acme")
    async with room.lobby.browser() as browser:
        await room.lobby.enter(browser, "zoe", tenant="acme")
        assert (await browser.get(request)).status_code == 404
        page = await browser.get("/elevations?list=history")
        assert request not in page.text


async def test_what_is_no_page_is_said_to_be_none(room: Room) -> None:
    request = await asked(room)
    async with room.lobby.entered("bob") as browser:
        token = token_in(await browser.get("/account"))
        for path in (f"{request}/grant", f"/elevations/{uuid4()}/approve"):
            answer = await browser.post(path, data={"csrf": token, "minutes": "5"})
            assert answer.status_code == 404
        for path in (f"/elevations/{uuid4()}", "/elevations/x", "/elevations?page=x"):
            assert (await browser.get(path)).status_code in {400, 404}
        assert (await browser.get("/elevations?page=0")).status_code == 400
        assert (await browser.get("/elevations?list=nothing")).status_code == 200


async def test_long_lists_have_pages(room: Room) -> None:
    request = await asked(room)
    await room.repeat(25)
    async with room.lobby.entered("bob") as browser:
        page = await browser.get("/elevations?list=history")
        assert page.text.count("<li>") == 25
        assert "list=history&amp;page=2" in page.text
        page = await browser.get("/elevations?list=history&page=2")
        assert page.text.count("<li>") == 1
        assert "Page 2 of 2" in page.text
        assert request in page.text


async def test_the_account_page_leads_there(room: Room) -> None:
    async with room.lobby.entered("ann") as browser:
        assert 'href="/elevations"' in (await browser.get("/account")).text


async def test_where_nobody_gives_leave_there_is_nothing_to_decide(lobby: Lobby) -> None:
    await lobby.add()
    async with lobby.entered() as browser:
        assert (await browser.get("/elevations")).status_code == 404

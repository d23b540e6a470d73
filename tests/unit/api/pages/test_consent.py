"""The pages on which people consent: who may go on, from where, and how often."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from starlette.requests import Request

from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.gateway.record import Status
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.gateway.verdict import Refuse
from bascule.storage.repositories.upstreams import Upstreams
from bascule.storage.repositories.users import UserDraft, Users
from bascule.upstreams.oauth.failures import AuthorizationFailed
from fakes.consents import PUBLIC_URL, FakeConsents, pending_of
from unit.api.site import Site, altered

LINK = "l" * 43
PAGE = f"/oauth/consent/{LINK}"
OVER = Refuse(ErrorCode.INVALID_TOKEN, "Sign in again.", "over")


class FakeSessions:
    """Knows who is signed in by what the test says."""

    def __init__(self) -> None:
        self.who: Principal | Refuse | None = None

    def carried(self, request: Request) -> bool:
        del request
        return self.who is not None

    async def identify(self, request: Request) -> Principal | Refuse:
        del request
        assert self.who is not None
        return self.who


@dataclass
class Scene:
    """A browser before the pages."""

    site: Site
    consents: FakeConsents
    sessions: FakeSessions
    cookies: dict[str, str] = field(default_factory=dict[str, str])

    async def send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"cookie": cookie, **options.pop("headers", {})}
        response = await self.site.ask(method, path, None, headers=headers, **options)
        for given in response.headers.get_list("set-cookie"):
            name, _, rest = given.partition("=")
            value = rest.partition(";")[0].strip('"')
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        return response

    async def show(self) -> httpx2.Response:
        return await self.send("GET", PAGE)

    async def press(self, decision: str = "allow", **headers: str) -> httpx2.Response:
        page = await self.show()
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert token, page.text
        data = {"csrf": token[1], "decision": decision}
        return await self.send("POST", PAGE, data=data, headers=headers)

    async def come_back(self, query: str = "state=the-state&code=the-code") -> httpx2.Response:
        return await self.send("GET", f"/oauth/callback?{query}")


@pytest.fixture
async def scene(site: Site) -> AsyncIterator[Scene]:
    notes = Upstream("notes", UpstreamKind.MCP_HTTP, url="https://notes.example/mcp")
    async with site.rows() as (session, tenant_id):
        await Upstreams(session, tenant_id).upsert(notes)
    consents, sessions = FakeConsents(), FakeSessions()
    consents.pages[LINK] = pending_of("key|user")
    async with altered(site, consents=consents, sessions=sessions) as other:
        yield Scene(other, consents, sessions)


async def make_user(scene: Scene, password_hash: str | None = None) -> Principal:
    async with scene.site.rows() as (session, tenant_id):
        draft = UserDraft("ann", password_hash=password_hash)
        ann = await Users(session, tenant_id).create(draft)
    return Principal("default", "ann", frozenset(), user_id=str(ann.id))


async def test_a_person_agrees_goes_and_comes_back(scene: Scene) -> None:
    sent_on = await scene.press()
    assert (sent_on.status_code, sent_on.headers["location"]) == (303, pending_of().url)
    assert "https://id.example" in sent_on.headers["content-security-policy"]
    done = await scene.come_back("state=the-state&code=the-code&iss=https://id.example")
    assert done.status_code == 200
    assert "notes" in done.text
    ((pending, callback),) = scene.consents.finished
    assert (pending.owner, callback.code) == ("key|user", "the-code")
    assert scene.cookies == {}, "nothing of it stays in the browser"
    actions = [one.action for one in scene.site.recorder.records]
    assert actions == ["grant.approve", "grant.consent"]
    assert scene.site.recorder.last.metadata["target"] == "notes"


async def test_the_page_names_everything_and_runs_nothing(scene: Scene) -> None:
    page = await scene.show()
    pending = pending_of()
    for text in ("notes", "the API key user", "id.example", pending.redirect_uri, *pending.scopes):
        assert text in page.text
    assert pending.state not in page.text
    assert pending.verifier not in page.text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://id.example;" in policy


async def test_what_others_say_is_text_and_no_markup(scene: Scene) -> None:
    evil = "<img src=x onerror=alert(1)>"
    scene.consents.pages[LINK] = pending_of(
        "key|user", resource=f"https://x.example/{evil}", scopes=(evil,), client_id=evil
    )
    page = await scene.show()
    assert "<img" not in page.text
    assert "&lt;img" in page.text


async def test_over_https_the_cookie_has_the_prefix_that_guards_it(scene: Scene) -> None:
    page = await scene.show()
    cookie = page.headers["set-cookie"]
    assert cookie.startswith("__Host-bascule-consent-")
    for attribute in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
async def test_a_form_of_another_site_counts_for_nothing(
    scene: Scene, headers: dict[str, str]
) -> None:
    refused = await scene.press(**headers)
    assert refused.status_code == 403
    assert scene.consents.begun == {}
    assert scene.site.recorder.last.status is Status.DENIED


async def test_a_form_without_the_pages_cookie_counts_for_nothing(scene: Scene) -> None:
    await scene.show()
    scene.cookies.clear()
    data = {"csrf": "x", "decision": "allow"}
    assert (await scene.send("POST", PAGE, data=data)).status_code == 403
    assert scene.consents.begun == {}


async def test_who_declines_ends_it(scene: Scene) -> None:
    response = await scene.press("decline")
    assert response.status_code == 200
    assert scene.consents.pages == {}
    assert scene.consents.begun == {}
    assert scene.site.recorder.last.action == "grant.decline"
    assert (await scene.show()).status_code == 404


async def test_a_link_that_is_over_or_too_long_is_none(scene: Scene) -> None:
    for link in ("x" * 43, "x" * 65):
        for method in ("GET", "POST"):
            response = await scene.send(method, f"/oauth/consent/{link}")
            assert response.status_code == 404
            assert "over" in response.text


async def test_who_was_faster_has_it(scene: Scene) -> None:
    async def gone(link: str, approved: object) -> bool:
        del link, approved
        return False

    scene.consents.approve = gone  # type: ignore[method-assign]
    assert (await scene.press()).status_code == 404


async def test_an_answer_to_another_browser_is_not_redeemed(scene: Scene) -> None:
    await scene.press()
    scene.cookies.clear()
    refused = await scene.come_back()
    assert refused.status_code == 403
    assert scene.consents.finished == []
    assert scene.site.recorder.last.status is Status.DENIED
    assert (await scene.come_back()).status_code == 404, "nor is it later"


@pytest.mark.parametrize(
    "query", ["", "code=x", "state=other&code=x", "state=a&state=a", "x" * 17_000]
)
async def test_what_is_no_answer_is_none(scene: Scene, query: str) -> None:
    await scene.press()
    assert (await scene.come_back(query)).status_code == 404
    assert scene.consents.finished == []


async def test_the_answer_of_another_issuer_is_not_redeemed(scene: Scene) -> None:
    await scene.press()
    evil = "https://evil.example"
    failed = await scene.come_back(f"state=the-state&code=x&iss={evil}&error_description=Call+me")
    assert failed.status_code == 502
    assert scene.consents.finished == []
    assert "evil" not in failed.text
    assert "Call me" not in failed.text
    assert scene.site.recorder.last.status is Status.FAILURE


async def test_where_it_must_be_signed_an_answer_without_issuer_is_not_redeemed(
    scene: Scene,
) -> None:
    scene.consents.pages[LINK] = pending_of("key|user", requires_iss=True)
    await scene.press()
    assert (await scene.come_back()).status_code == 502
    assert scene.consents.finished == []


async def test_a_refusal_of_the_server_is_told_in_our_words(scene: Scene) -> None:
    await scene.press()
    failed = await scene.come_back(
        "state=the-state&error=access_denied&error_description=<b>no</b>"
    )
    assert failed.status_code == 502
    assert "<b>no" not in failed.text
    assert scene.consents.finished == []


async def test_a_code_that_is_not_accepted_is_told_and_recorded(scene: Scene) -> None:
    scene.consents.failure = AuthorizationFailed("notes", "it answered 400 (invalid_grant)")
    await scene.press()
    failed = await scene.come_back()
    assert failed.status_code == 502
    assert "invalid_grant" not in failed.text
    record = scene.site.recorder.last
    assert (record.action, record.status) == ("grant.consent", Status.FAILURE)
    assert "invalid_grant" in str(record.metadata["failure"])


async def test_what_cannot_be_recorded_is_not_approved(scene: Scene) -> None:
    await scene.show()
    scene.site.recorder.fails = True
    response = await scene.press()
    assert response.status_code == 503
    assert scene.consents.begun == {}


# Who is signed in.


async def test_somebody_elses_session_may_not_go_on(scene: Scene) -> None:
    scene.sessions.who = Principal("default", "bob", frozenset(), user_id="u-2")
    refused = await scene.show()
    assert refused.status_code == 403
    assert "You are signed in as bob" in refused.text
    assert "set-cookie" not in refused.headers
    assert scene.site.recorder.last.status is Status.DENIED


async def test_somebody_elses_session_may_not_come_back(scene: Scene) -> None:
    await scene.press()
    scene.sessions.who = Principal("default", "bob", frozenset(), user_id="u-2")
    assert (await scene.come_back()).status_code == 403
    assert scene.consents.finished == []


async def test_the_owners_session_may(scene: Scene) -> None:
    ann = await make_user(scene, "a hash")
    scene.consents.pages[LINK] = pending_of(ann.owner)
    scene.sessions.who = ann
    assert (await scene.press()).status_code == 303
    assert (await scene.come_back()).status_code == 200
    ((pending, _),) = scene.consents.finished
    assert pending.owner == ann.owner


@pytest.mark.parametrize("who", [None, OVER])
async def test_who_could_sign_in_must(scene: Scene, who: Refuse | None) -> None:
    ann = await make_user(scene, "a hash")
    scene.consents.pages[LINK] = pending_of(ann.owner)
    scene.sessions.who = who
    response = await scene.show()
    assert response.status_code == 403
    assert "Sign in first" in response.text
    assert PAGE.replace("/", "%2F") in response.text
    assert "set-cookie" not in response.headers


async def test_who_has_signed_out_meanwhile_begins_anew(scene: Scene) -> None:
    ann = await make_user(scene, "a hash")
    scene.consents.pages[LINK] = pending_of(ann.owner)
    scene.sessions.who = ann
    await scene.press()
    scene.sessions.who = None
    assert (await scene.come_back()).status_code == 404
    assert scene.consents.finished == []


async def test_an_account_that_nobody_can_sign_in_to_needs_the_link_alone(scene: Scene) -> None:
    ann = await make_user(scene)
    scene.consents.pages[LINK] = pending_of(ann.owner)
    assert (await scene.show()).status_code == 200


async def test_an_account_that_is_gone_gets_nothing_any_more(scene: Scene) -> None:
    scene.consents.pages[LINK] = pending_of("key|nobody")
    assert (await scene.show()).status_code == 404


async def test_without_sessions_nobody_is_asked_to_sign_in(scene: Scene) -> None:
    ann = await make_user(scene, "a hash")
    async with altered(scene.site, sessions=None) as plain:
        scene.consents.pages[LINK] = pending_of(ann.owner)
        response = await plain.get(PAGE, None)
    assert response.status_code == 200


# What is there besides.


async def test_the_document_of_the_client_is_what_authorization_servers_read(scene: Scene) -> None:
    response = await scene.send("GET", "/oauth/client.json")
    assert response.json() == {"client_id": f"{PUBLIC_URL}/oauth/client.json"}
    assert response.headers["content-type"] == "application/json"
    scene.consents.public_url = "http://127.0.0.1:8000"
    assert (await scene.send("GET", "/oauth/client.json")).status_code == 404


async def test_where_nobody_is_asked_there_are_no_such_pages(site: Site) -> None:
    for path in (PAGE, "/oauth/callback?state=x&code=y", "/oauth/client.json"):
        assert (await site.get(path, None)).status_code == 404

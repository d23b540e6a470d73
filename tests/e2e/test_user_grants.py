"""Access on behalf of each caller, with a server of the official SDK that lets nobody else in.

Numbers in names of checks are those of the list of security checks that the gateway keeps to.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from bascule.protocol.messages import CAPABILITIES_KEY
from fakes import mcp
from fakes.instances import Instance, bascule, post, serving
from fakes.processes import running

SERVER = "notes"
TOOL = "whoami"
SCRIPT = Path(__file__).parent / "protected_server.py"
URL_MODE = {"elicitation": {"url": {}}}
CODES = re.compile(r"code=([\w-]+)")


class Notes:
    """The server, seen from its operator's side."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def seen(self) -> dict[str, Any]:
        return httpx2.get(f"{self.url}/_seen", trust_env=False).json()

    @property
    def subjects(self) -> list[str]:
        return [one["subject"] for one in self.seen["calls"]]

    def do(self, **what: object) -> None:
        assert httpx2.post(f"{self.url}/_do", json=what, trust_env=False).is_success


class Browser:
    """Follows no redirect by itself; keeps cookies as browsers do."""

    def __init__(self) -> None:
        self.cookies = httpx2.Cookies()

    def _send(self, method: str, url: str, **options: Any) -> httpx2.Response:
        with httpx2.Client(cookies=self.cookies, trust_env=False, timeout=20.0) as client:
            response = client.request(method, url, **options)
            self.cookies = client.cookies
        return response

    def get(self, url: str, **options: Any) -> httpx2.Response:
        return self._send("GET", url, **options)

    def press(
        self, page: httpx2.Response, decision: str = "allow", **changes: Any
    ) -> httpx2.Response:
        """Press a button on a page for consent."""
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found, page.text
        form = {"csrf": found[1], "decision": decision, **changes.pop("form", {})}
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(str(page.url)))
        headers = {"origin": origin, "sec-fetch-site": "same-origin", **changes.pop("headers", {})}
        return self._send("POST", str(page.url), data=form, headers=headers, **changes)

    def sign_in(self, authorize_url: str, user: str) -> str:
        """Go to the authorization server as `user`; gives where it sends the browser back to."""
        asked = self.get(authorize_url)
        assert asked.status_code == 302, asked.text
        return self.get(f"{asked.headers['location']}&user={user}").headers["location"]

    def consent(self, link: str, user: str) -> httpx2.Response:
        """All of it, as a person does who agrees."""
        page = self.get(link)
        assert page.status_code == 200, page.text
        sent_on = self.press(page)
        assert sent_on.status_code == 303, sent_on.text
        return self.get(self.sign_in(sent_on.headers["location"], user))


class Office:
    """A gateway with two callers, before a server that knows neither yet."""

    def __init__(self, instance: Instance, notes: Notes) -> None:
        self.instance = instance
        self.notes = notes
        self.keys = {name: self._key(name) for name in ("ann", "bob")}

    def _key(self, name: str) -> str:
        with self.instance.api() as api:
            made = api.post("/api/admin/keys", json={"name": name, "roles": ["user"]})
        assert made.status_code == 201, made.text
        return made.json()["key"]

    def ask(
        self, method: str, path: str, who: str | None = None, **options: Any
    ) -> httpx2.Response:
        with self.instance.api(self.keys[who] if who else None) as api:
            return api.request(method, path, **options)

    def call(
        self, who: str, capabilities: dict[str, Any] | None = None, **params: object
    ) -> dict[str, Any]:
        """tools/call of the stateless era; gives the JSON-RPC answer."""
        meta = {**mcp.META, CAPABILITIES_KEY: capabilities or {}}
        message = mcp.modern("tools/call", {"name": TOOL, "arguments": {}, "_meta": meta, **params})
        with self.instance.api(self.keys[who]) as api:
            return api.post("/mcp", **post(message)).json()

    def legacy_call(self, who: str, version: str, capabilities: dict[str, Any]) -> dict[str, Any]:
        """tools/call in a session of its own; gives the JSON-RPC answer."""
        hello = mcp.legacy(
            "initialize",
            {
                "protocolVersion": version,
                "capabilities": capabilities,
                "clientInfo": {"name": "test", "version": "1"},
            },
        )
        message = mcp.legacy("tools/call", {"name": TOOL, "arguments": {}})
        with self.instance.api(self.keys[who]) as api:
            session = api.post("/mcp", **post(hello)).headers["mcp-session-id"]
            headers = {"mcp-session-id": session, "mcp-protocol-version": version}
            answer = api.post("/mcp", **post(message, {**headers, "accept": "application/json"}))
            api.delete("/mcp", headers={"mcp-session-id": session})
        return answer.json()

    def said(self, who: str) -> str:
        """What the tool says to `who`."""
        return self.call(who)["result"]["content"][0]["text"]

    def link(self, who: str) -> str:
        answer = self.ask("POST", "/api/me/grants", who, json={"upstream": SERVER})
        assert answer.is_success, answer.text
        return answer.json()["consent_url"]

    def connect(self, who: str, user: str | None = None) -> httpx2.Response:
        done = Browser().consent(self.link(who), user or who)
        assert done.status_code == 200, self.ask("GET", "/api/admin/audit-logs?status=failure").text
        return done

    def forget_all_of(self, who: str) -> None:
        """Take back what `who` allowed, and wait until that counts; others lend the list."""
        if not self.ask("GET", "/api/admin/grants").json()["grants"]:
            self.connect("bob" if who == "ann" else "ann")
        for one in self.ask("GET", "/api/me/grants", who).json()["grants"]:
            assert self.ask("DELETE", f"/api/me/grants/{one['grant_id']}", who).is_success
        eventually(lambda: "E1007" in json.dumps(self.call(who)))

    def everything_shown(self) -> str:
        """All that the process printed, its journal, and what the REST API shows."""
        journal = "".join(
            file.read_text(errors="replace")
            for file in self.instance.data.rglob("audit/**/*")
            if file.is_file()
        )
        paths = ("admin/grants", "admin/servers", "admin/upstreams", "admin/audit-logs?limit=500")
        shown = [self.ask("GET", f"/api/{path}").text for path in paths]
        return "\n".join([self.instance.child.said, journal, *shown])


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return once `holds` does; what another process changed counts within about a second."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came to be"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    data = tmp_path_factory.mktemp("office") / "data"
    with running(sys.executable, str(SCRIPT)) as child, serving(data) as instance:
        child.wait_for("is ready")
        notes = Notes(json.loads(child.said.split(" is ready")[0])["url"])
        made = Office(instance, notes)
        server = {"name": SERVER, "url": f"{notes.url}/mcp", "user_grants": {}, "pinning": "off"}
        added = made.ask("POST", "/api/admin/servers", json=server)
        assert added.status_code == 201, added.text
        rule = {"name": "all", "effect": "allow", "roles": ["user"], "bundles": [SERVER]}
        assert made.ask("POST", "/api/admin/policies", json=rule).status_code == 201
        yield made


def test_two_callers_never_share_a_token(office: Office) -> None:
    """Check 3."""
    office.connect("ann")
    eventually(lambda: office.said("ann") == "ann")
    refused = office.call("bob")["result"]
    assert refused["isError"] is True
    assert refused["_meta"]["io.bascule/error"]["code"] == "E1007"
    office.connect("bob")
    assert office.said("bob") == "bob"
    assert office.said("ann") == "ann"
    calls = office.notes.seen["calls"]
    tokens = {one["subject"]: one["token"] for one in calls}
    assert len(set(tokens.values())) == 2
    assert set(office.keys.values()).isdisjoint(tokens.values())


def test_what_a_caller_allowed_is_listed_and_taken_back_by_them_alone(office: Office) -> None:
    """Check 3."""
    for who in ("ann", "bob"):
        office.connect(who)
    own = office.ask("GET", "/api/me/grants", "ann").json()
    (grant,) = own["grants"]
    assert own["total"] == 1
    host = urlsplit(office.notes.url).netloc
    assert (grant["upstream"], grant["issuer_host"], grant["scopes"]) == (SERVER, host, ["notes"])
    (bobs,) = office.ask("GET", "/api/me/grants", "bob").json()["grants"]
    stolen = office.ask("DELETE", f"/api/me/grants/{bobs['grant_id']}", "ann")
    assert stolen.status_code == 404
    assert office.ask("GET", "/api/admin/grants", "ann").status_code == 403
    everyone = office.ask("GET", "/api/admin/grants", params={"upstream": SERVER}).json()
    assert {one["account"] for one in everyone["grants"]} == {"the API key ann", "the API key bob"}
    assert office.ask("DELETE", f"/api/me/grants/{grant['grant_id']}", "ann").is_success
    eventually(lambda: "E1007" in office.said("ann"))
    assert office.said("bob") == "bob"


def test_an_administrator_takes_back_what_anybody_allowed(office: Office) -> None:
    office.connect("bob")
    assert office.said("bob") == "bob"
    listed = bascule("grants", "list", "--data", office.instance.data, "-o", "json").value
    (grant,) = [one for one in listed["grants"] if one["owner"] == "key|bob"]
    gone = bascule("grants", "revoke", grant["grant_id"], "--data", office.instance.data)
    assert gone.code == 0
    eventually(lambda: "E1007" in office.said("bob"))
    logs = office.ask("GET", "/api/admin/audit-logs", params={"limit": 500}).json()["logs"]
    revoked = next(one for one in logs if one["action"] == "grant.revoke")  # the latest first
    assert revoked["metadata"]["upstream"] == SERVER
    assert revoked["metadata"]["account"] == "the API key bob"


def test_each_kind_of_client_is_told_as_it_can_be(office: Office) -> None:
    office.connect("ann")
    office.forget_all_of("bob")
    asked = office.call("bob", URL_MODE)["result"]
    assert asked["resultType"] == "input_required"
    (request,) = asked["inputRequests"].values()
    assert request["method"] == "elicitation/create"
    assert request["params"]["mode"] == "url"
    link = request["params"]["url"]
    assert link.startswith(f"{office.instance.url}/oauth/consent/")
    assert office.call("bob", URL_MODE)["result"]["inputRequests"] == asked["inputRequests"]
    told = office.call("bob")["result"]
    assert told["isError"] is True
    assert link in told["content"][0]["text"]
    assert told["_meta"]["io.bascule/error"]["details"] == {"consent_url": link}
    error = office.legacy_call("bob", "2025-11-25", URL_MODE)["error"]
    assert error["code"] == -32042
    (elicitation,) = error["data"]["elicitations"]
    assert (elicitation["mode"], elicitation["url"]) == ("url", link)
    for version, capabilities in (("2025-11-25", {}), ("2025-06-18", URL_MODE)):
        older = office.legacy_call("bob", version, capabilities)["result"]
        assert older["isError"] is True
        assert link in older["content"][0]["text"]
    assert Browser().consent(link, "bob").status_code == 200
    key = next(iter(asked["inputRequests"]))
    retried = office.call("bob", URL_MODE, inputResponses={key: {"action": "accept"}})
    assert retried["result"]["content"][0]["text"] == "bob"


def test_who_declines_to_go_there_is_not_asked_again_by_the_same_call(office: Office) -> None:
    office.connect("ann")
    office.forget_all_of("bob")
    asked = office.call("bob", URL_MODE)["result"]
    key = next(iter(asked["inputRequests"]))
    told = office.call("bob", URL_MODE, inputResponses={key: {"action": "decline"}})["result"]
    assert told["isError"] is True
    assert told["_meta"]["io.bascule/error"]["code"] == "E1007"


def test_the_page_says_all_there_is_to_know_before_anything_happens(office: Office) -> None:
    """Check 6."""
    link, browser = office.link("ann"), Browser()
    page = browser.get(link)
    assert page.status_code == 200
    host = urlsplit(office.notes.url).netloc
    callback = f"{office.instance.url}/oauth/callback"
    for text in (SERVER, host, "notes", "the API key ann", callback, f"{office.notes.url}/mcp"):
        assert text in page.text, text
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert f"form-action 'self' {office.notes.url};" in policy
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"
    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "state=" not in page.text, "no browser sees the state before somebody agreed"


@pytest.mark.parametrize(
    "spoil",
    ["no cookie", "another token", "another site", "another origin", "no token"],
)
def test_a_form_that_was_not_sent_from_the_page_allows_nothing(office: Office, spoil: str) -> None:
    """Check 6: a link alone sends nobody on; what another page sends does not count."""
    link, browser = office.link("ann"), Browser()
    page = browser.get(link)
    changes: dict[str, Any] = {}
    if spoil == "no cookie":
        browser.cookies.clear()
    elif spoil == "another token":
        changes["form"] = {"csrf": "x" * 43}
    elif spoil == "no token":
        changes["form"] = {"csrf": ""}
    elif spoil == "another site":
        changes["headers"] = {"sec-fetch-site": "cross-site"}
    else:
        changes["headers"] = {"origin": "https://evil.example"}
    refused = browser.press(page, **changes)
    assert refused.status_code == 403
    assert "location" not in refused.headers
    assert Browser().get(link).status_code == 200, "who it is for can still agree"


def test_the_token_of_one_authorization_is_worth_nothing_for_another(office: Office) -> None:
    """Check 6."""
    browser = Browser()
    anns, bobs = browser.get(office.link("ann")), browser.get(office.link("bob"))
    token = re.search(r'name="csrf" value="([^"]+)"', bobs.text)
    assert token
    assert browser.press(anns, form={"csrf": token[1]}).status_code == 403


def test_a_link_is_good_once_and_a_refusal_ends_it(office: Office) -> None:
    browser = Browser()
    page = browser.get(office.link("ann"))
    assert browser.press(page).status_code == 303
    assert browser.press(page).status_code == 404
    assert browser.get(str(page.url)).status_code == 404
    page = browser.get(office.link("ann"))
    declined = browser.press(page, "decline")
    assert (declined.status_code, "Nothing was allowed" in declined.text) == (200, True)
    assert browser.get(str(page.url)).status_code == 404
    assert Browser().get(f"{office.instance.url}/oauth/consent/{'x' * 43}").status_code == 404


def test_an_answer_in_another_browser_is_not_redeemed(office: Office) -> None:
    """Check 7, and the attack of client/elicitation "Phishing": the one who agreed is another."""
    office.forget_all_of("ann")
    attacker, victim = Browser(), Browser()
    sent_on = attacker.press(attacker.get(office.link("ann")))
    redeemed = office.notes.seen["redeemed"]
    back = victim.sign_in(sent_on.headers["location"], "victim")
    refused = victim.get(back)
    assert refused.status_code == 403
    assert "did not begin here" in refused.text
    assert office.notes.seen["redeemed"] == redeemed
    assert attacker.get(back).status_code == 404, "the state was good once"
    assert "E1007" in office.said("ann")


def test_a_state_is_good_once(office: Office) -> None:
    """Check 7."""
    browser = Browser()
    sent_on = browser.press(browser.get(office.link("ann")))
    back = browser.sign_in(sent_on.headers["location"], "ann")
    assert browser.get(back).status_code == 200
    redeemed = office.notes.seen["redeemed"]
    assert browser.get(back).status_code == 404
    assert office.notes.seen["redeemed"] == redeemed


@pytest.mark.parametrize(
    "query", ["", "code=x", "state=never-given&code=x", "state=a&state=b&code=x", "state=&code=x"]
)
def test_an_answer_that_nobody_waits_for_is_none(office: Office, query: str) -> None:
    """Check 7."""
    answer = Browser().get(f"{office.instance.url}/oauth/callback?{query}")
    assert answer.status_code == 404
    assert "This address is over" in answer.text


@pytest.mark.parametrize("issuer", ["https://evil.example/", ""])
def test_the_code_of_another_server_is_not_sent_anywhere(office: Office, issuer: str) -> None:
    """Check 7 (RFC 9207)."""
    browser = Browser()
    sent_on = browser.press(browser.get(office.link("ann")))
    redeemed = office.notes.seen["redeemed"]
    office.notes.do(issuer_said=issuer)
    try:
        back = browser.sign_in(sent_on.headers["location"], "ann")
    finally:
        office.notes.do(issuer_said=f"{office.notes.url}/")
    failed = browser.get(back)
    assert failed.status_code == 502
    assert office.notes.seen["redeemed"] == redeemed
    assert "evil.example" not in failed.text


def test_what_a_server_says_in_words_is_not_shown(office: Office) -> None:
    """Check 7."""
    office.forget_all_of("ann")
    browser = Browser()
    sent_on = browser.press(browser.get(office.link("ann")))
    answer = browser.get(browser.sign_in(sent_on.headers["location"], "deny"))
    assert answer.status_code == 502
    assert "alert(1)" not in answer.text
    assert "did not give this gateway access" in answer.text
    assert "E1007" in office.said("ann")


def test_the_address_people_come_back_to_is_the_one_that_was_registered(office: Office) -> None:
    """Check 7."""
    callback = f"{office.instance.url}/oauth/callback"
    sent_on = (browser := Browser()).press(browser.get(office.link("ann")))
    query = parse_qs(urlsplit(sent_on.headers["location"]).query)
    assert query["redirect_uri"] == [callback]
    assert query["code_challenge_method"] == ["S256"]
    assert query["resource"] == [f"{office.notes.url}/mcp"]
    assert all(callback in one for one in office.notes.seen["clients"])
    assert len(office.notes.seen["clients"]) == 1, "registered once, and kept"


def test_an_expired_token_is_refreshed_once_for_all_calls(office: Office) -> None:
    office.connect("ann")
    assert office.said("ann") == "ann"
    before = office.notes.seen
    office.notes.do(expire=True)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(office.said, ["ann"] * 16)) == {"ann"}
    after = office.notes.seen
    assert after["refreshed"] == before["refreshed"] + 1
    assert after["thefts"] == before["thefts"] == 0
    assert after["redeemed"] == before["redeemed"]


def test_who_takes_access_back_at_the_server_is_asked_again(office: Office) -> None:
    office.connect("ann")
    assert office.said("ann") == "ann"
    office.notes.do(end="ann")
    assert "E1007" in office.said("ann")
    assert office.ask("GET", "/api/me/grants", "ann").json()["grants"] == []
    office.connect("ann")
    assert office.said("ann") == "ann"


def test_no_file_holds_a_token_that_can_be_read(office: Office) -> None:
    """Check 17."""
    office.connect("ann")
    assert office.said("ann") == "ann"
    files = [file for file in office.instance.data.rglob("*") if file.is_file()]
    kept = b"".join(file.read_bytes() for file in files)
    secrets = office.notes.seen["secrets"]
    assert secrets
    for secret in secrets:
        assert secret.encode() not in kept


def test_no_token_is_ever_shown(office: Office) -> None:
    """Checks 2 and 17."""
    for who in ("ann", "bob"):
        office.connect(who)
        assert office.said(who) == who
    shown = office.everything_shown()
    assert "grant.consent" in shown
    for secret in office.notes.seen["secrets"]:
        assert secret not in shown
    assert not CODES.search(office.instance.child.said)


def test_a_key_of_the_same_name_inherits_nothing(office: Office) -> None:
    with office.instance.api() as api:
        first = api.post("/api/admin/keys", json={"name": "heir", "roles": ["user"]}).json()
        office.keys["heir"] = first["key"]
        office.connect("heir")
        assert office.said("heir") == "heir"
        link = office.link("heir")
        assert api.delete(f"/api/admin/keys/{first['key_id']}").is_success
        assert Browser().get(link).status_code == 404, "nobody has that name any more"
        again = api.post("/api/admin/keys", json={"name": "heir", "roles": ["user"]}).json()
    office.keys["heir"] = again["key"]
    assert office.ask("GET", "/api/me/grants", "heir").json()["grants"] == []
    eventually(lambda: "E1007" in office.said("heir"))
    del office.keys["heir"]


def test_the_gateways_own_access_lists_what_there_is(office: Office) -> None:
    for grant in office.ask("GET", "/api/admin/grants").json()["grants"]:
        office.ask("DELETE", f"/api/admin/grants/{grant['grant_id']}")
    asked = bascule(
        "grants", "connect", SERVER, "--gateway", "--data", office.instance.data, "-o", "json"
    ).value
    assert "the gateway itself" in Browser().get(asked["consent_url"]).text
    assert Browser().consent(asked["consent_url"], "robot").status_code == 200
    eventually(lambda: "E1007" in json.dumps(office.call("ann")))
    assert "robot" not in office.notes.subjects[-1:], "it lists, and calls nothing"


def test_where_nobody_consents_it_is_said_so(office: Office) -> None:
    for upstream, status in (("nothing", 404), ("plain", 409)):
        if upstream == "plain":
            server = {"name": upstream, "url": "http://127.0.0.1:9/mcp"}
            assert office.ask("POST", "/api/admin/servers", json=server).status_code == 201
        answer = office.ask("POST", "/api/me/grants", "ann", json={"upstream": upstream})
        assert answer.status_code == status, answer.text
    assert office.ask("DELETE", "/api/admin/servers/plain").is_success


def test_a_document_of_the_client_is_for_https_alone(office: Office) -> None:
    assert Browser().get(f"{office.instance.url}/oauth/client.json").status_code == 404


def test_what_was_allowed_goes_with_the_server(office: Office) -> None:
    office.connect("ann")
    assert office.ask("DELETE", f"/api/admin/servers/{SERVER}").is_success
    assert office.ask("GET", "/api/admin/grants").json()["grants"] == []

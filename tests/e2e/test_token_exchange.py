"""Each caller's token exchanged at its issuer, for one that the service behind the tool takes."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from e2e.exchange_fakes import AUDIENCE, CLIENT, Orders, document, exchange_fakes
from fakes.instances import Instance, serving, tool_call

UPSTREAM = "orders.orders"


class Office:
    """A gateway before the API, with people of the provider as callers."""

    def __init__(self, instance: Instance, orders: Orders) -> None:
        self.instance = instance
        self.orders = orders
        self.provider = orders.provider
        self.times = 0

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        with self.instance.api() as api:
            return api.request(method, f"/api/admin/{path}", **options)

    def connect(self, **changes: object) -> httpx2.Response:
        exchange = {
            "token_url": f"{self.provider.url}/token",
            "client_id": CLIENT[0],
            "client_secret": "${secret:exchange}",
            "audience": AUDIENCE,
            **changes,
        }
        body = {"connector": {"exchange": exchange, "retry": {"attempts": 1}}}
        return self.ask("PUT", f"upstreams/{UPSTREAM}", json=body)

    def prepare(self, **changes: object) -> None:
        """Everything as it should be, and nothing remembered."""
        secret = {"value": CLIENT[1]}
        assert self.ask("PUT", "secrets/exchange", json=secret).is_success
        self.provider.life_seconds = 3600
        self.provider.refuses.clear()
        self.times += 1
        answer = self.connect(**{"scope": f"fresh-{self.times}", **changes})
        assert answer.is_success, answer.text
        self.provider.asked.clear()
        self.orders.tokens.clear()

    def token(self, who: str) -> str:
        return self.provider.token(who, f"{self.instance.url}/mcp")

    def call(self, who: str, tool: str = "list_mine", token: str | None = None) -> dict[str, Any]:
        with self.instance.api(token or self.token(who)) as api:
            answer = api.post("/mcp", **tool_call(tool, {}))
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def who(self, who: str, **options: Any) -> str:
        return self.call(who, **options)["structuredContent"]["who"]

    def everything_shown(self) -> str:
        journal = "".join(
            file.read_text(errors="replace")
            for file in self.instance.data.rglob("audit/**/*")
            if file.is_file()
        )
        paths = ("upstreams", f"upstreams/{UPSTREAM}", "audit-logs?limit=500", "secrets")
        return "\n".join(
            [self.instance.child.said, journal, *(self.ask("GET", path).text for path in paths)]
        )


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    data = tmp_path_factory.mktemp("exchange") / "data"
    settings = {"upstreams.reference_seconds": "0.2"}
    with exchange_fakes() as orders, serving(data, settings=settings) as instance:
        instance.publish(document(orders.url), "orders", orders.url)
        made = Office(instance, orders)
        issuer = {
            "name": "people",
            "issuer": orders.provider.url,
            "tenant": "default",
            "roles_claims": ["roles"],
            "role_map": {"staff": ["user"]},
        }
        added = made.ask("POST", "issuers", json=issuer)
        assert added.status_code == 201, added.text
        yield made


def test_each_caller_comes_to_the_service_as_themselves(office: Office) -> None:
    office.prepare()
    tokens = {who: office.token(who) for who in ("ann", "bob")}
    found = [office.who(who, token=tokens[who]) for who in ("ann", "bob", "ann")]
    assert found == ["ann", "bob", "ann"]
    asked = office.provider.asked
    assert [one["who"] for one in asked] == ["ann", "bob"]
    assert {one["audience"] for one in asked} == {AUDIENCE}
    assert len(set(office.orders.tokens)) == 2


def test_the_callers_own_token_never_reaches_the_service(office: Office) -> None:
    office.prepare()
    token = office.token("ann")
    assert office.who("ann", token=token) == "ann"
    assert token not in office.orders.tokens
    assert token not in office.everything_shown()
    for exchanged in office.orders.tokens:
        assert exchanged not in office.everything_shown()


def test_calls_at_once_exchange_one_token(office: Office) -> None:
    office.prepare()
    token = office.token("ann")
    with ThreadPoolExecutor(16) as pool:
        found = pool.map(lambda _: office.who("ann", token=token), range(32))
        assert set(found) == {"ann"}
    assert len(office.provider.asked) == 1


def test_a_token_that_the_service_refuses_is_exchanged_anew_and_the_call_goes_through(
    office: Office,
) -> None:
    office.prepare()
    token = office.token("ann")
    assert office.who("ann", tool="pay_mine", token=token) == "ann"
    office.provider.forget()
    refused = office.orders.refused
    assert office.who("ann", tool="pay_mine", token=token) == "ann"
    assert office.orders.refused == refused + 1
    assert len(office.provider.asked) == 2


def test_a_caller_without_a_token_is_told_so(office: Office) -> None:
    office.prepare()
    with office.instance.api() as api:
        rule = {"name": "everybody", "effect": "allow", "roles": ["admin"], "bundles": ["orders"]}
        api.post("/api/admin/policies", json=rule)
        result = api.post("/mcp", **tool_call("list_mine", {})).json()["result"]
    assert result["isError"] is True
    assert result["content"][0]["text"].startswith("E1008")
    assert "API key" in result["content"][0]["text"]
    assert office.orders.tokens == []


def test_a_token_that_cannot_be_exchanged_is_explained_and_harms_nobody_else(
    office: Office,
) -> None:
    office.prepare()
    office.provider.refuses.add("bob")
    for _ in range(8):
        result = office.call("bob")
        assert result["isError"] is True
        assert "could not be exchanged" in result["content"][0]["text"]
    assert office.who("ann") == "ann", "the breaker is closed"
    assert office.orders.tokens
    shown = office.everything_shown()
    assert "invalid_grant" in shown
    assert office.token("bob").split(".")[0] not in json.dumps(office.call("bob"))


def test_kept_answers_are_their_callers_alone(office: Office) -> None:
    office.prepare()
    kept = {"cache_seconds": 300}
    assert office.ask("PATCH", "tools/list_mine", json=kept).is_success
    try:
        ann, bob = office.token("ann"), office.token("bob")
        assert [office.who("ann", token=ann), office.who("bob", token=bob)] == ["ann", "bob"]
        calls = len(office.orders.tokens)
        assert [office.who("bob", token=bob), office.who("ann", token=ann)] == ["bob", "ann"]
        assert len(office.orders.tokens) == calls, "each was kept"
    finally:
        assert office.ask("PATCH", "tools/list_mine", json={"cache_seconds": 0}).is_success


def test_a_token_of_another_issuer_is_not_shown_to_the_endpoint(office: Office) -> None:
    office.prepare(issuer="https://other.example")
    result = office.call("ann")
    assert result["isError"] is True
    assert "another identity provider" in result["content"][0]["text"]
    assert office.provider.asked == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"client_secret": "written out"}, "written out"),
        ({"token_url": "http://id.example/token"}, "https"),
        ({"token_url": "nonsense"}, "token_url"),
        ({"client_id": ""}, "client_id"),
    ],
)
def test_a_connector_that_would_not_do_is_refused(
    office: Office, changes: dict[str, object], complaint: str
) -> None:
    answer = office.connect(**changes)
    assert answer.status_code in {400, 422}, answer.text
    assert complaint in answer.text


def test_only_one_way_can_be_set(office: Office) -> None:
    client = {"token_url": f"{office.provider.url}/token", "client_id": "g"}
    one = {**client, "client_secret": "${secret:exchange}"}
    body = {"connector": {"exchange": one, "credentials": one}}
    answer = office.ask("PUT", f"upstreams/{UPSTREAM}", json=body)
    assert answer.status_code == 400
    assert "exclude each other" in answer.text
    granted = {"connector": {"user_grants": {}}}
    answer = office.ask("PUT", f"upstreams/{UPSTREAM}", json=granted)
    assert answer.status_code == 400
    assert "only MCP servers" in answer.text


def test_who_manages_a_tenant_cannot_have_tokens_sent_to_a_host_of_theirs(office: Office) -> None:
    with office.instance.api() as api:
        made = api.post("/api/admin/keys", json={"name": "local", "roles": ["admin"]}).json()
    with office.instance.api(made["key"]) as api:
        exchange = {
            "token_url": "https://evil.example/token",
            "client_id": "g",
            "client_secret": "${secret:exchange}",
        }
        path = f"/api/admin/upstreams/{UPSTREAM}"
        refused = api.put(path, json={"connector": {"exchange": exchange}})
        assert refused.status_code == 403, refused.text
        assert "system administrator" in refused.text
        exchange["token_url"] = f"{office.provider.url}/token"
        assert api.put(path, json={"connector": {"exchange": exchange}}).is_success
    shown = office.ask("GET", f"upstreams/{UPSTREAM}").json()["connector"]["exchange"]
    assert shown["client_secret"] == "${secret:exchange}"

"""Five operations of a dealership, called through an API manager that checks everything."""

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fakes.api_manager import CLIENT_ID, SCOPE, ApiManager, api_manager, document
from fakes.certificates import Authority, Pair
from fakes.instances import Instance, serving, tool_call

UPSTREAM = "dealership.dealership"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CALLS = (
    ("get_dealer_enquiries", {"id": "D 7/1", "status": "open"}),
    ("create_booking", {"dealer_id": "D7", "slot_id": "S1"}),
    ("get_vehicle_inventory", {"model": "Swift & Co", "limit": 2}),
    ("update_enquiry_status", {"id": "E9", "status": "closed"}),
    ("process_payment", {"booking_id": "BK1", "amount": 99.5}),
)


class Dealership:
    """An instance whose tools are those of the dealership, and a shell for its operator."""

    def __init__(self, instance: Instance, manager: ApiManager) -> None:
        self.instance = instance
        self.manager = manager
        self.client: Pair = manager.authority.issue("gateway.example")
        self.secrets = {
            "client-secret": manager.client_secret,
            "subscription-key": manager.subscription_key,
            "certificate": self.client.certificate,
            "key": self.client.key,
        }

    def ask(self, method: str, path: str, body: object = None) -> Any:
        with self.instance.api() as client:
            answer = client.request(method, f"/api/admin/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def set_secret(self, name: str, value: str) -> None:
        self.ask("PUT", f"secrets/{name}", {"value": value})

    def connect(self, *, credentials: dict[str, str] | None = None, **connector: object) -> Any:
        """The connector that all is right with, but for what is given."""
        token = {
            "token_url": f"{self.manager.url}/oauth2/token",
            "client_id": CLIENT_ID,
            "client_secret": "${secret:client-secret}",
            "scope": SCOPE,
        }
        tls = {
            "certificate": "${secret:certificate}",
            "key": "${secret:key}",
            "authorities": self.manager.authority.certificate,
        }
        whole = {"credentials": {**token, **(credentials or {})}, "tls": tls, **connector}
        headers = {"Ocp-Apim-Subscription-Key": "${secret:subscription-key}"}
        return self.ask("PUT", f"upstreams/{UPSTREAM}", {"headers": headers, "connector": whole})

    def prepare(self) -> None:
        """Everything as it should be."""
        for name, value in self.secrets.items():
            self.set_secret(name, value)
        self.connect()
        self.manager.seen.clear()

    def call(self, tool: str, arguments: dict[str, object]) -> dict[str, Any]:
        with self.instance.api() as client:
            sent = tool_call(tool, arguments)
            sent["json"]["params"]["_meta"]["traceparent"] = TRACE
            return client.post("/mcp", **sent).json()

    def everything_shown(self, *answers: object) -> str:
        """Answers, all that the process printed, the audit journal, and the REST API."""
        journal = "".join(
            file.read_text(errors="replace")
            for file in self.instance.data.rglob("audit/**/*")
            if file.is_file()
        )
        assert "tool_call" in journal
        paths = ("upstreams", f"upstreams/{UPSTREAM}", "secrets", "audit-logs?limit=500")
        shown = [json.dumps(self.ask("GET", path)) for path in paths]
        return "\n".join([json.dumps(answers), self.instance.child.said, journal, *shown])

    def refusal(self, text: str) -> str:
        """What the caller of a call that fails is told; no secret is shown anywhere."""
        answer = self.call("get_vehicle_inventory", {})
        told = answer.get("error") or answer["result"]
        assert "isError" in told or "code" in told
        said = json.dumps(told)
        assert re.search(text, said), said
        self.assert_nothing_leaked(answer)
        return said

    def assert_nothing_leaked(self, *answers: object) -> None:
        shown = self.everything_shown(*answers)
        tokens = list(self.manager.tokens)
        key = self.client.key.splitlines()[1]
        for secret in (self.manager.client_secret, self.manager.subscription_key, key, *tokens):
            assert secret not in shown


@pytest.fixture(scope="module")
def dealership(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dealership]:
    folder = tmp_path_factory.mktemp("dealership")
    settings = {"upstreams.reference_seconds": "0.2"}
    with (
        api_manager(folder) as manager,
        serving(folder / "data", settings=settings) as instance,
    ):
        instance.publish(json.dumps(document(manager.url)).encode(), "dealership", manager.url)
        yield Dealership(instance, manager)


def test_the_five_operations_arrive_with_everything_that_is_demanded(
    dealership: Dealership,
) -> None:
    dealership.prepare()
    before = dealership.manager.token_requests
    answers = [dealership.call(tool, arguments) for tool, arguments in CALLS]
    contents = [answer["result"]["structuredContent"] for answer in answers]
    assert [(one["method"], one["path"]) for one in contents] == [
        ("GET", "/v1/dealers/D%207%2F1/enquiries"),
        ("POST", "/v1/bookings"),
        ("GET", "/v1/inventory"),
        ("PUT", "/v1/enquiries/E9/status"),
        ("POST", "/v1/payments"),
    ]
    assert contents[0]["query"] == {"status": ["open"]}
    assert contents[2]["query"] == {"model": ["Swift & Co"], "limit": ["2"]}
    assert contents[4]["body"] == {"booking_id": "BK1", "amount": 99.5}
    seen = dealership.manager.seen
    assert [one.headers["x-mcp-tool-name"] for one in seen] == [tool for tool, _ in CALLS]
    assert [one.headers["x-mcp-risk-level"] for one in seen] == [
        "read", "write", "read", "write", "write",
    ]  # fmt: skip
    assert {one.headers["traceparent"][:35] for one in seen} == {TRACE[:35]}
    assert len({one.headers["x-correlation-id"] for one in seen}) == 5
    assert {one.certificate for one in seen} == {"gateway.example"}
    assert dealership.manager.token_requests - before == 1
    dealership.assert_nothing_leaked(answers)


def test_calls_at_once_share_one_token(dealership: Dealership) -> None:
    dealership.prepare()
    before = dealership.manager.token_requests
    dealership.connect(credentials={"audience": "fresh"})  # another connector: no token yet
    with ThreadPoolExecutor(16) as pool:
        work = [pool.submit(dealership.call, *CALLS[2]) for _ in range(64)]
        assert all("structuredContent" in one.result()["result"] for one in work)
    assert dealership.manager.token_requests - before == 1


def test_an_expired_token_is_replaced_and_the_call_goes_through_once(
    dealership: Dealership,
) -> None:
    dealership.prepare()
    dealership.call(*CALLS[2])
    before, seen = dealership.manager.token_requests, len(dealership.manager.seen)
    dealership.manager.expire_tokens()
    answer = dealership.call(*CALLS[4])
    assert answer["result"]["structuredContent"]["path"] == "/v1/payments"
    assert dealership.manager.token_requests - before == 1
    assert len(dealership.manager.seen) - seen == 1


def test_a_secret_set_anew_counts_without_a_restart(dealership: Dealership) -> None:
    dealership.prepare()
    dealership.set_secret("subscription-key", "not-the-right-subscription-key")
    dealership.refusal("403.*credential that the gateway uses.*operator")
    dealership.set_secret("subscription-key", dealership.manager.subscription_key)
    assert "structuredContent" in dealership.call(*CALLS[2])["result"]


def test_a_wrong_client_secret_is_explained(dealership: Dealership) -> None:
    dealership.prepare()
    dealership.set_secret("client-secret", "not-the-right-client-secret")
    try:
        dealership.connect(credentials={"audience": "wrong-secret"})
        said = dealership.refusal("token endpoint refused.*nothing was sent.*operator")
        assert "E4004" in said
        assert "invalid_client" in dealership.everything_shown()
        tested = dealership.ask("POST", f"upstreams/{UPSTREAM}/test")
        assert tested["ok"] is False
        assert tested["steps"][-1]["step"] == "token"
        assert "Check client_id, client_secret" in tested["steps"][-1]["detail"]
    finally:
        dealership.prepare()


def test_a_scope_that_is_not_granted_is_explained(dealership: Dealership) -> None:
    dealership.prepare()
    dealership.connect(credentials={"scope": "dealers.delete"})
    dealership.refusal("token endpoint refused")
    assert "invalid_scope" in dealership.everything_shown()


def test_another_certificate_is_refused_and_explained(dealership: Dealership) -> None:
    dealership.prepare()
    stranger = Authority("Somebody else").issue("gateway.example")
    dealership.set_secret("certificate", stranger.certificate)
    dealership.set_secret("key", stranger.key)
    dealership.connect(credentials={"audience": "other-certificate"})
    dealership.refusal("No token can be had")
    assert "TLSV1_ALERT_UNKNOWN_CA" in dealership.everything_shown()
    direct = {"certificate": "${secret:certificate}", "key": "${secret:key}"}
    authorities = dealership.manager.authority.certificate
    connector = {"tls": {**direct, "authorities": authorities}}
    dealership.ask("PUT", f"upstreams/{UPSTREAM}", {"connector": connector})
    said = dealership.refusal("does not accept the certificate of this gateway")
    assert "E4001" in said


def test_an_authority_that_did_not_sign_is_not_believed(dealership: Dealership) -> None:
    dealership.prepare()
    authorities = Authority("Somebody else").certificate
    dealership.connect(tls={"authorities": authorities})
    said = dealership.refusal("No token can be had|cannot be reached")
    assert "E4001" in said
    assert "CERTIFICATE_VERIFY_FAILED" in dealership.everything_shown()


def test_every_step_to_the_service_is_tried(dealership: Dealership) -> None:
    dealership.prepare()
    tested = dealership.ask("POST", f"upstreams/{UPSTREAM}/test")
    assert tested["ok"] is True
    assert [one["step"] for one in tested["steps"]] == [
        "secrets", "address", "connection", "token", "request",
    ]  # fmt: skip
    assert tested["steps"][0]["detail"] == "4 read"
    assert tested["steps"][3]["detail"].startswith("valid for 3600 seconds")


def test_mocked_it_answers_from_its_schemas_and_calls_nothing(dealership: Dealership) -> None:
    dealership.prepare()
    dealership.connect(mode="mock")
    answer = dealership.call(*CALLS[4])["result"]
    assert answer["structuredContent"] == {
        "path": "/v1/sample", "method": "sample", "query": {}, "body": None,
    }  # fmt: skip
    assert dealership.manager.seen == []
    dealership.connect(mode="live")
    assert dealership.call(*CALLS[4])["result"]["structuredContent"]["path"] == "/v1/payments"


def test_the_setting_mocks_every_service(dealership: Dealership, tmp_path: Path) -> None:
    with serving(tmp_path / "data", settings={"upstreams.mode": "mock"}) as instance:
        url = "https://nowhere.invalid"
        instance.publish(json.dumps(document(url)).encode(), "dealership", url)
        answer = instance.call("create_booking", dealer_id="D7", slot_id="S1").json()
    assert answer["result"]["structuredContent"]["path"] == "/v1/sample"


def test_a_name_that_leads_inside_is_refused_with_the_setting_that_allows_it(
    tmp_path: Path,
) -> None:
    host = subprocess.run(["hostname"], capture_output=True, text=True, check=True).stdout.strip()
    with serving(tmp_path / "data") as instance:
        url = f"http://{host}:9"
        instance.publish(json.dumps(document(url)).encode(), "dealership", url)
        told = json.dumps(instance.call("get_vehicle_inventory").json())
        assert "may not be reached from here" in told
        assert "E4001" in told
        with instance.api() as client:
            logs = client.get("/api/admin/audit-logs", params={"status": "failure"}).text
        assert "upstreams.allowed_networks" in logs


def test_an_import_does_not_take_the_credentials_to_another_host(dealership: Dealership) -> None:
    dealership.prepare()
    with dealership.instance.api() as client:
        answer = client.post(
            "/api/admin/openapi",
            files={"file": ("o.json", json.dumps(document("https://evil.example")).encode())},
            data={"bundle_id": "dealership", "auto_publish": "true",
                  "base_url": "https://evil.example"},
        )  # fmt: skip
        assert answer.status_code == 409, answer.text
        assert "would go to another host" in answer.text
        again = client.post(
            "/api/admin/openapi",
            files={"file": ("o.json", json.dumps(document(dealership.manager.url)).encode())},
            data={"bundle_id": "dealership", "auto_publish": "true"},
        )
        assert again.status_code == 200, again.text
    shown = dealership.ask("GET", f"upstreams/{UPSTREAM}")
    assert shown["connector"]["credentials"]["client_id"] == CLIENT_ID
    assert "structuredContent" in dealership.call(*CALLS[2])["result"]

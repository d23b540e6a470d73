"""One tenant's Rego is endless, or has ten megabytes of data: nobody else's calls wait for it.

Two tenants on one gateway, each with a service, tools and callers of its own.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

import httpx2
import pytest

from bascule.api.access import TENANT_HEADER
from fakes.echo import echoing, response
from fakes.instances import Instance, serving, tool_call

BOUND_SECONDS: Final = 2.0
"""Of one evaluation. No call of another tenant waits for so long, by far."""
FLOOR_SECONDS: Final = 0.5
"""What a busy machine is allowed, whatever the quiet run took."""
ROUNDS: Final = 150
CALLERS: Final = 4

GOOD: Final = "package bascule.authz\nallow if input.arguments.n >= 0\n"
ENDLESS: Final = """package bascule.authz
allow if {
  n := input.arguments.n
  count([1 | some i in numbers.range(0, 100000); some j in numbers.range(0, 100000); i + j < n]) > 5
}
"""
ENDLESS_WITHOUT_INPUT: Final = """package bascule.authz
r := numbers.range(0, 100000)
allow if count([1 | some i in r; some j in r; i + j < 0]) > 5
"""
HEAVY: Final = """package bascule.authz
allow if data.users[sprintf("%07d", [input.arguments.n % 1000])].team == "blue"
"""
ROWS: Final = {
    f"{number:07}": {"roles": ["reader", "writer"], "team": "blue"} for number in range(185_000)
}


@dataclass
class Tenant:
    """One tenant of the gateway: who administers it, and who calls."""

    instance: Instance
    name: str
    tool: str
    keys: dict[str, str] = field(default_factory=dict[str, str])

    def admin(self, method: str, path: str, **options: Any) -> httpx2.Response:
        with self.instance.api() as api:
            api.headers[TENANT_HEADER] = self.name
            return api.request(method, f"/api/admin/{path}", timeout=90.0, **options)

    def made(self, method: str, path: str, **options: Any) -> Any:
        done = self.admin(method, path, **options)
        assert done.is_success, done.text[:1000]
        return done.json()

    def furnish(self, service: str) -> None:
        """A tool, a rule that lets users call it, and two callers."""
        self.made(
            "POST",
            "openapi",
            files={"file": ("openapi.json", document(self.tool))},
            data={"bundle_id": self.name, "auto_publish": "true", "base_url": service},
        )
        self.made("POST", "policies", json={"name": "all", "effect": "allow", "roles": ["user"]})
        for who, roles in (("plain", ["user"]), ("judged", ["user", "viewer"])):
            key = self.made("POST", "keys", json={"name": who, "roles": roles})
            self.keys[who] = key["key"]

    def rego(self, module: str, data: Mapping[str, Any] | None = None) -> httpx2.Response:
        """Put a document in force, about one of the callers."""
        rego = {"modules": {"authz.rego": module}, "data": dict(data or {})}
        body = {"name": "rego", "type": "rego", "roles": ["viewer"], "rego": rego}
        return self.admin("PUT", "policies/rego", json=body)

    def caller(self, who: str) -> "Caller":
        return Caller(self, who)


class Caller:
    """Calls a tool over one connection, and looks at the clock."""

    def __init__(self, tenant: Tenant, who: str) -> None:
        self._tool = tenant.tool
        self._client = tenant.instance.api(tenant.keys[who])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(self, number: int) -> tuple[float, dict[str, Any]]:
        """The seconds it took, and the answer."""
        began = time.monotonic()
        answer = self._client.post("/mcp", **tool_call(self._tool, {"n": number})).json()
        return time.monotonic() - began, answer


@dataclass
class World:
    """`noisy` is who does harm, `quiet` whom it must not reach."""

    noisy: Tenant
    quiet: Tenant


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    settings = {"policy.rego_timeout_ms": str(int(BOUND_SECONDS * 1000))}
    data = tmp_path_factory.mktemp("noisy") / "data"
    with echoing() as echo, serving(data, settings=settings) as instance:
        made: list[Tenant] = []
        for name in ("noisy", "quiet"):
            with instance.api() as api:
                assert api.post("/api/admin/tenants", json={"name": name}).status_code == 201
            echo.answers[f"/{name}-tool"] = response(b'{"done":true}')
            made.append(Tenant(instance, name, f"{name}-tool"))
            made[-1].furnish(echo.url)
        assert made[1].rego(GOOD).is_success
        yield World(*made)


def document(tool: str) -> bytes:
    body = {"type": "object", "properties": {"n": {"type": "integer"}}}
    operation = {
        "operationId": tool,
        "summary": "Do it",
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {"200": {"description": "x", "content": {"application/json": {"schema": {}}}}},
    }
    paths = {f"/{tool}": {"post": operation}}
    return json.dumps(
        {"openapi": "3.1.0", "info": {"title": tool, "version": "1"}, "paths": paths}
    ).encode()


def is_done(answer: Mapping[str, Any]) -> bool:
    return answer.get("result", {}).get("structuredContent") == {"done": True}


_numbers = iter(range(10**9))


def measured(tenant: Tenant, rounds: int = ROUNDS, until: Callable[[], bool] | None = None) -> Any:
    """Seconds of calls by both callers in turn, each of which must be answered rightly; sorted."""
    took: list[float] = []
    with tenant.caller("plain") as plain, tenant.caller("judged") as judged:
        while len(took) < 2 * rounds or (until is not None and not until()):
            for caller in (plain, judged):
                seconds, answer = caller.call(next(_numbers))
                assert is_done(answer), answer
                took.append(seconds)
    return sorted(took)


def assert_untouched(took: list[float], quiet: list[float]) -> None:
    """Nobody waited as long as an evaluation may take; 95 in 100 noticed next to nothing."""
    p95, before = took[len(took) * 95 // 100], quiet[len(quiet) * 95 // 100]
    assert p95 < max(10 * before, FLOOR_SECONDS / 5), (p95, before)
    assert took[-1] < BOUND_SECONDS, took[-5:]


@contextmanager
def noise(tenant: Tenant) -> Iterator[list[tuple[float, dict[str, Any]]]]:
    """Several callers of a tenant, who call and call; gives what came of it."""
    stop, found = threading.Event(), list[tuple[float, dict[str, Any]]]()

    def work() -> None:
        with tenant.caller("judged") as caller:
            while not stop.is_set():
                found.append(caller.call(next(_numbers)))

    threads = [threading.Thread(target=work) for _ in range(CALLERS)]
    for one in threads:
        one.start()
    try:
        yield found
    finally:
        stop.set()
        for one in threads:
            one.join(30)


def denials(tenant: Tenant) -> list[str]:
    """Why calls of the tenant were denied, by its records."""
    logs = tenant.made("GET", "audit-logs", params={"limit": 500, "status": "denied"})["logs"]
    return [json.dumps(one) for one in logs]


@contextmanager
def meanwhile(work: Callable[[], httpx2.Response]) -> Iterator[list[httpx2.Response]]:
    """Do `work` beside the block; its answer is there from its end on."""
    done: list[httpx2.Response] = []
    thread = threading.Thread(target=lambda: done.append(work()))
    thread.start()
    try:
        yield done
    finally:
        thread.join(100)


def test_an_endless_document_holds_up_nobody_else_and_a_mended_one_counts_at_once(
    here: World,
) -> None:
    noisy, quiet = here.noisy, here.quiet
    before = measured(quiet)
    assert noisy.rego(ENDLESS).is_success
    with noise(noisy) as found:

        def late() -> bool:
            return sum(seconds >= BOUND_SECONDS for seconds, _ in found) >= 3

        assert_untouched(measured(quiet, until=late), before)
    assert not [answer for _, answer in found if is_done(answer)]
    with noisy.caller("plain") as plain:
        assert is_done(plain.call(0)[1]), "whom the document is not about is not denied"
    said = denials(noisy)
    assert [one for one in said if "no answer within 2 seconds" in one], said[0] + said[-1]
    assert all("Rego: " in one for one in said)
    assert noisy.rego(GOOD).is_success
    with noisy.caller("judged") as judged:
        assert is_done(judged.call(1)[1]), "the document is another one, and did no harm"


def test_ten_megabytes_of_data_hold_up_nobody_else(here: World) -> None:
    noisy, quiet = here.noisy, here.quiet
    before = measured(quiet)
    with meanwhile(lambda: noisy.rego(HEAVY, {"users": ROWS})) as done:
        took = measured(quiet, until=lambda: bool(done))
    assert done[0].status_code == 200, done[0].text[:1000]
    assert len(done[0].content) > 9_500_000
    assert_untouched(took, before)
    with noise(noisy) as found:
        assert_untouched(measured(quiet, until=lambda: len(found) > 20), before)
    assert [answer for _, answer in found if is_done(answer)]
    with meanwhile(lambda: noisy.admin("GET", "policies/rego")) as done:
        assert_untouched(measured(quiet, until=lambda: bool(done)), before)
    assert done[0].json()["rego"]["data"]["users"] == ROWS
    assert noisy.admin("DELETE", "policies/rego").is_success


def test_more_than_the_limits_is_refused_with_the_limit(here: World) -> None:
    noisy, quiet = here.noisy, here.quiet
    before = measured(quiet)
    large = {"text": "x" * 10_485_760}
    with meanwhile(lambda: noisy.rego(GOOD, large)) as done:
        took = measured(quiet, until=lambda: bool(done))
    assert_untouched(took, before)
    assert done[0].status_code == 400
    assert "At most 10485760 are allowed" in done[0].json()["error"]["message"]
    huge = noisy.rego(GOOD, {"text": "x" * 16_000_000})
    assert huge.status_code == 413
    assert "14,680,064 bytes" in huge.json()["error"]["message"]


def test_what_is_endless_without_any_input_is_refused_and_holds_up_no_other_change(
    here: World,
) -> None:
    noisy, quiet = here.noisy, here.quiet
    before = measured(quiet)
    with meanwhile(lambda: noisy.rego(ENDLESS_WITHOUT_INPUT)) as done:
        assert quiet.rego(GOOD + "# again\n").is_success
        assert not done, "the other one is still being looked at"
        assert_untouched(measured(quiet), before)
    assert done[0].status_code == 400, done[0].text
    assert "longer than the 30 seconds there are for it" in done[0].json()["error"]["message"]

"""The policies in `deploy/policies`, as the embedded engine and a real OPA evaluate them."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from regorus import Engine

from bascule.gateway.decision import Circumstances, Question
from bascule.gateway.rego import RegoDocument
from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.gateway.tool import RiskLevel
from bascule.policy.access import Access
from bascule.policy.rego.documents import examine, run_tests
from bascule.policy.rego.judge import Judging
from bascule.rego.opa import OpaEngine
from bascule.rego.pool import EmbeddedEngine
from fakes.catalogue import make_principal, make_snapshot, make_tool
from fakes.opa import Opa, opa_server

FOLDER = Path(__file__).parents[2] / "deploy" / "policies"
MODULES = {path.name: path.read_text() for path in sorted(FOLDER.glob("*.rego"))}
DATA = (FOLDER / "data.json").read_text()
TESTS = re.findall(r"^(test_\w+) if", MODULES["authz_test.rego"], re.MULTILINE)

MONDAY_10_IN_LONDON = 1784538000


def asked(**members: Any) -> dict[str, Any]:
    """A user who reads vehicles on a Monday morning, from inside; `members` replace those."""
    tool = {
        "name": "get_vehicle_inventory", "bundle": "service-booking", "risk": "read", "tags": [],
        "version": "1.0.0", "upstream": "dealers", "domain": None, "owner": None,
    }  # fmt: skip
    return {
        "action": "invoke", "user": "ann", "user_id": None, "agent": None, "means": "api_key",
        "roles": ["user"], "groups": [], "tenant": "acme", "kind": "tool", "arguments": {},
        "ip": "10.1.2.3", "time": "2026-07-20T09:00:00Z",
        "time_ns": MONDAY_10_IN_LONDON * 1_000_000_000,
        **members,
        "tool": {**tool, **members.get("tool", {})},
    }  # fmt: skip


BOOK = {"name": "create_booking", "risk": "write"}
PAY = {"name": "process_payment", "risk": "write", "tags": ["payments"]}
SUNDAY = (MONDAY_10_IN_LONDON - 86_400) * 1_000_000_000

CASES = [
    (asked(), True, "granted to user"),
    (asked(roles=[]), False, "no role grants invoke of get_vehicle_inventory"),
    (asked(roles=["admin"]), True, "granted to admin"),
    (asked(tool=BOOK), False, "no role grants invoke of create_booking"),
    (asked(tool=BOOK, roles=["desk", "user"]), True, "granted to desk"),
    (asked(tool={**BOOK, "bundle": "fleet"}, roles=["desk"]), False, "no role grants"),
    (asked(tool=BOOK, roles=["desk"], time_ns=SUNDAY), False, "outside business hours"),
    (asked(tool=BOOK, roles=["desk"], time_ns=SUNDAY, action="discover"), True, "granted to desk"),
    (asked(tool={"tags": ["customer-data"]}, ip="203.0.113.9"), False, "from outside its networks"),
    (asked(tool={"tags": ["customer-data"]}, ip="fd00::7"), True, "granted to user"),
    (
        asked(tool=PAY, roles=["cashier"], arguments={"amount": 250}),
        True,
        "granted to cashier",
    ),
    (
        asked(tool=PAY, roles=["cashier"], arguments={"amount": 251}),
        False,
        "amount must be a number up to 250",
    ),
    (
        asked(tool=PAY, roles=["cashier", "manager"], arguments={"amount": 5000}),
        True,
        "granted to cashier, manager",
    ),
    (asked(tool=PAY, roles=["cashier"], arguments={"amount": "9"}), False, "must be a number"),
    (asked(tool=PAY, roles=["cashier"]), False, "must be a number"),
    (
        asked(tool=PAY, roles=["manager"], arguments={"amount": 1}),
        False,
        "payments needs the role cashier",
    ),
    (asked(kind="prompt", tool={"name": "welcome"}), True, "granted to user"),
    (asked(kind="resource", tool={"name": "docs://prices"}), False, "no role grants"),
    (asked(kind="resource", tool={"name": "docs://a"}, action="discover"), True, "granted to user"),
]


def engine() -> Engine:
    """The embedded one, with the whole folder."""
    made = Engine()
    for name, text in MODULES.items():
        made.add_policy(name, text)
    made.add_data_json(DATA)
    return made


def test_the_folder_holds_what_the_guide_names() -> None:
    assert MODULES.keys() == {"authz.rego", "rbac.rego", "tool_access.rego", "authz_test.rego"}
    assert len(TESTS) >= 10


@pytest.mark.parametrize("name", TESTS)
def test_each_of_its_own_tests_passes_in_the_embedded_engine(name: str) -> None:
    assert engine().eval_rule(f"data.bascule.authz_test.{name}") is True


@pytest.mark.parametrize(("question", "allow", "reason"), CASES)
def test_the_embedded_engine_decides_as_the_examples_say(
    question: dict[str, Any], allow: bool, reason: str
) -> None:
    made = engine()
    made.set_input_json(json.dumps(question))

    assert made.eval_rule("data.bascule.authz.allow") is allow
    assert reason in made.eval_rule("data.bascule.authz.reason")


@pytest.mark.parametrize(
    "missing", ["roles", "tool", "ip", "time_ns", "arguments", "kind", "action"]
)
def test_an_input_that_lacks_something_allows_no_more(missing: str) -> None:
    question = asked(tool={**PAY, "tags": ["payments", "customer-data"]}, roles=["cashier"])
    question["arguments"] = {"amount": 1}
    made = engine()
    made.set_input_json(json.dumps(question))
    assert made.eval_rule("data.bascule.authz.allow") is True

    made.set_input_json(json.dumps({k: v for k, v in question.items() if k != missing}))

    assert made.eval_rule("data.bascule.authz.allow") is False


@pytest.fixture
async def pool() -> AsyncIterator[EmbeddedEngine]:
    """The embedded engine as the gateway runs it: in a process of its own."""
    async with EmbeddedEngine(1, 5.0, 512 * 1024 * 1024) as opened:
        yield opened


async def document(pool: EmbeddedEngine) -> RegoDocument:
    return await examine(pool, MODULES, json.loads(DATA))


async def test_the_gateway_takes_the_folder_and_knows_what_its_answers_depend_on(
    pool: EmbeddedEngine,
) -> None:
    made = await document(pool)

    assert made.reads is not None
    assert {".".join(path) for path in made.reads} == {
        *("action", "arguments.amount", "ip", "kind", "roles", "time_ns"),
        *("tool.bundle", "tool.name", "tool.risk", "tool.tags"),
    }
    assert not made.uses_time


async def test_the_gateway_runs_all_of_its_own_tests(pool: EmbeddedEngine) -> None:
    outcomes = await run_tests(pool, await document(pool))

    assert [one.name for one in outcomes] == TESTS
    assert {one.status.value for one in outcomes} == {"passed"}


async def test_the_gateway_decides_as_the_examples_say(pool: EmbeddedEngine) -> None:
    inputs = [json.dumps(question).encode() for question, _, _ in CASES]

    answers = await pool.evaluate("acme", await document(pool), inputs, time.monotonic() + 20)

    for (_, allow, reason), answer in zip(CASES, answers, strict=True):
        assert (answer.allow, reason in answer.reason) == (allow, True)


async def test_a_policy_of_the_folder_governs_calls(pool: EmbeddedEngine) -> None:
    rego = await document(pool)
    rule = Rule("authz", Effect.DENY, frozenset(), kind=RuleKind.REGO, rego=rego)
    book = make_tool("create_booking", bundle="service-booking", risk=RiskLevel.WRITE)
    pay = make_tool("process_payment", bundle="service-booking", risk=RiskLevel.WRITE)
    snapshot = make_snapshot([book, replace(pay, tags=("payments",))], rules=[rule])
    access = Access(snapshot, rego=Judging(pool, 1000))

    async def effect(name: str, *roles: str, after_hours: int = 0, **arguments: object) -> Effect:
        moment = MONDAY_10_IN_LONDON + after_hours * 3600.0
        asked = Question(
            make_principal(roles=roles),
            snapshot.tenant("acme").tools[name],
            Action.INVOKE,
            Circumstances(moment, "10.1.2.3", arguments),
        )
        return (await access.decide_use(asked, deadline=time.monotonic() + 20)).effect

    assert await effect("create_booking", "desk") is Effect.ALLOW
    assert await effect("create_booking", "user") is Effect.DENY
    assert await effect("create_booking", "desk", after_hours=9) is Effect.DENY
    assert await effect("process_payment", "cashier", amount=250) is Effect.ALLOW
    assert await effect("process_payment", "cashier", amount=251) is Effect.DENY
    assert await effect("process_payment", "admin", "cashier", amount=1000) is Effect.ALLOW
    assert await effect("process_payment", "admin", amount=1) is Effect.DENY


@pytest.fixture(scope="module")
def opa() -> Iterator[Opa]:
    """A real OPA with the whole folder, tests too."""
    with opa_server() as server:
        for name, text in MODULES.items():
            server.put_policy(name, text)
        for name, value in json.loads(DATA).items():
            server.put_data(name, value)
        yield server


@pytest.mark.parametrize("name", TESTS)
def test_each_of_its_own_tests_passes_in_opa(opa: Opa, name: str) -> None:
    assert opa.decide(f"bascule/authz_test/{name}", {}) == {"result": True}


async def test_opa_decides_as_the_examples_say(opa: Opa) -> None:
    inputs = [json.dumps(question).encode() for question, _, _ in CASES]

    async with OpaEngine(opa.url, "", 5.0) as asked:
        answers = await asked.evaluate("acme", None, inputs, time.monotonic() + 20)

    for (_, allow, reason), answer in zip(CASES, answers, strict=True):
        assert (answer.allow, reason in answer.reason) == (allow, True)

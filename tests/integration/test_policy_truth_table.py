"""One policy in three forms: as rules, as Rego in the embedded engine, and in OPA's own engine.

Five hundred cases are put to all three, and they agree about each.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import pytest

from bascule.gateway.decision import Circumstances, Question
from bascule.gateway.principal import Principal
from bascule.gateway.rego import RegoDocument, RegoEngine
from bascule.gateway.rule import (
    Action,
    ArgumentTest,
    Effect,
    Operator,
    Rule,
    RuleKind,
    TimeWindow,
)
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import RestSource, RiskLevel, Tool
from bascule.policy.access import Access
from bascule.policy.rego.documents import examine
from bascule.policy.rego.inputs import document
from bascule.policy.rego.judge import Judging
from bascule.rego.opa import OpaEngine
from bascule.rego.pool import EmbeddedEngine
from fakes.opa import opa_server

CASES: Final = 500
TENANT: Final = "acme"


def tool(name: str, bundle: str, risk: RiskLevel, *tags: str) -> Tool:
    source = RestSource(bundle, "POST", f"/{name}")
    return Tool(name, name, bundle, source, {}, risk=risk, tags=tags)


TOOLS: Final = (
    tool("list_slots", "booking", RiskLevel.READ),
    tool("book_slot", "booking", RiskLevel.WRITE),
    tool("get_owner", "booking", RiskLevel.READ, "sensitive"),
    tool("refund", "billing", RiskLevel.WRITE, "money"),
    tool("get_invoice", "billing", RiskLevel.READ, "money", "sensitive"),
    tool("purge", "billing", RiskLevel.PRIVILEGED),
)

FRIDAY_NIGHT: Final = TimeWindow(frozenset({4}), 22 * 60, 6 * 60)
OFFICE_HOURS: Final = TimeWindow(frozenset(range(5)), 9 * 60 + 30, 18 * 60, "Asia/Kolkata")


def rule(name: str, effect: Effect, kind: RuleKind, *roles: str, **fields: Any) -> Rule:
    return Rule(name, effect, frozenset(roles), kind=kind, **fields)


def named(*names: str) -> frozenset[str]:
    return frozenset(names)


RULES: Final = (
    rule("clerks read", Effect.ALLOW, RuleKind.RBAC, "clerk", risks=frozenset({RiskLevel.READ})),
    rule("mechanics book", Effect.ALLOW, RuleKind.RBAC, "mechanic", bundles=named("booking")),
    rule(
        "small refunds",
        Effect.ALLOW,
        RuleKind.CONDITION,
        "cashier",
        tools=named("refund"),
        arguments=(ArgumentTest(("amount",), Operator.AT_MOST, 100),),
    ),
    rule(
        "auditors at work",
        Effect.ALLOW,
        RuleKind.CONDITION,
        bundles=named("billing"),
        groups=named("audit"),
        risks=frozenset({RiskLevel.READ}),
        windows=(OFFICE_HOURS,),
        networks=named("10.0.0.0/8", "2001:db8::/32"),
    ),
    rule("nobody purges", Effect.DENY, RuleKind.DENY_LIST, tools=named("purge")),
    rule("not mallory", Effect.DENY, RuleKind.DENY_LIST, users=named("mallory")),
    rule(
        "not by that bot",
        Effect.DENY,
        RuleKind.CONDITION,
        agents=named("rogue-bot"),
        actions=frozenset({Action.INVOKE}),
    ),
    rule(
        "not on friday night",
        Effect.DENY,
        RuleKind.CONDITION,
        tags=named("sensitive"),
        windows=(FRIDAY_NIGHT,),
    ),
    rule("not from there", Effect.DENY, RuleKind.CONDITION, networks=named("203.0.113.0/24")),
    rule(
        "no large sums",
        Effect.DENY,
        RuleKind.CONDITION,
        tools=named("refund"),
        arguments=(ArgumentTest(("amount",), Operator.ABOVE, 1000),),
    ),
    rule(
        "no foreign money",
        Effect.DENY,
        RuleKind.CONDITION,
        tags=named("money"),
        arguments=(ArgumentTest(("currency",), Operator.NOT_IN, ["INR", "EUR"]),),
    ),
    rule(
        "interns look",
        Effect.ALLOW,
        RuleKind.ALLOW_LIST,
        bundles=named("booking"),
        groups=named("interns"),
        tools=named("list_*"),
    ),
)

REGO: Final = """package bascule.authz

import rego.v1

default allow := false

allow if {
	count(denied) == 0
	some name in data.administrators
	name in input.roles
}

allow if {
	count(denied) == 0
	count(allowed) > 0
}

reason := concat(", ", sort(denied))

allowed contains "clerks read" if {
	"clerk" in input.roles
	input.tool.risk == "read"
}

allowed contains "mechanics book" if {
	"mechanic" in input.roles
	input.tool.bundle == "booking"
}

allowed contains "small refunds" if {
	"cashier" in input.roles
	input.tool.name == "refund"
	small_or_unknown
}

small_or_unknown if input.action == "discover"

small_or_unknown if {
	input.action == "invoke"
	is_number(input.arguments.amount)
	input.arguments.amount <= data.small
}

allowed contains "auditors at work" if {
	"audit" in input.groups
	input.tool.bundle == "billing"
	input.tool.risk == "read"
	at_work
	input.ip != ""
	some network in data.office
	same_family(network, input.ip)
	net.cidr_contains(network, input.ip)
}

at_work if {
	time.weekday([input.time_ns, "Asia/Kolkata"]) in data.workdays
	[hour, minute, _] := time.clock([input.time_ns, "Asia/Kolkata"])
	(hour * 60) + minute >= 570
	hour < 18
}

same_family(network, ip) if contains(network, ":") == contains(ip, ":")

allowed contains "interns look" if interns_may

interns_may if {
	"interns" in input.groups
	input.tool.bundle == "booking"
	startswith(input.tool.name, "list_")
}

denied contains "interns look" if {
	"interns" in input.groups
	input.tool.bundle == "booking"
	not interns_may
}

denied contains "nobody purges" if input.tool.name == "purge"

denied contains "not mallory" if input.user == "mallory"

denied contains "not by that bot" if {
	input.agent == "rogue-bot"
	input.action == "invoke"
}

denied contains "not on friday night" if {
	"sensitive" in input.tool.tags
	friday_night
}

friday_night if {
	time.weekday(input.time_ns) == "Friday"
	time.clock(input.time_ns)[0] >= 22
}

friday_night if {
	time.weekday(input.time_ns) == "Saturday"
	time.clock(input.time_ns)[0] < 6
}

denied contains "not from there" if {
	input.ip == ""
	input.action == "invoke"
}

denied contains "not from there" if {
	input.ip != ""
	not contains(input.ip, ":")
	net.cidr_contains("203.0.113.0/24", input.ip)
}

denied contains "no large sums" if {
	input.tool.name == "refund"
	amount := input.arguments.amount
	not is_number(amount)
}

denied contains "no large sums" if {
	input.tool.name == "refund"
	is_number(input.arguments.amount)
	input.arguments.amount > data.large
}

denied contains "no foreign money" if {
	"money" in input.tool.tags
	input.arguments
	not home_currency
}

home_currency if input.arguments.currency in data.currencies
"""
DATA: Final[dict[str, Any]] = {
    "administrators": ["admin", "system_admin"],
    "small": 100,
    "large": 1000,
    "office": ["10.0.0.0/8", "2001:db8::/32"],
    "workdays": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
    "currencies": ["INR", "EUR"],
}


AMOUNTS: Final = (0, 99.5, 100, 100, 100, 100.5, 101, 1000, 1000.5, 5000, "100", None)
USUAL: Final = ("10.1.2.3", "10.9.9.9", "192.0.2.1", "2001:db8::7", "203.0.114.1")
MONDAY: Final = datetime(2026, 11, 16, tzinfo=UTC)
EDGES: Final = (
    datetime(2026, 11, 20, 22, 0, 0, tzinfo=UTC),
    datetime(2026, 11, 21, 3, 0, 0, tzinfo=UTC),
    datetime(2026, 11, 21, 6, 0, 0, tzinfo=UTC),
    datetime(2026, 11, 18, 4, 0, 0, tzinfo=UTC),
    datetime(2026, 11, 18, 12, 30, 0, tzinfo=UTC),
)


NOBODY: Final = named()
AIMS: Final = (
    (NOBODY, NOBODY, None),
    (NOBODY, NOBODY, None),
    (named("clerk"), NOBODY, TOOLS[2]),
    (named("mechanic"), named("interns"), TOOLS[0]),
    (named("cashier"), NOBODY, TOOLS[3]),
    (named("admin"), named("garage"), TOOLS[3]),
    (named("viewer"), named("audit"), TOOLS[4]),
    (named("viewer"), named("audit", "garage"), TOOLS[4]),
)
"""Roles, groups and a tool that a rule is about, so that not all is denied anyway."""


def a_case(chance: Random) -> Question:
    def some(names: Sequence[str]) -> frozenset[str]:
        return frozenset(chance.sample(names, chance.choice([0, 1, 1, 2])))

    def mostly(usual: Sequence[Any], other: Any) -> Any:
        return other if chance.random() < 0.1 else chance.choice(usual)

    role, group, aim = chance.choice(AIMS)
    principal = Principal(
        TENANT,
        mostly(["ann", "bob"], "mallory"),
        role or some(["clerk", "mechanic", "cashier", "admin", "viewer"]),
        frozenset({"tools:list", "tools:execute"}),
        agent=mostly([None, "desk-bot"], "rogue-bot"),
        groups=group or some(["audit", "interns", "garage"]),
    )
    moment = MONDAY + timedelta(seconds=chance.randrange(14 * 86400))
    if chance.random() < 0.4:
        moment = chance.choice(EDGES) + timedelta(seconds=chance.choice([-1, 0, 0, 1, 600]))
    peer = mostly(USUAL, chance.choice(["203.0.113.7", "203.0.113.200", "", ""]))
    arguments: dict[str, object] = {}
    if chance.random() < 0.95:
        arguments["amount"] = chance.choice(AMOUNTS)
    if chance.random() < 0.95:
        arguments["currency"] = mostly(["INR", "EUR"], "USD")
    action = mostly([Action.INVOKE, Action.INVOKE, Action.INVOKE], Action.DISCOVER)
    given = arguments if action is Action.INVOKE else None
    circumstances = Circumstances(moment.timestamp() + 0.5, peer, given)
    return Question(principal, aim or chance.choice(TOOLS), action, circumstances)


def cases() -> list[Question]:
    chance = Random(20261122)
    return [a_case(chance) for _ in range(CASES)]


def soon() -> float:
    return time.monotonic() + 60


async def by_rules(rules: Iterable[Rule], questions: Sequence[Question]) -> list[bool]:
    view = TenantView(TENANT, tools={one.name: one for one in TOOLS}, rules=tuple(rules))
    access = Access(Snapshot(1, {TENANT: view}), elevate_privileged=False)
    return [(await access.decide_use(one, deadline=soon())).allowed for one in questions]


async def by_rego(
    engine: RegoEngine, policy: RegoDocument | None, questions: Sequence[Question]
) -> list[bool]:
    asking = Rule("rego", Effect.ALLOW, frozenset(), kind=RuleKind.REGO, rego=policy)
    answers = await Judging(engine, 10_000).ask(asking, questions, soon())
    assert not [one.reason for one in answers if "no answer" in one.reason]
    return [one.allow for one in answers]


@pytest.fixture(name="engine")
async def embedded_engine() -> AsyncIterator[EmbeddedEngine]:
    async with EmbeddedEngine(1, 10.0, 512 * 1024 * 1024) as engine:
        yield engine


async def embedded(
    engine: EmbeddedEngine, policy: str, questions: Sequence[Question]
) -> list[bool]:
    made = await examine(engine, {"authz.rego": policy}, DATA)
    return await by_rego(engine, made, questions)


async def real(policy: str, questions: Sequence[Question]) -> list[bool]:
    with opa_server() as server:
        for name, value in DATA.items():
            server.put_data(name, value)
        server.put_policy("authz.rego", policy)
        async with OpaEngine(server.url, "", 10.0) as engine:
            return await by_rego(engine, None, questions)


def differing(one: Sequence[bool], other: Sequence[bool]) -> list[int]:
    return [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]


async def test_rules_rego_and_opa_agree_about_every_case(engine: EmbeddedEngine) -> None:
    questions = cases()
    allowed = await by_rules(RULES, questions)
    for name, other in (
        ("embedded", await embedded(engine, REGO, questions)),
        ("opa", await real(REGO, questions)),
    ):
        found = differing(allowed, other)
        assert not found, (name, [(document(questions[one]), allowed[one]) for one in found[:3]])
    assert Counter(allowed)[True] > CASES / 4
    assert Counter(allowed)[False] > CASES / 4


async def test_each_rule_matters_to_some_case() -> None:
    questions = cases()
    allowed = await by_rules(RULES, questions)
    for dropped in RULES:
        rest = [one for one in RULES if one is not dropped]
        assert differing(allowed, await by_rules(rest, questions)), dropped.name


MUTATIONS: Final = (
    ("hour < 18", "hour < 19"),
    (">= 570", ">= 571"),
    (">= 22", ">= 23"),
    ("< 6", "<= 6"),
    ('"Saturday"', '"Sunday"'),
    ("<= data.small", "< data.small"),
    ("> data.large", ">= data.large"),
    ("not is_number(amount)", "is_string(amount)"),
    ('input.ip == ""\n\tinput.action == "invoke"', 'input.ip == ""'),
    ("203.0.113.0/24", "203.0.113.0/30"),
    ("small_or_unknown if input.action", "small_or_unknown if input.kind"),
    ('input.user == "mallory"', 'input.user == "malory"'),
    ('"Asia/Kolkata"])\n', '"UTC"])\n'),
    ("\tnot home_currency", "\tinput.arguments.currency\n\tnot home_currency"),
    ('startswith(input.tool.name, "list_")', 'contains(input.tool.name, "_")'),
)


async def test_a_change_to_the_rego_is_noticed(engine: EmbeddedEngine) -> None:
    questions = cases()
    allowed = await by_rules(RULES, questions)
    for old, new in MUTATIONS:
        assert REGO.count(old) == 1, old
        assert differing(allowed, await embedded(engine, REGO.replace(old, new), questions)), (
            old,
            new,
        )


async def test_a_change_to_what_opa_has_is_noticed() -> None:
    questions = cases()
    allowed = await by_rules(RULES, questions)
    old, new = MUTATIONS[0]
    assert differing(allowed, await real(REGO.replace(old, new), questions))


async def test_a_change_to_the_rules_is_noticed(engine: EmbeddedEngine) -> None:
    questions = cases()
    allowed = await embedded(engine, REGO, questions)
    late = replace(OFFICE_HOURS, end_minute=19 * 60)
    changed = [
        replace(one, windows=(late,)) if one.windows == (OFFICE_HOURS,) else one for one in RULES
    ]
    assert differing(allowed, await by_rules(changed, questions))

from dataclasses import replace
from typing import Any

import pytest

from bascule.gateway.decision import Circumstances, Question, Step
from bascule.gateway.rule import (
    Action,
    ArgumentTest,
    Effect,
    Operator,
    Rule,
    RuleKind,
    TimeWindow,
)
from bascule.gateway.tool import RiskLevel
from bascule.policy.access import Access
from fakes.catalogue import make_principal, make_snapshot, make_tool
from fakes.decisions import MOMENT

USER = frozenset({"user"})
TOOL = replace(make_tool("pay"), tags=("money",))
AMOUNT = (ArgumentTest(("amount",), Operator.ABOVE, 100),)


def rule(name: str = "r", effect: Effect = Effect.ALLOW, **members: Any) -> Rule:
    return Rule(name, effect, **{"roles": USER, **members})


def steps(
    *rules: Rule,
    arguments: Any = None,
    tool: Any = TOOL,
    action: Action = Action.INVOKE,
    **caller: Any,
) -> dict[str, Step]:
    access = Access(make_snapshot([tool], rules=rules))
    question = Question(
        make_principal(**caller), tool, action, Circumstances(MOMENT, "10.0.0.1", arguments)
    )
    decision = access.weigh(question, steps=True)
    assert decision is not None
    return {one.policy: one for one in decision.steps}


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (rule(actions=frozenset({Action.DISCOVER})), "not about invoke"),
        (rule(roles=frozenset()), "about nobody"),
        (rule(roles=frozenset({"boss"})), "the roles boss; the caller has user"),
        (rule(users=frozenset({"eve"})), "the users eve"),
        (rule(groups=frozenset({"night"})), "the groups night; the caller has none"),
        (rule(agents=frozenset({"claude"})), "the agents claude"),
        (rule(bundles=frozenset({"desk"})), "the bundles desk, not booking"),
        (rule(risks=frozenset({RiskLevel.WRITE})), "the risks write, not read"),
        (rule(tags=frozenset({"pii"})), "the tags pii"),
        (rule(tools=frozenset({"refund", "get_*"})), "it names get_*, refund"),
        (rule(kind=RuleKind.RATE_LIMIT), "how often"),
        (rule(windows=(TimeWindow(end_minute=5),)), "time does not fit"),
        (rule(networks=frozenset({"192.0.2.0/24"})), "ip does not fit"),
        (rule(arguments=AMOUNT), "arguments.amount does not fit"),
    ],
)
def test_a_rule_that_does_not_apply_says_why(one: Rule, why: str) -> None:
    step = steps(one, arguments={"amount": 5})["r"]
    assert step.applied is False
    assert why in step.why


def test_what_applies_says_on_what() -> None:
    found = steps(
        rule("plain"),
        rule("big", Effect.ELEVATE, arguments=AMOUNT),
        rule("on", kind=RuleKind.ALLOW_LIST, tools=frozenset({"pay"})),
        rule("off", kind=RuleKind.ALLOW_LIST, tools=frozenset({"other"})),
        arguments={"amount": 500},
    )
    assert all(one.applied for one in found.values())
    assert found["plain"].why == "caller and subject match"
    assert found["big"].why == "caller and subject match; arguments.amount fits"
    assert (found["on"].effect, found["off"].effect) == ("allow", "deny")
    assert "not on this list" in found["off"].why


@pytest.mark.parametrize(
    ("arguments", "effect", "counts"),
    [
        (None, Effect.ALLOW, "counts as applying"),
        (None, Effect.DENY, "counts as not applying"),
        ({"amount": "9"}, Effect.ALLOW, "counts as not applying"),
        ({"amount": "9"}, Effect.DENY, "counts as applying"),
    ],
)
def test_what_cannot_be_told_says_for_whom_it_counts(
    arguments: Any, effect: Effect, counts: str
) -> None:
    step = steps(rule(effect=effect, arguments=AMOUNT), arguments=arguments)["r"]
    assert step.applied is None
    assert counts in step.why


def test_what_is_built_in_is_told_as_well() -> None:
    assert "builtin:default-deny" in steps()
    privileged = replace(TOOL, risk=RiskLevel.PRIVILEGED)
    found = steps(tool=privileged, roles=("admin",))
    assert list(found) == ["builtin:admin", "builtin:privileged"]
    (lacking,) = steps(rule(), permissions=()).values()
    assert (lacking.policy, lacking.effect) == ("builtin:needs tools:execute", "deny")


def test_rego_without_an_engine_says_so() -> None:
    step = steps(rule(kind=RuleKind.REGO))["r"]
    assert (step.effect, step.applied) == ("deny", True)
    assert "nothing evaluates Rego here" in step.why


def test_elevation_is_nothing_when_things_are_looked_at() -> None:
    step = steps(rule(effect=Effect.ELEVATE), action=Action.DISCOVER)["r"]
    assert step.applied is False
    assert "used" in step.why

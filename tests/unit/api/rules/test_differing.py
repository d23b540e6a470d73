"""A difference of policies is a few lines that people read."""

import json
from dataclasses import replace
from typing import Any

from bascule.api.rules.differing import lines_of, state_in
from bascule.gateway.rego import RegoDocument
from bascule.gateway.rule import (
    ArgumentTest,
    Effect,
    Operator,
    Per,
    Rate,
    Rule,
    RuleKind,
    TimeWindow,
)
from bascule.storage.documents import PolicyState, policy_document
from bascule.storage.repositories.policy_changes import Alteration

RULE = Rule("one", Effect.ALLOW, frozenset({"user"}), tools=frozenset({"b", "a"}))


def lines(before: Rule | None, after: Rule | None, **states: Any) -> list[str]:
    was = None if before is None else policy_document(PolicyState(before))
    now = None if after is None else policy_document(PolicyState(after, **states))
    return lines_of(Alteration("one", was, now))


def rego(module: str, data: object = None, digest: str = "d") -> Rule:
    document = RegoDocument(digest, {"authz.rego": module}, json.dumps(data or {}))
    return Rule("one", Effect.DENY, frozenset(), kind=RuleKind.REGO, rego=document)


def test_what_is_new_is_told_whole_and_so_is_what_is_gone() -> None:
    added = lines(None, RULE)
    assert added == [
        "+ type: rbac",
        "+ effect: allow",
        "+ roles: user",
        "+ actions: discover, invoke",
        "+ tools: a, b",
    ]
    assert lines(RULE, None) == [f"-{line[1:]}" for line in added]


def test_of_a_change_only_what_changed_is_told() -> None:
    after = replace(RULE, effect=Effect.DENY, priority=5, tools=frozenset({"a", "c"}), public="No.")
    assert lines(RULE, after, description="Why.", is_active=False) == [
        "~ effect: allow -> deny",
        "~ priority: 0 -> 5",
        "~ active: yes -> no",
        "~ public: nothing -> No.",
        "~ description: nothing -> Why.",
        "- tools: b",
        "+ tools: c",
    ]


def test_conditions_and_rates_are_told_in_words() -> None:
    after = replace(
        RULE,
        windows=(TimeWindow(frozenset({0}), 60, 120),),
        networks=frozenset({"10.0.0.0/8"}),
        arguments=(
            ArgumentTest(("a", "*"), Operator.IN, ["ü", 1]),
            ArgumentTest(("a.b",), Operator.PRESENT),
        ),
        rate=Rate(5, 1.5, frozenset({Per.USER, Per.AGENT})),
    )
    assert lines(RULE, after) == [
        "~ rate: nothing -> 5 in 1.5 s per agent, user",
        "+ networks: 10.0.0.0/8",
        "+ windows: mon 01:00-02:00 UTC",
        '+ arguments: a.* in ["ü", 1], ["a.b"] present null',
    ]


def test_of_rego_the_lines_are_told_that_changed() -> None:
    before, after = "package a\nx := 1\n", "package a\nx := 2\n"
    assert lines(rego(before), rego(after, {"n": [1]}, "e")) == [
        "~ authz.rego: -2 +2",
        "- authz.rego: x := 1",
        "+ authz.rego: x := 2",
        "~ data.json: -1 +1,5",
        "- data.json: {}",
        "+ data.json: {",
        '+ data.json:  "n": [',
        "+ data.json:   1",
        "+ data.json:  ]",
        "+ data.json: }",
    ]


def test_what_is_long_is_cut() -> None:
    told = lines(rego(""), rego("\n".join(f"x{number} := 1" for number in range(900)), digest="e"))
    assert (len(told), told[-1]) == (501, "... and 401 lines more")
    told = lines(rego(""), rego("x\n" * 5000, digest="e"))
    assert told == ["~ authz.rego: 0 lines -> 5000 lines"]
    told = lines(RULE, replace(RULE, public="x" * 1000))
    assert len(told[0]) == 303


def test_what_cannot_be_read_is_told_as_such() -> None:
    odd: dict[str, Any] = {"type": "from the future"}
    assert state_in("one", odd) is None
    assert state_in("one", None) is None
    assert lines_of(Alteration("one", odd, None)) == ["~ one cannot be read"]
    assert "+ effect: allow" in lines_of(Alteration("one", odd, policy_document(PolicyState(RULE))))

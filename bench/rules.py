"""Made-up policies of every native kind: a number always gives the same one.

None is about the tools that are called, as most of ten thousand are not: what is measured is that
they cost nothing.
"""

import random
from collections.abc import Iterator
from typing import Any, Final

from bascule.gateway.rule import (
    Action,
    ArgumentTest,
    Effect,
    Operator,
    Per,
    Rate,
    Rule,
    RuleKind,
    TimeWindow,
)
from bascule.gateway.tool import RiskLevel

REGO_POLICY: Final[dict[str, Any]] = {
    "name": "bench-rego",
    "type": "rego",
    "rego": {
        "modules": {
            "bench.rego": "package bascule.authz\n\nimport rego.v1\n\ndefault allow := false\n\n"
            'allow if {\n\t"user" in input.roles\n\tinput.tool.bundle == data.bundle\n}\n'
        },
        "data": {"bundle": "bench"},
    },
}
"""Answers by the roles and the bundle alone, so that one answer holds for all calls."""

_ROLES: Final = ("user", "operator", "auditor", "developer")
_KINDS: Final = (
    *([RuleKind.RBAC] * 5), *([RuleKind.CONDITION] * 2), RuleKind.DENY_LIST, RuleKind.ALLOW_LIST,
    RuleKind.RATE_LIMIT,
)  # fmt: skip


def make_rules(count: int) -> Iterator[Rule]:
    """`count` rules about tools that are not called."""
    return map(_rule, range(count))


def _rule(number: int) -> Rule:
    chance = random.Random(number)
    kind = chance.choice(_KINDS)
    conditioned = kind is RuleKind.CONDITION
    service = f"service-{number % 100:02}"
    # One in ten is about names that begin alike, not about one name.
    named = f"tool_{number}_*" if number % 10 == 0 else f"tool_{number}"
    return Rule(
        f"made-up-{number:05}",
        chance.choice((Effect.ALLOW, Effect.ALLOW, Effect.DENY)),
        frozenset({chance.choice(_ROLES)}),
        actions=chance.choice((frozenset(Action), frozenset({Action.INVOKE}))),
        bundles=frozenset({service}) if kind is RuleKind.ALLOW_LIST or number % 3 else frozenset(),
        tools=frozenset({named}),
        risks=frozenset({RiskLevel.WRITE}) if number % 7 == 0 else frozenset(),
        priority=chance.randint(-10, 10),
        kind=kind,
        tags=frozenset({"pii"}) if number % 11 == 0 else frozenset(),
        windows=(TimeWindow(start_minute=480, end_minute=1080),) if conditioned else (),
        networks=frozenset({"10.0.0.0/8"}) if conditioned and number % 2 else frozenset(),
        arguments=(_AMOUNT,) if conditioned else (),
        rate=Rate(60, 60.0, frozenset({Per.USER})) if kind is RuleKind.RATE_LIMIT else None,
    )


_AMOUNT: Final = ArgumentTest(("amount",), Operator.ABOVE, 10_000)

from dataclasses import replace
from typing import Any

import pytest

from bascule.gateway.rule import Effect, Rule, RuleKind
from bascule.gateway.whom import concerns
from fakes.catalogue import make_principal

ANN = replace(make_principal(), groups=frozenset({"night"}), agent="claude")


def rule(**members: Any) -> Rule:
    return Rule("r", Effect.ALLOW, **{"roles": frozenset({"user"}), **members})


@pytest.mark.parametrize("kind", RuleKind)
def test_without_roles_a_rule_is_about_everybody_unless_it_is_of_roles(kind: RuleKind) -> None:
    everybody = rule(roles=frozenset(), kind=kind)
    assert concerns(everybody, ANN) is (kind is not RuleKind.RBAC)
    assert concerns(rule(kind=kind), ANN)
    assert not concerns(rule(roles=frozenset({"boss"}), kind=kind), ANN)


@pytest.mark.parametrize(
    ("member", "matching"), [("users", "ann"), ("groups", "night"), ("agents", "claude")]
)
def test_whoever_is_named_must_be_the_caller(member: str, matching: str) -> None:
    assert concerns(rule(**{member: frozenset({matching, "other"})}), ANN)
    assert not concerns(rule(**{member: frozenset({"other"})}), ANN)
    nobody = replace(ANN, subject="eve", groups=frozenset(), agent=None)
    assert not concerns(rule(**{member: frozenset({matching})}), nobody)


def test_every_way_of_saying_who_must_match() -> None:
    both = rule(users=frozenset({"ann"}), groups=frozenset({"day"}))
    assert not concerns(both, ANN)

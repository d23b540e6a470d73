from dataclasses import replace
from typing import Any

import pytest

from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.policy.access import Access
from bascule.policy.kinds import NOBODY_NAMED, Names
from fakes.catalogue import make_principal, make_snapshot, make_tool
from fakes.decisions import decided

ANN = replace(make_principal("ann"), groups=frozenset({"night", "unheard-of"}), agent="claude")
BOB = replace(make_principal("bob"), groups=frozenset({"unheard-of"}), agent="other")
EVERYBODY = Rule("all", Effect.ALLOW, frozenset({"user"}))


def deny(**members: Any) -> Rule:
    return Rule("no", Effect.DENY, frozenset(), kind=RuleKind.CONDITION, **members)


def test_where_no_rule_names_anybody_all_callers_with_the_same_roles_are_one_kind() -> None:
    assert not Names([EVERYBODY])
    access = Access(make_snapshot([make_tool()]))
    assert access.reach(ANN) is access.reach(BOB)
    assert access.kind(ANN)[-1] == NOBODY_NAMED


@pytest.mark.parametrize(
    ("member", "named"), [("users", "ann"), ("groups", "night"), ("agents", "claude")]
)
def test_who_is_named_is_a_kind_of_its_own_and_all_others_are_one(member: str, named: str) -> None:
    rules = [EVERYBODY, deny(**{member: frozenset({named})})]
    access = Access(make_snapshot([make_tool()], rules=rules))
    eve = replace(make_principal("eve"), agent="third")
    for first in (ANN, BOB, eve):
        assert list(access.reach(first).visible) == ([] if first is ANN else ["get_slots"])
        assert decided(access, first, make_tool(), Action.INVOKE).allowed is (first is not ANN)
    assert access.reach(BOB) is access.reach(eve)


def test_names_of_another_tenant_make_no_difference() -> None:
    rules = [EVERYBODY, deny(users=frozenset({"ann"}))]
    access = Access(make_snapshot([make_tool()], rules=rules))
    foreign = [replace(one, tenant="globex") for one in (ANN, BOB)]
    assert access.reach(foreign[0]) is access.reach(foreign[1])

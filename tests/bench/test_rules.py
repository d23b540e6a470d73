"""Made-up rules are of every native kind, and about nothing that is called."""

from bascule.gateway.rule import Action, RuleKind
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.policy.access import Access
from bench.rules import make_rules
from fakes.catalogue import TENANT, allow_everything, make_principal, make_tool


def test_a_number_always_gives_the_same_rule_and_all_native_kinds_are_there() -> None:
    rules = list(make_rules(2000))
    assert rules == list(make_rules(2000))
    assert len({one.name for one in rules}) == 2000
    assert {one.kind for one in rules} == set(RuleKind) - {RuleKind.REGO}


def test_they_change_nothing_for_what_is_called() -> None:
    tool = make_tool("find_customer", bundle="bench")
    rules = (allow_everything(), *make_rules(2000))
    access = Access(Snapshot(1, {TENANT: TenantView(TENANT, {tool.name: tool}, rules=rules)}))
    reach = access.reach(make_principal())
    assert reach.invocable.get("find_customer") == "allow-everything"
    decision = access.settled(make_principal(), tool, Action.INVOKE)
    assert decision is not None

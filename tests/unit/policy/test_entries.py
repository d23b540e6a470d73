from dataclasses import replace
from typing import Any

from bascule.gateway.rego import RegoDocument
from bascule.gateway.rule import (
    Action,
    ArgumentTest,
    Effect,
    Operator,
    Rule,
    RuleKind,
    TimeWindow,
)
from bascule.policy.entries import (
    OPA_RULE,
    Entry,
    Part,
    entries_of,
    inputs_of_what,
    inputs_of_when,
    inputs_of_whom,
)
from bascule.policy.subjects import faces_of
from fakes.catalogue import make_tool

FACES = faces_of(make_tool("book"))
TEST = ArgumentTest(("amount",), Operator.ABOVE, 5)
SEEN, USED = Action.DISCOVER, Action.INVOKE


def entry(kind: RuleKind = RuleKind.RBAC, effect: Effect = Effect.ALLOW, **members: Any) -> Entry:
    return Entry(Rule("r", effect, frozenset({"user"}), kind=kind, **members))


def part(one: Entry, action: Action = USED) -> Part | None:
    bearing = one.bearing(FACES, action)
    return None if bearing is None else bearing.part


def test_each_kind_does_what_it_is_for() -> None:
    book, other = frozenset({"book"}), frozenset({"other"})
    assert part(entry()) is Part.GIVES
    assert part(entry(effect=Effect.DENY)) is Part.DENIES
    assert part(entry(effect=Effect.ELEVATE)) is Part.ELEVATES
    assert part(entry(tools=other)) is None
    assert part(entry(RuleKind.DENY_LIST, tools=book)) is Part.DENIES
    assert part(entry(RuleKind.DENY_LIST, tools=other)) is None
    assert part(entry(RuleKind.ALLOW_LIST, tools=book)) is Part.LISTED
    assert part(entry(RuleKind.ALLOW_LIST, Effect.DENY, tools=other)) is Part.UNLISTED
    assert part(entry(RuleKind.ALLOW_LIST, tools=other, bundles=frozenset({"desk"}))) is None
    assert part(entry(RuleKind.ALLOW_LIST, prompts=frozenset({"p"}))) is Part.UNLISTED
    assert part(entry(RuleKind.RATE_LIMIT)) is None
    assert part(entry(RuleKind.REGO)) is Part.ASKS


def test_nobody_is_elevated_to_see_and_arguments_come_with_the_use() -> None:
    assert part(entry(effect=Effect.ELEVATE), SEEN) is None
    assert part(entry(effect=Effect.DENY, arguments=(TEST,)), SEEN) is None
    gives = entry(arguments=(TEST,)).bearing(FACES, SEEN)
    assert gives is not None
    assert gives.when is None
    used = entry(arguments=(TEST,)).bearing(FACES, USED)
    assert used is not None
    assert used.when is not None
    asks = entry(RuleKind.REGO, arguments=(TEST,)).bearing(FACES, SEEN)
    assert asks is not None
    assert (asks.opens, asks.closes) == (True, False)


def test_rules_are_in_the_order_in_which_they_are_named_and_opa_is_last() -> None:
    rules = [Rule(name, Effect.ALLOW, frozenset(), priority=one) for name, one in
             (("a", 1), ("b", 1), ("z", -(2**40)), ("c", 2))]  # fmt: skip
    assert [one.rule.name for one in entries_of(rules, opa=True)] == ["c", "b", "a", "z", OPA_RULE]
    assert len(entries_of(rules, opa=False)) == 4


def test_only_exact_names_narrow_down_what_a_rule_can_be_about() -> None:
    names = frozenset({"book", "pay"})
    assert entry(tools=names).exact == names
    assert entry(tools=names | {"get_*"}).exact is None
    assert entry().exact is None
    assert entry(RuleKind.ALLOW_LIST, tools=names).exact is None
    assert entry(prompts=names).exact == frozenset()


def test_what_a_rule_comes_to_is_made_once() -> None:
    one = entry(RuleKind.ALLOW_LIST, tools=frozenset({"book"}), windows=(TimeWindow(),))
    assert one.barring is one.barring
    assert one.barring.rule.tools == frozenset()
    assert one.barring.is_denial
    assert one.giving.rule.tools == {"book"}
    assert not one.opening.is_denial
    assert one.giving.when is None


def test_a_rule_says_what_it_looks_at() -> None:
    rule = Rule(
        "r", Effect.ALLOW, frozenset({"user"}), users=frozenset({"a"}), groups=frozenset({"g"}),
        agents=frozenset({"c"}), bundles=frozenset({"b"}), tools=frozenset({"t"}),
        tags=frozenset({"x"}), arguments=(TEST,), windows=(TimeWindow(),),
        networks=frozenset({"::/0"}),
    )  # fmt: skip
    assert inputs_of_whom(rule) == ["agent", "groups", "user"]
    assert inputs_of_what(rule) == ("tool.bundle", "tool.name", "tool.tags")
    assert inputs_of_when(rule, USED) == {"time", "ip", "arguments.amount"}
    assert inputs_of_when(rule, SEEN) == {"time", "ip"}
    reads = frozenset({("arguments", "amount"), ("tool", "risk")})
    document = RegoDocument("d", {}, reads=reads, uses_time=True)
    rego = replace(rule, kind=RuleKind.REGO, rego=document, arguments=(), windows=())
    assert inputs_of_when(rego, USED) == {"arguments.amount", "tool.risk", "time", "ip"}
    anything = replace(rego, rego=replace(document, reads=None))
    assert {"tool", "arguments", "user"} <= inputs_of_when(anything, USED)
    assert "arguments" not in inputs_of_when(anything, SEEN)

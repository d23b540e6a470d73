from dataclasses import replace

from bascule.gateway.rule import Action, ArgumentTest, Effect, Operator, Rule, TimeWindow
from bascule.gateway.tool import RiskLevel
from bascule.policy.books import Book, Index, lacks
from bascule.policy.entries import entries_of
from bascule.policy.subjects import faces_of
from fakes.catalogue import make_principal, make_tool

USER = frozenset({"user"})
USED = Action.INVOKE


def book(*rules: Rule, action: Action = USED, elevates: bool = False) -> Book:
    entries = entries_of(rules, opa=False)
    return Book(Index(entries, action), make_principal(), version=5, elevates=elevates)


def exact(name: str, priority: int = 0) -> Rule:
    return Rule(f"of {name}", Effect.ALLOW, USER, tools=frozenset({name}), priority=priority)


def test_only_rules_that_can_be_about_a_tool_are_looked_at_in_their_order() -> None:
    many = [exact(f"tool_{number}") for number in range(1000)]
    pattern = Rule("pattern", Effect.ALLOW, USER, tools=frozenset({"tool_7*"}), priority=-1)
    other = Rule("other", Effect.DENY, frozenset({"boss"}))
    found = book(*many, exact("tool_7", 3), pattern, other).matter(faces_of(make_tool("tool_7")))
    assert [one.rule.name for one in found.bearings] == ["of tool_7", "of tool_7", "pattern"]
    assert found.version == 5


def test_inputs_are_what_was_looked_at_and_what_will_be() -> None:
    amount = (ArgumentTest(("amount",), Operator.ABOVE, 5),)
    rules = [
        Rule("a", Effect.ALLOW, USER, tools=frozenset({"book"}), arguments=amount),
        Rule("b", Effect.DENY, USER, tools=frozenset({"other"}), windows=(TimeWindow(),)),
        Rule("c", Effect.DENY, frozenset({"boss"}), bundles=frozenset({"x"})),
        Rule("d", Effect.DENY, USER, users=frozenset({"eve"}), risks=frozenset(RiskLevel)),
    ]
    matter = book(*rules).matter(faces_of(make_tool("book")))
    assert matter.inputs == ("arguments.amount", "roles", "tool.name", "user")
    seen = book(*rules, action=Action.DISCOVER).matter(faces_of(make_tool("book")))
    assert "arguments.amount" not in seen.inputs


def test_privileged_tools_are_held_back_where_that_is_asked_for() -> None:
    privileged = make_tool("drop", risk=RiskLevel.PRIVILEGED)
    for elevates, action, held in (
        (True, USED, True), (False, USED, False), (True, Action.DISCOVER, False),
    ):  # fmt: skip
        matter = book(elevates=elevates, action=action).matter(faces_of(privileged))
        assert matter.holds_back is held
    assert not book(elevates=True).matter(faces_of(make_tool())).holds_back


def test_a_missing_permission_is_named() -> None:
    nobody = replace(make_principal(), permissions=frozenset())
    assert lacks(nobody, USED) == "builtin:needs tools:execute"
    assert lacks(make_principal(), USED) == ""

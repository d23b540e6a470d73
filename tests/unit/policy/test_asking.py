from collections.abc import Sequence
from dataclasses import replace

import pytest

from bascule.gateway.decision import Question
from bascule.gateway.rego import RegoAnswer, RegoDocument
from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.policy.access import Access
from bascule.policy.asking import NO_ENGINE, ask_all, knowing
from fakes.catalogue import make_principal, make_snapshot, make_tool
from fakes.decisions import NOW

FIRST = Rule("first", Effect.ALLOW, frozenset(), kind=RuleKind.REGO, priority=2)
SECOND = Rule("second", Effect.ALLOW, frozenset(), kind=RuleKind.REGO)
DENY = Rule("no", Effect.DENY, frozenset({"user"}), tools=frozenset({"b"}), priority=1)
TOOLS = [make_tool("a"), make_tool("b")]
A, B = (Question(make_principal(), one, Action.INVOKE, NOW) for one in TOOLS)
YES = RegoAnswer(allow=True)


class Rego:
    """Says yes, and remembers what it was asked; `known` from the start."""

    def __init__(self, *, known: RegoAnswer | None = None, short: bool = False) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self._known = known
        self._short = short

    def known(self, rule: Rule, question: Question) -> RegoAnswer | None:
        return self._known

    async def ask(
        self, rule: Rule, questions: Sequence[Question], deadline: float
    ) -> list[RegoAnswer]:
        self.asked.append((rule.name, [one.subject.name for one in questions]))
        return [] if self._short else [YES for _ in questions]


async def test_each_rule_is_asked_once_about_all_it_has_to_say_something_about() -> None:
    rego = Rego()
    found = await ask_all(rego, [(A, [FIRST, SECOND]), (B, [FIRST])], 1.0)
    assert rego.asked == [("first", ["a", "b"]), ("second", ["a"])]
    assert found == [{id(FIRST): YES, id(SECOND): YES}, {id(FIRST): YES}]


async def test_an_engine_that_leaves_answers_out_has_answered_nothing() -> None:
    assert await ask_all(Rego(short=True), [(A, [FIRST])], 1.0) == [{id(FIRST): NO_ENGINE}]


def test_what_was_just_said_goes_before_what_was_known() -> None:
    rego = Rego(known=RegoAnswer(allow=False))
    assert knowing(rego, A, {id(FIRST): YES})(FIRST) == YES
    assert knowing(rego, A)(FIRST) == RegoAnswer(allow=False)
    assert knowing(None, A)(FIRST) == NO_ENGINE


async def test_rego_is_not_asked_where_it_changes_nothing() -> None:
    """A higher deny is named whatever lower rules say; explaining asks all of them."""
    rego = Rego()
    access = Access(make_snapshot(TOOLS, rules=[FIRST, SECOND, DENY]), rego=rego)
    assert access.weigh(B) is None
    decisions = await access.decide_many([A, B], deadline=1.0)
    assert [one.rule for one in decisions] == ["first", "no"]
    assert sorted(rego.asked) == [("first", ["a", "b"]), ("second", ["a"])]
    rego.asked.clear()
    await access.decide_use(B, deadline=1.0, steps=True)
    assert sorted(name for name, _ in rego.asked) == ["first", "second"]


async def test_without_an_engine_rules_in_rego_deny() -> None:
    access = Access(make_snapshot(TOOLS, rules=[SECOND]))
    decision = await access.decide_use(A, deadline=1.0)
    assert (decision.effect, decision.rule) == (Effect.DENY, "second")
    assert "Rego" in decision.private


async def test_an_opa_server_is_asked_about_every_use_in_every_tenant() -> None:
    rego = Rego()
    access = Access(make_snapshot(TOOLS, rules=[]), rego=rego, opa=True)
    assert (await access.decide_use(A, deadline=1.0)).rule == "builtin:opa"
    stranger = replace(A, principal=replace(A.principal, tenant="globex"))
    assert (await access.decide_use(stranger, deadline=1.0)).rule == "builtin:opa"
    assert [name for name, _ in rego.asked] == ["builtin:opa", "builtin:opa"]


def about_whom_and_what(*reads: tuple[str, ...], uses_time: bool = False) -> Rule:
    document = RegoDocument("d", {}, reads=frozenset(reads), uses_time=uses_time)
    return Rule("rego", Effect.ALLOW, frozenset(), kind=RuleKind.REGO, rego=document)


@pytest.mark.parametrize(
    ("rule", "lasts"),
    [
        (about_whom_and_what(("roles",), ("tool", "bundle")), True),
        (about_whom_and_what(), True),
        (about_whom_and_what(("roles",), ("arguments", "amount")), False),
        (about_whom_and_what(("ip",)), False),
        (about_whom_and_what(("time",)), False),
        (about_whom_and_what(()), False),
        (about_whom_and_what(("roles",), uses_time=True), False),
        (replace(about_whom_and_what(("roles",)), networks=frozenset({"10.0.0.0/8"})), False),
        (Rule("rego", Effect.ALLOW, frozenset(), kind=RuleKind.REGO), False),
    ],
)
async def test_what_rego_says_of_a_caller_and_a_tool_alone_is_kept_as_a_whole(
    rule: Rule, lasts: bool
) -> None:
    asked, knows = Rego(), Rego(known=YES)
    snapshot, principal, tool = make_snapshot(TOOLS, rules=[rule]), A.principal, TOOLS[0]
    circumstances = replace(A.circumstances, peer="10.0.0.1", arguments={"amount": 1})
    access = Access(snapshot, rego=asked)
    assert access.at_once(principal, tool, circumstances) == (None, None)
    assert access.lasting(principal, tool) is None, "nobody was asked yet"
    access = Access(snapshot, rego=knows)
    _, used = access.at_once(principal, tool, circumstances)
    assert used is not None
    assert used.allowed
    assert access.lasting(principal, tool) == (used if lasts else None)
    assert access.varies(principal, tool, Action.INVOKE) is not lasts
    assert access.lasting(replace(principal), tool) is None, "of another caller nothing is known"
    assert access.lasting(principal, TOOLS[1]) is None

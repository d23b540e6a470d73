import time
from collections.abc import Sequence
from typing import Any

import pytest

from bascule.gateway.decision import Question
from bascule.gateway.rego import RegoAnswer, RegoDocument
from bascule.gateway.rule import Action, ArgumentTest, Effect, Operator, Rule, RuleKind
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import RiskLevel
from bascule.policy.access import Access
from bascule.policy.explaining import Explanation, explain
from bascule.policy.hypothetical import Case, question_of
from fakes.catalogue import make_tool

ROLES = {
    "user": frozenset({"tools:list", "tools:execute"}),
    "clerk": frozenset({"tools:list", "tools:execute"}),
    "viewer": frozenset({"tools:list"}),
    "admin": frozenset({"tools:list", "tools:execute"}),
}
TOOLS = {
    one.name: one
    for one in (make_tool("pay"), make_tool("refund"), make_tool("wipe", risk=RiskLevel.PRIVILEGED))
}
USERS = Rule("users", Effect.ALLOW, frozenset({"user"}))
ASK = Rule("ask", Effect.ELEVATE, frozenset({"user"}))


def told(
    *rules: Rule, tool: str = "pay", most: int = 100, says: RegoAnswer | None = None, **case: Any
) -> Explanation:
    view = TenantView("acme", tools=TOOLS, rules=rules, roles=ROLES)
    question = question_of(view, Case(tool, **{"roles": ("user",), **case}))
    access = Access(Snapshot(1, {"acme": view}), rego=None if says is None else Saying(says))
    decision = access.weigh(question, steps=True)
    assert decision is not None
    return explain(view, question, decision, most)


class Saying:
    """Rego that says always the same, and is always known."""

    def __init__(self, answer: RegoAnswer) -> None:
        self._answer = answer

    def known(self, rule: Rule, question: Question) -> RegoAnswer:
        return self._answer

    async def ask(
        self, rule: Rule, questions: Sequence[Question], deadline: float
    ) -> list[RegoAnswer]:
        return [self._answer for _ in questions]


def listing(kind: RuleKind, *tools: str, **members: Any) -> Rule:
    name = members.pop("name", "list")
    return Rule(name, Effect.ALLOW, frozenset(), tools=frozenset(tools), kind=kind, **members)


def why(explanation: Explanation) -> dict[str, str]:
    return {one.policy: one.why for one in explanation.findings}


@pytest.mark.parametrize(
    ("rules", "case", "summary"),
    [
        ([USERS], {}, "A caller with the role user may call pay: the policy users allows it"),
        ([USERS], {"action": Action.DISCOVER}, "A caller with the role user may see pay: "),
        ([], {"roles": ("admin",)}, "administrators may use everything that no policy denies"),
        ([], {}, "no policy allows it, and what no policy allows is denied."),
        ([USERS], {"roles": ("viewer",)}, "the permission tools:execute is missing, whatever"),
        ([USERS], {"tool": "wipe"}, "it has the risk privileged, and such tools need one here."),
        ([USERS, ASK], {}, "the policy ask asks for one."),
        ([USERS, listing(RuleKind.DENY_LIST, "pay")], {}, "the policy list denies it."),
        ([USERS, listing(RuleKind.ALLOW_LIST, "refund")], {}, "the policy list denies it."),
    ],
)  # fmt: skip
def test_the_summary_says_what_decided(
    rules: list[Rule], case: dict[str, Any], summary: str
) -> None:
    assert summary in told(*rules, **case).summary


@pytest.mark.parametrize(
    ("case", "caller"),
    [
        ({"roles": ()}, "A caller without a role may"),
        ({"roles": ("user", "clerk")}, "A caller with the roles clerk and user may"),
        ({"groups": ("night",)}, "A caller with the role user, with the group night may"),
        ({"agent": "bot"}, "A caller with the role user, with the agent bot may"),
        ({"user": "ann"}, "ann may"),
    ],
)
def test_who_has_no_name_is_called_by_what_was_given(case: dict[str, Any], caller: str) -> None:
    assert told(USERS, **case).summary.startswith(caller)


def test_a_policy_of_several_words_is_quoted_in_sentences() -> None:
    shut = Rule("shut at night", Effect.DENY, frozenset({"user"}))
    found = told(USERS, shut)
    assert "the policy 'shut at night' denies it." in found.summary
    assert why(found)["users"] == "allows it, but that loses against 'shut at night'"
    assert "Change the policy 'shut at night':" in found.needed[0]


def test_the_policy_that_decided_comes_first_then_what_lost_to_it() -> None:
    shut = Rule("shut", Effect.DENY, frozenset({"user"}))
    too = Rule("also shut", Effect.DENY, frozenset({"user"}), priority=-1)
    other = Rule("other", Effect.ALLOW, frozenset({"clerk"}))
    found = told(other, USERS, too, shut)
    assert [one.policy for one in found.findings] == ["shut", "users", "also shut", "other"]
    assert [one.decisive for one in found.findings] == [True, False, False, False]
    assert why(found) == {
        "shut": "denies it",
        "users": "allows it, but that loses against shut",
        "also shut": "denies it, as does shut",
        "other": "does not apply: it is for the role clerk, and the caller has user",
    }
    assert found.needed == ("Change the policy shut: nothing else can outweigh a denial.",)


def test_of_two_allowances_the_one_of_higher_priority_is_named() -> None:
    first = Rule("first", Effect.ALLOW, frozenset({"user"}), priority=5)
    assert why(told(USERS, first))["users"] == "allows it, as does first"


def test_lists_say_whether_the_tool_is_on_them() -> None:
    on = listing(RuleKind.ALLOW_LIST, "pay", name="on")
    off = listing(RuleKind.ALLOW_LIST, "refund", name="off")
    both = why(told(on, off))
    assert both["on"] == "allows it: it is on this list"
    assert both["off"] == "denies it: it is not on this list, but on another one"
    alone = told(off, USERS)
    assert why(alone)["off"] == "denies it: it is not on this list"
    assert alone.needed[0] == "Put pay on the allow list off, or on another that applies."


def test_what_allows_beside_an_elevation_says_what_is_still_missing() -> None:
    said = why(told(USERS, ASK))
    assert said == {"ask": "asks for an elevation", "users": "allows it, after an elevation"}
    assert why(told(USERS, tool="wipe"))["users"] == "allows it, after an elevation"


def test_the_nearest_ways_to_be_allowed_are_named_first() -> None:
    near = Rule("near", Effect.ALLOW, frozenset({"clerk"}))
    far = Rule("far", Effect.ALLOW, frozenset({"clerk"}), users=frozenset({"eve"}))
    other = Rule("other", Effect.ALLOW, frozenset({"user"}), tools=frozenset({"refund"}))
    assert told(far, near, other).needed == (
        "The policy near would allow it: give the caller the role clerk.",
        "The policy far would allow it: give the caller the role clerk; call as eve.",
    )


def test_where_no_policy_could_allow_it_one_has_to_be_made() -> None:
    assert "make one, for a role of the caller" in told().needed[0]


def test_a_denial_that_hides_the_lack_of_an_allowance_names_both() -> None:
    shut = Rule("shut", Effect.DENY, frozenset({"user"}))
    near = Rule("near", Effect.ALLOW, frozenset({"clerk"}))
    assert len(told(shut, near).needed) == 2


def test_a_conditional_denial_says_what_it_depends_on() -> None:
    limit = Rule(
        "limit",
        Effect.DENY,
        frozenset(),
        kind=RuleKind.CONDITION,
        arguments=(ArgumentTest(("order", "amount"), Operator.ABOVE, 50),),
        networks=frozenset({"10.0.0.0/8"}),
    )
    found = told(USERS, limit, arguments={"order": {"amount": 60}}, peer="10.0.0.1")
    [needed] = found.needed
    assert needed.startswith("Change the policy limit, or call so that it does not apply:")
    assert needed.endswith("it depends on the argument order.amount, the address.")
    odd = told(USERS, limit, arguments={"order": {"amount": "60"}}, peer="10.0.0.1")
    assert 'whether order.amount, "60", is as it wants' in why(odd)["limit"]


def test_a_missing_permission_names_roles_that_have_it() -> None:
    found = told(USERS, roles=("viewer",))
    assert found.needed == (
        "Give the caller a role with the permission tools:execute such as admin, clerk, user.",
    )


def test_a_document_in_rego_gives_its_reason() -> None:
    judged = Rule(
        "judged", Effect.DENY, frozenset(), kind=RuleKind.REGO, rego=RegoDocument("d", {})
    )
    denied = told(USERS, judged, says=RegoAnswer(allow=False, reason="closed on Mondays"))
    assert "the policy judged denies it (closed on Mondays)" in denied.summary
    assert why(denied)["judged"] == "does not allow it (closed on Mondays)"
    assert denied.needed[0] == "The document of the policy judged would have to allow it."
    assert why(told(USERS, judged, says=RegoAnswer(allow=True)))["judged"] == "allows it"


def test_an_elevation_is_what_is_needed_where_one_is_asked_for() -> None:
    found = told(USERS, ASK)
    assert found.needed == ("Ask for an elevation for pay, and have somebody else approve it.",)
    assert why(found)["ask"] == "asks for an elevation"


def test_very_many_policies_are_counted_and_few_are_shown() -> None:
    many = [Rule(f"r{number}", Effect.ALLOW, frozenset({"clerk"})) for number in range(10_000)]
    began = time.perf_counter()
    found = told(USERS, *many, most=20)
    assert time.perf_counter() - began < 20
    assert (len(found.findings), found.left_out) == (20, 9_981)
    assert found.findings[0].policy == "users"


def test_rates_decide_nothing_and_are_not_told() -> None:
    assert not told(Rule("rate", Effect.DENY, frozenset(), kind=RuleKind.RATE_LIMIT)).findings

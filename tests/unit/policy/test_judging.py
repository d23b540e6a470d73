"""A judge's answers are those of `decide`, for any rules, callers, tools and names."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.gateway.tool import Home, RiskLevel, Tool
from bascule.policy.access import Access
from bascule.policy.entries import Entry
from bascule.policy.judging import Judge
from fakes.catalogue import TENANT, make_principal, make_snapshot, make_tool
from fakes.decisions import decide
from fakes.relayed import make_relayed

SHORT = st.sampled_from(["a", "b", "ab", "ba", "a_b", "b_a", "abb"])
LIKELY = st.sampled_from(["a", "b*", "*b", "a*", "?", "a?", "*_*", "[ab]", "*", "[!a]*", "ab"])
SERVERS = ("alpha", "booking", "fleet")
RISKS = st.sampled_from(RiskLevel)


def some(values: Sequence[str]) -> st.SearchStrategy[frozenset[str]]:
    """Often none of them, which means all."""
    return st.just(frozenset[str]()) | st.frozensets(st.sampled_from(values), max_size=2)


RULES = st.builds(
    Rule,
    name=st.sampled_from(["one", "two", "three", "four"]),
    effect=st.sampled_from([Effect.ALLOW, Effect.ALLOW, Effect.ALLOW, Effect.DENY]),
    roles=st.sampled_from([{"user"}, {"user"}, {"user", "admin"}, {"other"}]).map(frozenset),
    actions=st.just(frozenset(Action)) | st.frozensets(st.sampled_from(Action), max_size=2),
    bundles=some([*SERVERS, "desk"]),
    tools=st.frozensets(LIKELY, max_size=3),
    risks=st.just(frozenset[RiskLevel]()) | st.frozensets(RISKS, max_size=2),
    priority=st.integers(-1, 1),
    prompts=st.just(frozenset[str]()) | some(["p", "*"]),
    resources=st.just(frozenset[str]()) | some(["a://*"]),
)
PRINCIPALS = st.builds(
    make_principal,
    roles=st.sampled_from([{"user"}, {"user"}, {"user", "other"}, {"admin"}, {"user", "admin"}]),
    permissions=st.just({"tools:list", "tools:execute"})
    | some(["tools:list", "tools:execute", "system_admin"]),
)
PLAIN = st.builds(make_tool, SHORT, bundle=st.sampled_from(SERVERS), risk=RISKS)
RELAYED = st.builds(
    lambda inner, front, risk: replace(make_relayed(inner, front=front), risk=risk),
    SHORT,
    SHORT.map("x{}".format),
    RISKS,
)
BORROWED = st.builds(
    lambda tool, name: replace(tool, bundle="desk", home=Home(name, tool.bundle, {})), PLAIN, SHORT
)


@settings(max_examples=500)
@given(
    rules=st.lists(RULES, max_size=5),
    principal=PRINCIPALS,
    tools=st.lists(PLAIN | RELAYED | BORROWED, max_size=6, unique_by=lambda one: one.name),
)
def test_what_is_reached_is_what_is_decided(
    rules: list[Rule], principal: Principal, tools: list[Tool]
) -> None:
    reach = Access(make_snapshot(tools, rules=rules), elevate_privileged=False).reach(principal)
    sees = [one for one in tools if decide(rules, principal, one, Action.DISCOVER).allowed]
    calls = {
        one.name: decision.rule
        for one in sees
        if (decision := decide(rules, principal, one, Action.INVOKE)).allowed
    }
    # One by one, as calls ask, and as a whole, as lists do.
    assert [one for one in tools if reach.visible.get(one.name) is one] == sees
    assert {
        one.name: rule for one in tools if (rule := reach.invocable.get(one.name)) is not None
    } == calls
    assert list(reach.visible.values()) == sees
    assert list(reach.visible) == [one.name for one in sees]
    assert dict(reach.invocable) == calls
    renamed = {
        (one.source.upstream, one.source.name): one  # type: ignore[union-attr]
        for one in sees
        if getattr(one.source, "name", one.name) != one.name
    }
    assert dict(reach.renamed) == renamed


def judge_of(*rules: Rule, administers: bool = False) -> Judge:
    return Judge(lambda: map(Entry, rules), administers=administers, decide=lambda _: None)


def rule(effect: Effect = Effect.ALLOW, **members: frozenset[str]) -> Rule:
    return Rule("rule", effect, frozenset({"user"}), **members)  # type: ignore[arg-type]


def test_a_judge_knows_when_everything_or_nothing_is_allowed() -> None:
    some_tools = rule(tools=frozenset({"get_*"}))
    assert judge_of(rule()).allows_all
    assert judge_of(some_tools, rule()).allows_all
    assert judge_of(administers=True).allows_all
    assert not judge_of(some_tools).allows_all
    assert not judge_of(rule(), rule(Effect.DENY, tools=frozenset({"x"}))).allows_all
    assert judge_of().allows_none
    assert judge_of(rule(Effect.DENY)).allows_none
    assert judge_of(rule(prompts=frozenset({"p"}))).allows_none
    assert not judge_of(some_tools).allows_none
    assert not judge_of(administers=True).allows_none


def test_a_list_leaves_nothing_out_of_its_place_but_what_is_on_it() -> None:
    listed = Rule(
        "list", Effect.ALLOW, frozenset(), tools=frozenset({"a"}), kind=RuleKind.ALLOW_LIST
    )
    everything = judge_of(rule(), listed)
    assert not everything.allows_all
    assert len(everything.ruling("booking", RiskLevel.READ).lists) == 1
    only_prompts = replace(listed, tools=frozenset(), prompts=frozenset({"p"}))
    assert judge_of(only_prompts).allows_none


def test_rules_about_other_bundles_say_nothing_of_these() -> None:
    elsewhere = rule(bundles=frozenset({"elsewhere"}))
    assert judge_of(elsewhere).ruling("booking", RiskLevel.READ).is_plain
    assert not judge_of(elsewhere).ruling("booking", RiskLevel.READ).allows_rest
    assert judge_of(elsewhere).ruling("elsewhere", RiskLevel.READ).allows_rest


def test_what_one_tenant_s_judges_know_is_of_that_tenant() -> None:
    access = Access(make_snapshot([make_tool("a")]))
    assert "a" in access.reach(make_principal(tenant=TENANT)).visible
    assert "a" not in access.reach(make_principal(tenant="globex")).visible

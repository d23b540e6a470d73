"""A judge's answers are those of `decide`, for any rules, callers, tools and names."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect, RbacRule
from bascule.gateway.tool import Home, RiskLevel, Tool
from bascule.policy.access import Access, decide
from bascule.policy.judging import Judge, matcher_of
from fakes.catalogue import TENANT, make_principal, make_snapshot, make_tool
from fakes.relayed import make_relayed

NAMES = st.text(alphabet="ab_.*[]!-?\n", max_size=5)
PATTERNS = st.frozensets(NAMES, max_size=4)
SHORT = st.sampled_from(["a", "b", "ab", "ba", "a_b", "b_a", "abb"])
LIKELY = st.sampled_from(["a", "b*", "*b", "a*", "?", "a?", "*_*", "[ab]", "*", "[!a]*", "ab"])
SERVERS = ("alpha", "booking", "fleet")
RISKS = st.sampled_from(RiskLevel)


@given(patterns=PATTERNS, name=NAMES)
def test_a_matcher_hits_what_any_of_its_patterns_does(patterns: frozenset[str], name: str) -> None:
    matcher = matcher_of(patterns)
    hits = any(fnmatchcase(name, one) for one in patterns)
    assert matcher.hits(name) is hits
    if hits and name not in matcher.exact:
        assert name.startswith((*matcher.starts, *matcher.prefixes))


def some(values: Sequence[str]) -> st.SearchStrategy[frozenset[str]]:
    """Often none of them, which means all."""
    return st.just(frozenset[str]()) | st.frozensets(st.sampled_from(values), max_size=2)


RULES = st.builds(
    RbacRule,
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
    rules: list[RbacRule], principal: Principal, tools: list[Tool]
) -> None:
    reach = Access(make_snapshot(tools, rules=rules)).reach(principal)
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


def judge_of(*rules: RbacRule, administrator: str | None = None) -> Judge:
    return Judge(rules, administrator=administrator, decide=lambda _: None)


def rule(effect: Effect = Effect.ALLOW, **members: frozenset[str]) -> RbacRule:
    return RbacRule("rule", effect, frozenset({"user"}), **members)  # type: ignore[arg-type]


def test_a_judge_knows_when_everything_or_nothing_is_allowed() -> None:
    some_tools = rule(tools=frozenset({"get_*"}))
    assert judge_of(rule()).allows_all
    assert judge_of(some_tools, rule()).allows_all
    assert judge_of(administrator="admin").allows_all
    assert not judge_of(some_tools).allows_all
    assert not judge_of(rule(), rule(Effect.DENY, tools=frozenset({"x"}))).allows_all
    assert judge_of().allows_none
    assert judge_of(rule(Effect.DENY)).allows_none
    assert judge_of(rule(prompts=frozenset({"p"}))).allows_none
    assert not judge_of(some_tools).allows_none
    assert not judge_of(administrator="admin").allows_none


@pytest.mark.parametrize("name", ["x" * 50_000, "get_" + "ab" * 25_000])
def test_patterns_with_many_stars_do_not_take_long(name: str) -> None:
    matcher = matcher_of(frozenset({"*a*a*a*a*a*a*a*a*c", "get_*b*b*b*b*b*b*d"}))
    assert not matcher.hits(name)


def test_a_tool_that_is_no_plain_one_is_decided_by_the_rules_themselves() -> None:
    asked: list[Tool] = []

    def slowly(tool: Tool) -> str | None:
        asked.append(tool)
        return "slow"

    judge = Judge([rule()], administrator=None, decide=slowly)
    borrowed = replace(make_tool("a"), home=Home("b", "booking", {}))
    assert judge.rule_for(borrowed) == "slow"
    assert judge.rule_for(make_tool("a")) == "rule"
    assert asked == [borrowed]


def test_rules_about_other_bundles_say_nothing_of_these() -> None:
    elsewhere = rule(bundles=frozenset({"elsewhere"}))
    assert judge_of(elsewhere).ruling("booking", RiskLevel.READ).rule is None
    assert judge_of(elsewhere).ruling("elsewhere", RiskLevel.READ).rule == "rule"


def test_what_one_tenant_s_judges_know_is_of_that_tenant() -> None:
    access = Access(make_snapshot([make_tool("a")]))
    assert "a" in access.reach(make_principal(tenant=TENANT)).visible
    assert "a" not in access.reach(make_principal(tenant="globex")).visible

"""The tables against the rules, and both against a model that shares no code with them."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect, Rule
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Home, RiskLevel, Tool
from bascule.policy import access as access_room
from bascule.policy.access import Access
from bascule.policy.standpoint import Reach
from bascule.policy.weighing import ADMIN_RULE, DEFAULT_RULE
from fakes.catalogue import TENANT, make_principal, make_snapshot, make_tool
from fakes.decisions import decide, decided
from fakes.relayed import (
    make_inventory,
    make_prompt,
    make_relayed,
    make_template,
    make_view,
    snapshot_of,
)

ROLES = ["user", "viewer", "operator", "admin", "system_admin"]
NEEDED = {Action.DISCOVER: "tools:list", Action.INVOKE: "tools:execute"}
USER = frozenset({"user"})


def test_it_is_known_of_which_tools_a_use_may_need_a_grant_under_some_circumstances() -> None:
    look, wipe = make_tool("look"), make_tool("wipe", risk=RiskLevel.PRIVILEGED)
    late = Rule(
        "late", Effect.ELEVATE, USER, tools=frozenset({"lo*"}), networks=frozenset({"::/0"})
    )
    other = Rule("other", Effect.ELEVATE, frozenset({"operator"}), tools=frozenset({"look"}))
    caller = make_principal()
    for rules, privileged, expected in (
        ([], True, (False, True)),
        ([], False, (False, False)),
        ([late], False, (True, False)),
        ([other], True, (False, True)),
    ):
        snapshot = make_snapshot([look, wipe], rules=rules)
        access = Access(snapshot, elevate_privileged=privileged)
        assert (access.may_elevate(caller, look), access.may_elevate(caller, wipe)) == expected


def allow(name: str = "allow", **members: object) -> Rule:
    return Rule(name, Effect.ALLOW, **{"roles": USER, **members})  # type: ignore[arg-type]


def deny(name: str = "deny", **members: object) -> Rule:
    return Rule(name, Effect.DENY, **{"roles": USER, **members})  # type: ignore[arg-type]


def subset(chance: random.Random, values: Sequence[str]) -> frozenset[str]:
    return frozenset(value for value in values if chance.random() < 0.4)


def random_tools(chance: random.Random) -> list[Tool]:
    return [
        make_tool(
            f"{verb}_{noun}",
            bundle=chance.choice(["booking", "fleet"]),
            risk=chance.choice(list(RiskLevel)),
        )
        for verb in ("get", "set", "delete")
        for noun in ("slot", "car")
        if chance.random() < 0.8
    ]


def random_rule(chance: random.Random, number: int) -> Rule:
    return Rule(
        name=f"rule-{number}",
        effect=Effect.DENY if chance.random() < 0.3 else Effect.ALLOW,
        roles=subset(chance, ROLES),
        actions=frozenset(action for action in Action if chance.random() < 0.7),
        bundles=subset(chance, ["booking", "fleet", "gone"]),
        tools=subset(chance, ["get_slot", "set_*", "*_car", "*", "nothing"]),
        risks=frozenset(risk for risk in RiskLevel if chance.random() < 0.3),
        priority=chance.randint(-1, 1),
    )


def random_principal(chance: random.Random) -> Principal:
    return make_principal(
        roles=subset(chance, ROLES),
        permissions=subset(chance, ["tools:list", "tools:execute", "tools:list", "system_admin"])
        if chance.random() < 0.6
        else {"tools:list", "tools:execute"},
    )


def name_matches(pattern: str, name: str) -> bool:
    """Patterns of at most one star, by plain comparison."""
    head, star, tail = pattern.partition("*")
    if not star:
        return pattern == name
    return name.startswith(head) and name.endswith(tail) and len(name) >= len(head) + len(tail)


def model_allows(rules: Sequence[Rule], principal: Principal, tool: Tool, action: Action) -> bool:
    """POL.1 in the plainest words: permission, then no deny, then admin or an allow."""
    permitted = {NEEDED[action], "system_admin"} & principal.permissions
    effects: set[Effect] = set()
    for rule in rules:
        hits = [
            action in rule.actions,
            any(role in principal.roles for role in rule.roles),
            tool.bundle in rule.bundles if rule.bundles else True,
            tool.risk in rule.risks if rule.risks else True,
            any(name_matches(pattern, tool.name) for pattern in rule.tools) if rule.tools else True,
        ]
        if all(hits):
            effects.add(rule.effect)
    administers = "admin" in principal.roles or "system_admin" in principal.roles
    return (
        bool(permitted) and Effect.DENY not in effects and (administers or Effect.ALLOW in effects)
    )


def access_of(snapshot: Snapshot) -> Access:
    return Access(snapshot, elevate_privileged=False)


def reach_of(rules: Sequence[Rule], tools: Sequence[Tool], principal: Principal) -> Reach:
    return access_of(make_snapshot(tools, rules=rules)).reach(principal)


@pytest.mark.parametrize("seed", range(500))
def test_tables_rules_and_model_agree(seed: int) -> None:
    chance = random.Random(seed)
    tools = random_tools(chance)
    rules = [random_rule(chance, number) for number in range(chance.randint(0, 6))]
    access = access_of(make_snapshot(tools, rules=rules))
    for _ in range(6):
        principal = random_principal(chance)
        reach = access.reach(principal)
        seen = {t.name for t in tools if model_allows(rules, principal, t, Action.DISCOVER)}
        called = {t.name for t in tools if model_allows(rules, principal, t, Action.INVOKE)}
        assert reach.visible == {tool.name: tool for tool in tools if tool.name in seen}
        assert set(reach.invocable) == seen & called
        for tool in tools:
            for action in Action:
                decision = decide(rules, principal, tool, action)
                assert decision.allowed is model_allows(rules, principal, tool, action)
            if tool.name in reach.invocable:
                assert (
                    reach.invocable[tool.name] == decide(rules, principal, tool, Action.INVOKE).rule
                )


def test_the_random_rules_are_worth_the_name() -> None:
    """A generator that always denies would prove nothing."""
    outcomes: set[tuple[bool, bool]] = set()
    for seed in range(60):
        chance = random.Random(seed)
        tools = random_tools(chance)
        rules = [random_rule(chance, number) for number in range(chance.randint(0, 6))]
        for tool in tools:
            principal = random_principal(chance)
            outcomes.add(
                (
                    model_allows(rules, principal, tool, Action.DISCOVER),
                    model_allows(rules, principal, tool, Action.INVOKE),
                )
            )
    assert len(outcomes) == 4


def test_without_rules_nothing_is_reached() -> None:
    reach = reach_of([], [make_tool()], make_principal())
    assert (dict(reach.visible), dict(reach.invocable)) == ({}, {})
    assert decide([], make_principal(), make_tool(), Action.INVOKE).rule == DEFAULT_RULE


def test_a_rule_without_roles_matches_nobody() -> None:
    rules = [allow(roles=frozenset())]
    assert not reach_of(rules, [make_tool()], make_principal()).visible


def test_a_caller_without_roles_reaches_nothing() -> None:
    assert not reach_of([allow()], [make_tool()], make_principal(roles=())).visible


@pytest.mark.parametrize("priority", [-100, 0, 100])
@pytest.mark.parametrize("first", [True, False])
def test_deny_wins_at_any_priority_and_in_any_order(priority: int, first: bool) -> None:
    rules = [allow(priority=0), deny(priority=priority)]
    ordered = rules[::-1] if first else rules
    decision = decide(ordered, make_principal(), make_tool(), Action.INVOKE)
    assert (decision.allowed, decision.rule) == (False, "deny")


def test_deny_wins_over_an_administrator() -> None:
    principal = make_principal(roles=("admin", "user"))
    assert not decide([deny()], principal, make_tool(), Action.INVOKE).allowed


@pytest.mark.parametrize("role", ["admin", "system_admin"])
def test_an_administrator_needs_no_rule_but_the_permission(role: str) -> None:
    administrator = make_principal(roles=(role,))
    decision = decide([], administrator, make_tool(), Action.INVOKE)
    assert (decision.allowed, decision.rule) == (True, ADMIN_RULE)
    powerless = make_principal(roles=(role,), permissions=())
    assert not decide([], powerless, make_tool(), Action.INVOKE).allowed


@pytest.mark.parametrize(
    ("permissions", "visible", "invocable"),
    [
        ((), False, False),
        (("tools:list",), True, False),
        (("tools:execute",), False, False),
        (("tools:list", "tools:execute"), True, True),
    ],
)
def test_a_rule_gives_no_more_than_the_callers_permissions(
    permissions: tuple[str, ...], visible: bool, invocable: bool
) -> None:
    reach = reach_of([allow()], [make_tool()], make_principal(permissions=permissions))
    assert ("get_slots" in reach.visible) is visible
    assert ("get_slots" in reach.invocable) is invocable


def test_a_missing_permission_is_what_the_record_names() -> None:
    decision = decide([allow()], make_principal(permissions=()), make_tool(), Action.INVOKE)
    assert decision.rule == "builtin:needs tools:execute"


def test_the_rule_that_is_recorded_has_the_highest_priority_then_the_last_name() -> None:
    rules = [allow("b", priority=1), allow("c", priority=1), allow("z"), allow("a", priority=1)]
    assert decide(rules, make_principal(), make_tool(), Action.INVOKE).rule == "c"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("get_slots", True), ("get_*", True), ("GET_*", False), ("get", False), ("get_slot?", True)],
)
def test_a_tool_is_named_exactly_or_by_a_case_sensitive_pattern(
    pattern: str, matches: bool
) -> None:
    rules = [allow(tools=frozenset({pattern}))]
    assert decide(rules, make_principal(), make_tool(), Action.INVOKE).allowed is matches


def test_what_is_visible_is_in_listing_order() -> None:
    tools = [make_tool(name) for name in ("zebra", "ape", "mule")]
    assert list(reach_of([allow()], tools, make_principal()).visible) == ["zebra", "ape", "mule"]


def test_another_tenants_tools_and_rules_are_out_of_reach() -> None:
    foreign = TenantView("globex", tools={"x": make_tool("x")}, rules=(allow(),))
    own = TenantView(TENANT, tools={"y": make_tool("y")}, rules=())
    access = Access(Snapshot(1, {"globex": foreign, TENANT: own}))
    assert not access.reach(make_principal()).visible
    assert not access.reach(make_principal(tenant="unheard-of")).visible
    assert list(access.reach(make_principal(tenant="globex")).visible) == ["x"]


def test_callers_of_the_same_kind_share_a_table_and_no_others_do() -> None:
    access = Access(make_snapshot([make_tool()]))
    assert access.reach(make_principal("ann")) is access.reach(make_principal("bob"))
    assert access.reach(make_principal("ann")) is not access.reach(
        make_principal("ann", permissions={"tools:list"})
    )


def test_a_table_is_kept_when_another_is_built() -> None:
    access = Access(make_snapshot([make_tool()]))
    first = access.reach(make_principal())
    access.reach(make_principal(roles=("viewer",)))
    assert access.reach(make_principal()) is first


def test_any_number_of_kinds_of_callers_is_answered_rightly() -> None:
    """The tables are bounded: the first ones are dropped, and built again the same."""
    access = Access(make_snapshot([make_tool()]))
    for number in range(1500):
        reach = access.reach(make_principal(roles=("user", f"team-{number}")))
        assert list(reach.visible) == ["get_slots"]
    assert not access.reach(make_principal(roles=("team-0",))).visible
    assert len(access._standpoints) <= 1024


# What is no tool.


def target_of(
    uri: str = "note://x", *, kind: ItemKind = ItemKind.RESOURCE, name: str = ""
) -> Target:
    return Target(kind, "alpha", name or uri, "alpha", uri)


def access_with(*rules: Rule, view: TenantView | None = None) -> Access:
    return access_of(snapshot_of(replace(view or make_view(make_inventory()), rules=rules)))


def rule_of(effect: Effect = Effect.ALLOW, **members: Any) -> Rule:
    named = {key: frozenset(value) for key, value in members.items()}
    return Rule(f"{effect} {sorted(named)}", effect, frozenset({"user"}), **named)


def test_a_rule_that_names_nothing_is_about_everything_in_its_bundles() -> None:
    access = access_with(rule_of(bundles=["alpha"]))
    assert decided(access, make_principal(), target_of()).allowed
    beta = replace(target_of(), bundle="beta")
    assert not decided(access, make_principal(), beta).allowed


@pytest.mark.parametrize(
    ("rule", "prompt", "resource"),
    [
        (rule_of(tools=["*"]), False, False),
        (rule_of(prompts=["gr*"]), True, False),
        (rule_of(resources=["note://*"]), False, True),
        (rule_of(prompts=["other"], resources=["note://y"]), False, False),
    ],
)
def test_a_rule_that_names_one_kind_is_about_that_kind_only(
    rule: Rule, prompt: bool, resource: bool
) -> None:
    access = access_with(rule)
    greet = target_of("greet", kind=ItemKind.PROMPT)
    assert decided(access, make_principal(), greet).allowed is prompt
    assert decided(access, make_principal(), target_of()).allowed is resource


def test_a_rule_about_prompts_is_about_no_tool() -> None:
    tool = make_tool()
    rule = rule_of(prompts=["*"], resources=["*"])
    assert not decide([rule], make_principal(), tool, Action.INVOKE).allowed


def test_a_denied_uri_is_denied_in_every_spelling() -> None:
    access = access_with(rule_of(), rule_of(Effect.DENY, resources=["file:///secret*"]))
    for uri in ("file:///secret", "file:///a/../secret", "FILE:///%73ecret/x"):
        assert not decided(access, make_principal(), target_of(uri)).allowed
    assert decided(access, make_principal(), target_of("file:///open")).allowed


@pytest.mark.parametrize(
    "uri", ["file:////key", "file:/key", "file://localhost/key", "file:///key?x", "file:///key#x"]
)
def test_a_file_that_is_denied_is_so_however_it_is_addressed(uri: str) -> None:
    access = access_with(rule_of(), rule_of(Effect.DENY, resources=["file:///key"]))
    assert not decided(access, make_principal(), target_of(uri)).allowed


def test_an_allowed_uri_is_allowed_only_if_every_reading_of_it_is() -> None:
    access = access_with(rule_of(resources=["file:///open/*"]))
    assert decided(access, make_principal(), target_of("file:///open/a")).allowed
    for uri in ("file:///open/../secret", "file:///open/%2e%2e/secret"):
        assert not decided(access, make_principal(), target_of(uri)).allowed


def test_what_is_renamed_stays_under_the_rules_about_its_own_name() -> None:
    """A server cannot slip from under a rule by making another's name collide with its own."""
    tool = make_relayed("delete_all", front="alpha_delete_all")
    deny = rule_of(Effect.DENY, tools=["delete_*"], prompts=["danger"])
    assert not decide([rule_of(), deny], make_principal(), tool, Action.INVOKE).allowed
    prompt = target_of("danger", kind=ItemKind.PROMPT, name="alpha_danger")
    access = access_with(rule_of(), deny)
    assert not decided(access, make_principal(), prompt).allowed


def test_a_task_is_used_by_who_may_call_the_tool_that_began_it() -> None:
    view = make_view(make_inventory(), tools=[make_relayed("slow"), make_relayed("other")])
    access = access_with(rule_of(tools=["slow"]), view=view)
    slow = target_of("t-1", kind=ItemKind.TASK, name="slow")
    decision = decided(access, make_principal(), slow)
    assert (decision.allowed, decision.rule) == (True, "allow ['tools']")
    for name in ("other", "absent"):
        gone = target_of("t-1", kind=ItemKind.TASK, name=name)
        assert not decided(access, make_principal(), gone).allowed


def test_prompts_and_templates_are_seen_as_they_are_used() -> None:
    view = make_view(
        make_inventory(
            prompts=[make_prompt("greet"), make_prompt("hidden")],
            templates=[make_template("note://{id}"), make_template("secret://{id}")],
        )
    )
    deny = rule_of(Effect.DENY, prompts=["hidden"], resources=["secret://*"])
    access = access_with(rule_of(), deny, view=view)
    offers = access.offers(make_principal())
    assert [one.name for one in offers.prompts] == ["greet"]
    assert [one.name for one in offers.templates] == ["note://{id}"]
    assert access.offers(make_principal()) is offers
    assert access.offers(make_principal(permissions=())).prompts == ()


def test_renamed_tools_are_found_by_server_and_own_name() -> None:
    tool = make_relayed(front="alpha_search")
    view = make_view(make_inventory(), tools=[tool, make_relayed("only")])
    assert access_with(rule_of(), view=view).reach(make_principal()).renamed == {
        ("alpha", "search"): tool
    }


def test_offers_for_many_kinds_of_callers_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_room, "_MOST_TABLES", 2)
    access = access_with(rule_of())
    first = access.offers(make_principal(roles=("a",)))
    for role in "bc":
        access.offers(make_principal(roles=(role,)))
    assert access.offers(make_principal(roles=("a",))) is not first


SHOWN = replace(
    make_tool("reserve", bundle="desk", risk=RiskLevel.WRITE), home=Home("book", "booking", {})
)
BOOK = make_tool("book", risk=RiskLevel.WRITE)


@pytest.mark.parametrize(
    "rule",
    [
        rule_of(),
        rule_of(bundles=["desk"]),
        rule_of(tools=["reserve"]),
        rule_of(bundles=["booking"]),
        rule_of(tools=["book"]),
        rule_of(bundles=["desk"], tools=["book"]),
        rule_of(bundles=["booking"], tools=["book"], risks=["write"]),
    ],
)
def test_a_borrowed_tool_is_known_by_both_its_names(rule: Rule) -> None:
    """What allows either name allows it; what denies either name denies it."""
    user = make_principal()
    assert decide([rule], user, SHOWN, Action.INVOKE).allowed
    denial = replace(rule, name="no", effect=Effect.DENY)
    assert not decide([rule_of(), denial], user, SHOWN, Action.INVOKE).allowed


@pytest.mark.parametrize(
    "rule",
    [
        rule_of(bundles=["booking"], tools=["reserve"]),
        rule_of(bundles=["other"]),
        rule_of(tools=["hours"]),
        rule_of(risks=["read"]),
    ],
)
def test_a_borrowed_tool_is_nothing_else(rule: Rule) -> None:
    assert not decide([rule], make_principal(), SHOWN, Action.INVOKE).allowed


def test_borrowing_makes_a_tool_no_less_risky() -> None:
    deny = rule_of(Effect.DENY, risks=["write"])
    assert not decide([rule_of(), deny], make_principal(), SHOWN, Action.DISCOVER).allowed


_few = st.frozensets(st.sampled_from(["desk", "booking", "other"]), max_size=2)
_patterns = st.frozensets(st.sampled_from(["book", "reserve", "b*", "*"]), max_size=2)
_borrowed_rules = st.lists(
    st.builds(
        Rule,
        st.sampled_from("abcdef"),
        st.sampled_from([Effect.ALLOW, Effect.DENY]),
        st.just(frozenset({"user"})),
        bundles=_few,
        tools=_patterns,
        risks=st.frozensets(st.sampled_from(RiskLevel), max_size=2),
        priority=st.integers(0, 2),
    ),
    max_size=5,
)


@given(_borrowed_rules, st.sampled_from(Action))
def test_borrowing_never_brings_back_what_is_denied_and_never_hides_what_is_allowed(
    rules: list[Rule], action: Action
) -> None:
    """The identities of a borrowed tool, judged one by one by the rules for plain tools."""
    user = make_principal()
    identities = [
        make_tool(name, bundle=bundle, risk=RiskLevel.WRITE)
        for name, bundle in (("reserve", "desk"), ("book", "desk"), ("book", "booking"))
    ]
    allows = [one for one in rules if one.effect is Effect.ALLOW]
    denies = [replace(one, effect=Effect.ALLOW) for one in rules if one.effect is Effect.DENY]
    allowed = any(decide(allows, user, one, action).allowed for one in identities)
    denied = any(decide(denies, user, one, action).allowed for one in identities)
    assert decide(rules, user, SHOWN, action).allowed is (allowed and not denied)


def test_what_a_bundle_serves_is_judged_once_for_a_kind_of_caller() -> None:
    view = replace(make_view(), bundle_tools={"desk": {"reserve": SHOWN}})
    access = access_with(rule_of(bundles=["desk"]), view=view)
    served = access.served(make_principal(), "desk")
    assert served is not None
    assert (dict(served.visible), served.invocable) == (
        {"reserve": SHOWN},
        {"reserve": "allow ['bundles']"},
    )
    assert access.served(make_principal("bob"), "desk") is served
    nobody = access.served(make_principal(permissions=()), "desk")
    assert nobody is not None
    assert nobody.visible == {}
    assert access.served(make_principal(), "booking") is None, "it serves its own tools"


def test_tables_of_bundles_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_room, "_MOST_TABLES", 2)
    view = replace(make_view(), bundle_tools={"desk": {"reserve": SHOWN}})
    access = access_with(rule_of(), view=view)
    first = access.served(make_principal(roles=("a",)), "desk")
    for role in "bc":
        access.served(make_principal(roles=(role,)), "desk")
    assert access.served(make_principal(roles=("a",)), "desk") is not first


def test_the_versions_of_a_tool_are_all_or_the_only_one() -> None:
    older = replace(BOOK, version="0.9.0")
    view = replace(make_view(tools=[BOOK, make_tool("hours")]), versions={"book": (BOOK, older)})
    access = access_with(rule_of(), view=view)
    assert access.versions(TENANT, "book") == (BOOK, older)
    assert [one.name for one in access.versions(TENANT, "hours")] == ["hours"]
    assert access.versions(TENANT, "gone") == ()
    assert decided(access, make_principal(), older).allowed

"""What a kind of caller reaches surely, and what it sees as things are."""

from dataclasses import replace
from typing import Any

import pytest

from bascule.gateway.decision import Circumstances
from bascule.gateway.rule import Action, Effect, Rule, RuleKind, TimeWindow
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import Home, Tool
from bascule.policy import standpoint as room
from bascule.policy.access import Access
from fakes.catalogue import TENANT, make_principal, make_snapshot, make_tool
from fakes.decisions import MOMENT, NOW
from fakes.relayed import (
    make_inventory,
    make_prompt,
    make_template,
    make_view,
    snapshot_of,
)

USER = frozenset({"user"})
MORNING = (TimeWindow(start_minute=6 * 60, end_minute=12 * 60),)
TONIGHT = Circumstances(MOMENT + 12 * 3600)
TOOLS = [make_tool(name) for name in ("a", "b", "c")]
ANN = make_principal()


def allow(name: str = "allow", **members: Any) -> Rule:
    return Rule(name, Effect.ALLOW, USER, **members)


def named(*names: str) -> frozenset[str]:
    return frozenset(names)


def access_of(*rules: Rule, tools: list[Tool] = TOOLS) -> Access:
    return Access(make_snapshot(tools, rules=rules))


def test_what_depends_on_the_time_is_not_reached_surely_but_seen_in_time() -> None:
    access = access_of(
        allow(tools=named("a", "b")),
        Rule("no", Effect.DENY, USER, tools=named("b"), windows=MORNING),
        allow("early", tools=named("c"), windows=MORNING),
    )
    assert list(access.reach(ANN).visible) == ["a"]
    assert not access.is_fixed(ANN)
    morning, evening = (access.sight(ANN, "", at) for at in (NOW, TONIGHT))
    assert [one.name for one in morning.sure] == ["a", "c"]
    assert [one.name for one in evening.sure] == ["a", "b"]
    assert morning.unsure == evening.unsure == ()
    assert access.sight(ANN, "", Circumstances(MOMENT + 60)) is morning


def test_where_nothing_changes_with_time_and_place_there_is_one_sight() -> None:
    access = access_of(allow())
    assert access.is_fixed(ANN)
    assert access.sight(ANN, "", NOW) is access.sight(ANN, "", TONIGHT)


def test_what_rego_must_be_asked_about_is_not_sure() -> None:
    rego = allow("rego", kind=RuleKind.REGO, tools=named("b", "gone"))
    access = access_of(allow(), rego)
    sight = access.sight(ANN, "", NOW)
    assert [one.name for one in sight.sure] == ["a", "c"]
    assert [one.name for one in sight.unsure] == ["b"]


def test_what_a_bundle_borrows_is_seen_in_time_as_well() -> None:
    shown = replace(make_tool("shown", bundle="desk"), home=Home("a", "booking", {}))
    asked = replace(make_tool("asked", bundle="desk"), home=Home("b", "booking", {}))
    view = TenantView(
        TENANT,
        tools={one.name: one for one in TOOLS},
        bundle_tools={"desk": {"shown": shown, "asked": asked}},
        rules=(
            allow(windows=MORNING),
            allow("rego", kind=RuleKind.REGO, tools=named("b")),
        ),
    )
    access = Access(snapshot_of(view))
    for at, names in ((NOW, ["shown"]), (TONIGHT, [])):
        sight = access.sight(ANN, "desk", at)
        assert [one.name for one in sight.sure] == names
        assert [one.name for one in sight.unsure] == ["asked"]


def test_without_the_permission_nothing_is_seen() -> None:
    access = access_of(allow(windows=MORNING))
    nobody = make_principal(permissions=())
    assert access.sight(nobody, "", NOW).sure == ()
    assert not access.reach(nobody).visible


def test_prompts_that_may_be_seen_are_offered_with_what_is_unsure() -> None:
    view = make_view(
        make_inventory(
            prompts=[make_prompt("a"), make_prompt("b"), make_prompt("hidden")],
            templates=[make_template("note://{id}")],
        ),
        rules=[
            allow(prompts=named("a"), resources=named("note://*")),
            allow("early", prompts=named("b"), windows=MORNING),
        ],
    )
    offers = Access(snapshot_of(view)).offers(ANN)
    assert [one.name for one in offers.prompts] == ["a", "b"]
    assert [one.name for one in offers.templates] == ["note://{id}"]
    assert [one.name for one in offers.unsure] == ["b"]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST_HELD", 2)
    monkeypatch.setattr(room, "_MOST_SIGHTS", 1)
    access = access_of(allow(windows=MORNING))
    standpoint = access._standpoint(ANN)
    for tool in (*TOOLS, *TOOLS):
        assert standpoint.held(tool, Action.INVOKE).decision is None
    assert len(standpoint._using) <= 2
    for _ in range(2):
        assert len(access.sight(ANN, "", NOW).sure) == 3
        assert len(access.sight(ANN, "", TONIGHT).sure) == 0
    assert len(standpoint._sights) == 1


def test_ten_thousand_rules_are_no_burden_to_lists_and_calls() -> None:
    """Each names a tool of its own; half of them deny it."""
    tools = [make_tool(f"tool_{number:05}") for number in range(10_000)]
    rules = [
        Rule(
            one.name,
            Effect.DENY if number % 2 else Effect.ALLOW,
            USER,
            tools=named(one.name),
        )
        for number, one in enumerate(tools)
    ]
    access = access_of(*rules, tools=tools)
    reach = access.reach(ANN)
    assert reach.invocable.get("tool_00002") == "tool_00002"
    assert reach.invocable.get("tool_00003") is None
    assert list(reach.visible) == [one.name for one in tools[::2]]

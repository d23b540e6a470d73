"""What a kind of caller reaches is found out as far as it is asked, and kept in bounds."""

from dataclasses import replace
from fnmatch import fnmatchcase

import pytest

from bascule.gateway.rule import Action, Effect, Rule
from bascule.gateway.tool import Home, Tool
from bascule.policy import reaching as room
from bascule.policy.access import Access
from bascule.policy.entries import Entry
from bascule.policy.judging import Judge
from bascule.policy.reaching import Groups, Invocable, Renamed, Visible
from fakes.catalogue import make_principal, make_snapshot, make_tool
from fakes.decisions import decide
from fakes.relayed import make_relayed

USER = frozenset({"user"})


def judge_of(*rules: Rule, administers: bool = False) -> Judge:
    caller = make_principal(roles=("user", "admin") if administers else ("user",))

    def slowly(tool: Tool) -> str | None:
        decision = decide(rules, caller, tool, Action.DISCOVER)
        return decision.rule if decision.allowed else None

    return Judge(lambda: map(Entry, rules), administers=administers, decide=slowly)


def groups_of(*tools: Tool) -> Groups:
    return Groups({tool.name: tool for tool in tools})


READS = Rule("reads", Effect.ALLOW, USER, tools=frozenset({"get_*", "search"}))
TOOLS = [make_tool(name) for name in ("delete_slot", "get_car", "get_slot", "set_car")]


def test_tools_are_mappings_by_name_in_listing_order() -> None:
    groups, judge = groups_of(*TOOLS), judge_of(READS)
    visible = Visible(groups, judge)
    assert list(visible) == ["get_car", "get_slot"]
    assert list(visible.values()) == list(visible.listed()) == TOOLS[1:3]
    assert len(visible) == len(visible.values()) == 2
    assert visible["get_car"] is TOOLS[1]
    assert "get_car" in visible
    assert "set_car" not in visible
    assert 7 not in visible
    assert visible.get("nothing", TOOLS[0]) is TOOLS[0]
    with pytest.raises(KeyError):
        visible["set_car"]
    invocable = Invocable(visible, judge.rule_for)
    assert dict(invocable) == {"get_car": "reads", "get_slot": "reads"}
    assert len(invocable) == 2
    assert invocable.get("set_car", "none") == "none"
    with pytest.raises(KeyError):
        invocable["set_car"]


def test_what_may_be_called_must_be_seen() -> None:
    groups = groups_of(*TOOLS)
    visible = Visible(groups, judge_of(READS))
    assert list(Invocable(visible, judge_of(administers=True).rule_for)) == ["get_car", "get_slot"]


def test_tools_of_servers_are_found_by_the_name_they_have_there() -> None:
    tool = make_relayed("search", front="alpha_search")
    hidden = make_relayed("drop", front="alpha_drop")
    groups = groups_of(*TOOLS, tool, hidden)
    visible = Visible(groups, judge_of(READS))
    assert list(visible) == ["get_car", "get_slot", "alpha_search"]
    renamed = Renamed(groups, visible)
    assert dict(renamed) == {("alpha", "search"): tool}
    assert len(renamed) == 1
    for absent in (("alpha", "drop"), ("alpha", "get_car")):
        with pytest.raises(KeyError):
            renamed[absent]


def test_a_list_is_made_once_for_all_who_see_the_same() -> None:
    groups, judge = groups_of(*TOOLS), judge_of(READS)
    assert groups.visible(judge) is groups.visible(judge)
    everything = judge_of(administers=True)
    assert groups.visible(everything) == tuple(TOOLS)
    assert groups.visible(judge_of()) == ()


def test_lists_are_kept_up_to_a_number_of_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST_LISTED", 200)
    groups = groups_of(*TOOLS)
    judges = [judge_of(READS) for _ in range(5)]
    lists = [groups.visible(judge) for judge in judges]
    assert groups.visible(judges[-1]) is lists[-1]
    again = groups.visible(judges[0])
    assert again is not lists[0]
    assert again == lists[0]


def test_what_is_prepared_gives_the_same_lists() -> None:
    rules = [READS, Rule("no", Effect.DENY, USER, tools=frozenset({"*_slot"}))]
    prepared, lazy = (
        Access(make_snapshot(TOOLS, rules=rules)),
        Access(make_snapshot(TOOLS, rules=rules)),
    )
    prepared.prepare()
    seen = [list(access.reach(make_principal()).visible) for access in (prepared, lazy)]
    assert seen == [["get_car"], ["get_car"]]
    Access(make_snapshot()).prepare()


def test_lists_know_every_name_of_every_tool() -> None:
    """Two listings of one tool of a server, tools out of order, and one that a bundle borrows."""
    tools = [
        make_relayed("drop", front="z_tool"),
        make_relayed("drop", front="a_tool"),
        make_tool("get_slot"),
        replace(make_tool("shown", bundle="desk"), home=Home("drop", "booking", {})),
        replace(make_tool("other", bundle="desk"), home=Home("get_car", "booking", {})),
    ]
    everything = Rule("all", Effect.ALLOW, USER)
    for denied in ("drop", "dro*", "*rop"):
        rules = (everything, Rule("no", Effect.DENY, USER, tools=frozenset({denied})))
        visible = Visible(groups_of(*tools), judge_of(*rules))
        assert list(visible) == ["get_slot", "other"], denied
        assert [one.name for one in tools if visible.get(one.name)] == list(visible)


@pytest.mark.parametrize(
    "patterns",
    [{"get_car", "set_*"}, {"get_*", "*_car"}, {"get_slot"}, {"[gs]et_car"}, {"nothing", "no*"}],
)
def test_several_rules_allow_what_any_of_them_does(patterns: set[str]) -> None:
    rules = [
        Rule(one, Effect.ALLOW, USER, tools=frozenset({one}), priority=number)
        for number, one in enumerate(sorted(patterns))
    ]
    judge = judge_of(*rules)
    wanted = [one for one in TOOLS if any(fnmatchcase(one.name, each) for each in patterns)]
    assert list(Visible(groups_of(*TOOLS), judge).values()) == wanted
    assert [one for one in TOOLS if judge.rule_for(one) is not None] == wanted


def test_a_bundle_is_seen_whole_where_a_rule_allows_all_of_it() -> None:
    tools = [make_tool("a", bundle="fleet"), make_tool("b"), make_tool("c", bundle="fleet")]
    fleet = Rule("fleet", Effect.ALLOW, USER, bundles=frozenset({"fleet"}))
    visible = Visible(groups_of(*tools), judge_of(fleet))
    assert list(visible) == ["a", "c"]
    invocable = Invocable(visible, judge_of(fleet).rule_for)
    assert [invocable.get("a"), invocable.get("a")] == ["fleet", "fleet"]

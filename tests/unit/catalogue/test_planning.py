"""What an import would do: nothing where nothing differs, and never to what nobody asked about."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bascule.catalogue.diffing import Severity
from bascule.catalogue.openapi.drafts import ToolDraft
from bascule.catalogue.planning import Action, Known, Place, Plan, plan_import, summarise
from bascule.gateway.tool import RestSource, RiskLevel, Tool, ToolStatus

PLACE = Place("shop", "shop.api", "http://a")


def draft(name: str, **changes: Any) -> ToolDraft:
    source = RestSource("", "GET", f"/{name}")
    return replace(ToolDraft(name, None, "D.", {}, None, source, RiskLevel.READ), **changes)


def plan(drafts: Sequence[ToolDraft], known: dict[str, Known], **options: Any) -> Plan:
    return plan_import(drafts, "http://a", PLACE, known, **options)


def stored(*drafts: ToolDraft, status: ToolStatus = ToolStatus.ACTIVE) -> dict[str, Known]:
    made = plan(drafts, {}).new
    return {one.name: known(replace(one, status=status)) for one in made}


def known(tool: Tool, **changes: Any) -> Known:
    return replace(Known(tool, versions=(tool.version,), deprecated=False), **changes)


def acts(made: Plan) -> list[tuple[str, str, str, str]]:
    return [(one.name, one.action, one.version, one.status) for one in made.steps]


def test_new_tools_are_drafts_of_the_service() -> None:
    made = plan([draft("a"), draft("old", deprecated=True)], {})
    assert acts(made) == [
        ("a", "added", "1.0.0", "active"), ("old", "added", "1.0.0", "deprecated"),
    ]  # fmt: skip
    assert made.tools == made.new
    assert made.new[0].source.upstream == "shop.api"
    assert (made.new[0].bundle, made.new[0].status) == ("shop", ToolStatus.DRAFT)
    assert not made.is_empty


def test_what_is_stored_already_makes_an_empty_plan() -> None:
    before = stored(draft("a"), draft("b"))
    made = plan([draft("a"), draft("b")], before)
    assert made.is_empty
    assert made.new == ()
    assert [one.status for one in made.tools] == [ToolStatus.ACTIVE] * 2


def test_the_worst_change_makes_the_number() -> None:
    before = stored(draft("a"), draft("b"), draft("c"), draft("d"))
    closed = {"type": "object"}
    made = plan(
        [draft("a", tags=("x",)), draft("b", description="E."), draft("c", input_schema=closed),
         draft("d", cache_seconds=5.0)],
        before,
    )  # fmt: skip
    assert [one.version for one in made.new] == ["1.0.1", "1.1.0", "2.0.0", "1.1.0"]
    assert summarise(made.steps)["changed"] == 4
    assert summarise(made.steps)["breaking"] == 1


def test_numbers_that_are_taken_are_passed_over() -> None:
    (tool,) = plan([draft("a")], {}).new
    taken = known(tool, versions=("1.0.0", "2.3.0"))
    made = plan([draft("a", description="E.")], {"a": taken})
    assert made.new[0].version == "2.4.0"


def test_what_was_edited_by_hand_is_kept_and_named() -> None:
    (tool,) = plan([draft("a")], {}).new
    mine = replace(tool, description="Mine.", owner="me", status=ToolStatus.ACTIVE)
    edited = known(mine, edited=("description", "owner"))
    assert plan([draft("a", description="E.")], {"a": edited}).is_empty
    made = plan([draft("a", description="E.", tags=("x",))], {"a": edited})
    assert (made.new[0].description, made.new[0].owner) == ("Mine.", "me")
    assert made.steps[0].kept == ("description", "owner")


def test_what_somebody_switched_off_or_deprecated_stays_so() -> None:
    for status in (ToolStatus.INACTIVE, ToolStatus.DEPRECATED):
        before = stored(draft("a"), status=status)
        (step,) = plan([draft("a", description="E.")], before).steps
        assert step.status is status


def test_what_the_document_calls_deprecated_follows_the_document() -> None:
    before = stored(draft("a"))
    (step,) = plan([draft("a", deprecated=True)], before).steps
    assert (step.action, step.status) == (Action.CHANGED, ToolStatus.DEPRECATED)
    (tool,) = plan([draft("a")], {}).new
    old = known(replace(tool, status=ToolStatus.DEPRECATED), deprecated=True)
    (step,) = plan([draft("a")], {"a": old}).steps
    assert (step.action, step.status) == (Action.CHANGED, ToolStatus.ACTIVE)
    assert step.changes[0].kind == "deprecated"


def test_what_vanished_is_breaking_and_told_once() -> None:
    before = stored(draft("a"), draft("b"))
    made = plan([draft("a")], before)
    assert acts(made)[1] == ("b", "removed", "1.0.0", "deprecated")
    assert made.steps[1].changes[0].severity is Severity.BREAKING
    assert "GET /b" in made.steps[1].changes[0].message
    tool = before["b"].tool
    assert tool is not None
    gone = replace(before["b"], tool=replace(tool, status=ToolStatus.DEPRECATED), is_removed=True)
    again = plan([draft("a")], {**before, "b": gone})
    assert acts(again)[1] == ("b", "gone", "1.0.0", "deprecated")
    assert again.is_empty
    final = plan([draft("a")], {**before, "b": gone}, remove_missing=True)
    assert acts(final)[1] == ("b", "removed", "1.0.0", "inactive")
    back = plan([draft("a"), draft("b")], {**before, "b": gone})
    assert acts(back)[1] == ("b", "restored", "1.0.0", "active")
    assert not back.is_empty


def test_an_operation_of_another_name_is_named() -> None:
    renamed = draft("new", source=RestSource("", "GET", "/a"))
    (_, step) = plan([renamed], stored(draft("a"))).steps
    assert "calls GET /a new now" in step.changes[0].message


def test_tools_of_another_service_and_drafts_do_not_count_as_vanished() -> None:
    before = stored(draft("a"), draft("b"))
    tool = before["b"].tool
    assert tool is not None
    other = replace(tool, source=replace(tool.source, upstream="shop.other"))
    off = replace(tool, status=ToolStatus.INACTIVE)
    for kept in (Known(versions=("1.0.0",)), known(other), known(off)):
        assert len(plan([draft("a")], {**before, "b": kept}).steps) == 1


def test_another_address_is_a_change_of_the_whole() -> None:
    made = plan_import([draft("a")], "http://b", PLACE, stored(draft("a")))
    assert [one.kind for one in made.changes] == ["base_url"]
    assert not made.is_empty
    fresh = replace(PLACE, base_url=None)
    assert plan_import([draft("a")], "http://b", fresh, stored(draft("a"))).is_empty


def test_whose_a_tool_is_stays_where_nobody_says_otherwise_and_by_hand_in_any_case() -> None:
    before = stored(draft("a", owner="crm", domain="sales"))
    assert plan([draft("a")], before).is_empty
    newer = plan([draft("a", description="E.")], before).new[0]
    assert (newer.owner, newer.domain) == ("crm", "sales")
    (step,) = plan([draft("a", owner="desk")], before).steps
    assert [(one.severity, one.kind) for one in step.changes] == [(Severity.SAFE, "owner")]
    edited = {"a": replace(before["a"], edited=("owner",))}
    assert plan([draft("a", owner="desk")], edited).is_empty

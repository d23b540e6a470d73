"""Tests of policies are held against real decisions."""

from dataclasses import replace

from bascule.api.rules.testing import outcomes_of
from bascule.gateway.rule import Effect, Rule
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import RestSource, RiskLevel, Tool
from bascule.policy.access import Access
from bascule.storage.repositories.policy_tests import PolicyTest

_SOURCE = RestSource("shop", "GET", "/")
_TOOL = Tool("refund", "Pays back.", "shop", _SOURCE, {"type": "object"})
_VIEW = TenantView(
    "default",
    tools={"refund": _TOOL, "wipe": replace(_TOOL, name="wipe", risk=RiskLevel.PRIVILEGED)},
    rules=(Rule("users", Effect.ALLOW, frozenset({"user"})),),
    roles={"user": frozenset({"tools:list", "tools:execute"})},
)
_ACCESS = Access(Snapshot(1, {"default": _VIEW}))
_CASE = {"tool": "refund", "roles": ["user"]}


async def test_a_test_passes_where_the_effect_is_the_expected_one() -> None:
    tests = [
        PolicyTest("allowed", _CASE, Effect.ALLOW, "users"),
        PolicyTest("nobody", {"tool": "refund"}, Effect.DENY),
        PolicyTest("elevated", {**_CASE, "tool": "wipe"}, Effect.ELEVATE, "builtin:privileged"),
    ]
    outcomes = await outcomes_of(_ACCESS, _VIEW, tests)
    assert [(one.name, one.passed, one.message) for one in outcomes] == [
        ("allowed", True, ""),
        ("nobody", True, ""),
        ("elevated", True, ""),
    ]
    assert (outcomes[0].actual, outcomes[0].decided_by) == ("allow", "users")


async def test_what_is_wrong_is_said() -> None:
    tests = [
        PolicyTest("effect", _CASE, Effect.DENY),
        PolicyTest("rule", _CASE, Effect.ALLOW, "others"),
        PolicyTest("tool", {"tool": "refnd", "roles": ["user"]}, Effect.DENY),
        PolicyTest("role", {"tool": "refund", "roles": ["usr"]}, Effect.DENY),
        PolicyTest("form", {"tool": "refund", "moment": 5}, Effect.DENY),
    ]
    outcomes = await outcomes_of(_ACCESS, _VIEW, tests)
    assert not any(one.passed for one in outcomes)
    messages = {one.name: one.message for one in outcomes}
    assert messages["effect"] == "it is allow by users, not deny"
    assert messages["rule"] == "it is allow by users, not by others"
    assert "Did you mean refund?" in messages["tool"]
    assert "Did you mean user?" in messages["role"]
    assert "form that this release does not know" in messages["form"]


async def test_tests_that_take_too_long_have_failed() -> None:
    late = [PolicyTest("late", _CASE, Effect.ALLOW)]
    (outcome,) = await outcomes_of(_ACCESS, _VIEW, late, seconds=-1)
    assert not outcome.passed
    assert "take too long" in outcome.message

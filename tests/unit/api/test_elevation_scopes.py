"""What can be asked for, as each caller sees it."""

from dataclasses import replace
from typing import Any

import pytest

from bascule.api.caller import Caller
from bascule.api.elevated import Approval, Link, Wanted
from bascule.api.elevation_scopes import Subjects, scope_of
from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.errors import InvalidValue, NotFound
from bascule.gateway.principal import Principal
from bascule.gateway.tool import RiskLevel
from bascule.policy.elevation import Holder
from bascule.storage.repositories.elevations import Origin
from fakes.elevations import Elevating
from unit.api.shelf import a_tool, make_desk, stock
from unit.api.site import Site

ABOVE = {"path": "amount", "op": "above", "value": 5}
ADMIN = Caller(
    Principal("default", "ann", frozenset({"admin"}), frozenset({"tools:list"}), user_id="u"), ""
)
USER = replace(ADMIN, principal=replace(ADMIN.principal, roles=frozenset({"user"})))
GROUND = Elevating()


@pytest.fixture
async def subjects(site: Site) -> Subjects:
    """Two bundles, one of which shows a tool of the other under a name of its own."""
    await make_desk(site)
    await stock(
        site,
        a_tool("listing", risk=RiskLevel.PRIVILEGED),
        a_tool("refund", bundle="pay", risk=RiskLevel.PRIVILEGED),
        a_tool("look", bundle="pay"),
    )
    return Subjects(site.control, GROUND.live)


async def test_a_tool_is_asked_for_by_the_name_it_has_in_the_registry(subjects: Subjects) -> None:
    assert await subjects.origin(ADMIN, Wanted("", name="listing")) == Origin("listing", "shop")
    with pytest.raises(NotFound):
        await subjects.origin(ADMIN, Wanted("", name="shown"))


async def test_a_bundle_is_there_for_who_sees_something_in_it(subjects: Subjects) -> None:
    for name in ("shop", "desk", "pay"):
        wanted = Wanted("", ScopeKind.BUNDLE, name)
        assert await subjects.origin(ADMIN, wanted) == Origin(bundle=name)
        with pytest.raises(NotFound, match=f"no bundle named {name} for you"):
            await subjects.origin(USER, wanted)
    for name in ("", "nothing", "x" * 500):
        with pytest.raises(NotFound):
            await subjects.origin(ADMIN, Wanted("", ScopeKind.BUNDLE, name))


async def test_who_may_list_nothing_finds_nothing(subjects: Subjects) -> None:
    nobody = replace(ADMIN, principal=replace(ADMIN.principal, permissions=frozenset()))
    for caller in (nobody, USER, replace(ADMIN, principal=replace(ADMIN.principal, tenant="acme"))):
        with pytest.raises(NotFound, match="no tool named listing for you"):
            await subjects.origin(caller, Wanted("", name="listing"))


async def test_a_tool_that_needs_no_elevation_is_not_asked_for(subjects: Subjects) -> None:
    for wanted in (Wanted("", name="look"), Wanted("", ScopeKind.CALL, "look", {})):
        with pytest.raises(InvalidValue, match=r"No call of look needs .* call it without"):
            await subjects.origin(ADMIN, wanted)


@pytest.mark.parametrize(
    "rule",
    [
        {"tools": ["lo*"]},
        {"bundles": ["pay"], "type": "condition", "when": {"arguments": [ABOVE]}},
        {"bundles": ["desk"]},
    ],
    ids=str,
)
async def test_what_a_policy_may_hold_back_can_be_asked_for(
    subjects: Subjects, site: Site, rule: dict[str, Any]
) -> None:
    """Also where it depends on arguments, or on the bundle by which the tool is called."""
    member = {"tool": "look", "name": "peek"}
    made = await site.post("/api/admin/bundles/desk/members", json=member)
    assert made.status_code == 201, made.text
    policy = {"name": "ask", "effect": "elevate", "roles": ["admin"], **rule}
    assert (await site.post("/api/admin/policies", json=policy)).status_code == 201
    assert await subjects.origin(ADMIN, Wanted("", name="look")) == Origin("look", "pay")


async def test_a_slip_is_told_with_what_the_caller_sees(subjects: Subjects) -> None:
    for kind, slip, meant in (
        (ScopeKind.TOOL, "refnd", "refund"),
        (ScopeKind.BUNDLE, "shopp", "shop"),
    ):
        with pytest.raises(NotFound, match=rf"for you\. Did you mean {meant}\?"):
            await subjects.origin(ADMIN, Wanted("", kind, slip))
        with pytest.raises(NotFound) as refused:
            await subjects.origin(USER, Wanted("", kind, slip))
        assert "mean" not in refused.value.public


async def test_one_call_is_known_by_its_digest_and_shown_masked(subjects: Subjects) -> None:
    arguments = {"card": "4111111111111111", "day": "x"}
    found = await subjects.origin(ADMIN, Wanted("", ScopeKind.CALL, "listing", arguments))
    assert found.digest == GROUND.live.digest("listing@1.0.0", arguments)
    assert found.arguments == {"card": "41************11", "day": "*"}
    none = await subjects.origin(ADMIN, Wanted("", ScopeKind.CALL, "listing", {}))
    assert (none.arguments, len(none.digest)) == ({}, 64)
    with pytest.raises(InvalidValue, match="needs its arguments"):
        await subjects.origin(ADMIN, Wanted("", ScopeKind.CALL, "listing"))


async def test_a_link_says_it_all(subjects: Subjects) -> None:
    link = Link("default", Holder("user|u", "ann"), "refund", "pay", "9f", {"a": 1})
    assert await subjects.origin(USER, Wanted("", link=link)) == Origin(
        "refund", "pay", "9f", {"a": 1}
    )


def test_scopes_follow_from_what_a_request_came_of() -> None:
    origin = Origin("refund", "pay", "9f")
    scopes = [scope_of(kind, origin).text for kind in ScopeKind]
    assert scopes == ["tool:refund", "bundle:pay", "call:refund:9f"]
    with pytest.raises(InvalidValue, match="in no bundle"):
        scope_of(ScopeKind.BUNDLE, Origin("refund"))


async def test_a_tool_of_the_bundle_may_be_granted_in_place_of_the_bundle(
    subjects: Subjects,
) -> None:
    ann = ADMIN.principal
    pay = GROUND.grant(ann, Scope(ScopeKind.BUNDLE, "pay"))
    granted = subjects.granted(ADMIN, pay, Approval(kind=ScopeKind.TOOL, tool="refund"))
    assert granted == Scope(ScopeKind.TOOL, "refund")
    assert subjects.granted(ADMIN, pay, Approval()) == pay.scope
    for odd in (
        Approval(kind=ScopeKind.TOOL, tool="listing"),
        Approval(kind=ScopeKind.TOOL, tool="nothing"),
        Approval(tool="refund"),
        Approval(kind=ScopeKind.CALL, tool="refund"),
    ):
        with pytest.raises(InvalidValue):
            subjects.granted(ADMIN, pay, odd)
    tool = GROUND.grant(ann, Scope(ScopeKind.TOOL, "refund"))
    with pytest.raises(InvalidValue, match="not part of the tool refund"):
        subjects.granted(ADMIN, tool, Approval(tool="listing"))

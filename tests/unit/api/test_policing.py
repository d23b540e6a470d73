"""What the policies of a tenant are, in force and drafted, and that changes keep to tests."""

from typing import Any

import pytest

from bascule.api.caller import Caller
from bascule.api.policing import Note, access_over, candidate, enact, rules_of, tried
from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Effect, Rule
from bascule.policy.hypothetical import Case, decide_case
from bascule.storage.documents import PolicyState
from bascule.storage.errors import StorageError
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.policy_changes import PolicyChanges
from unit.api.site import Site, document

CALLER = Caller(Principal("default", "asha", frozenset({"admin"}), frozenset()), "c")
USERS = {"effect": "allow", "roles": ["user"]}
DRAFT = "/api/admin/policy/drafts/d"


def state(name: str, priority: int = 0, *, is_active: bool = True) -> PolicyState:
    rule = Rule(name, Effect.ALLOW, frozenset({"user"}), priority=priority)
    return PolicyState(rule, is_active=is_active)


async def change(site: Site, **changes: Any) -> None:
    made = await site.post("/api/admin/policy/versions", json={"changes": changes})
    assert made.is_success, made.text


async def test_rules_are_the_active_ones_by_precedence(site: Site) -> None:
    await change(
        site, a=USERS, b={**USERS, "priority": 5}, off={**USERS, "is_active": False}, c=USERS
    )
    async with site.control.read(CALLER) as rows:
        found = await rules_of(rows)
    assert [rule.name for rule in found] == ["b", "a", "c"]
    assert found == site.control.snapshot().tenant("default").rules


async def test_a_draft_shows_the_rules_as_they_would_be(site: Site) -> None:
    await change(site, a=USERS, b=USERS)
    changes = {"a": None, "b": {**USERS, "is_active": False}, "z": {**USERS, "priority": 9}}
    await site.ask("PUT", DRAFT, json={"changes": changes})
    async with site.control.read(CALLER) as rows:
        assert [rule.name for rule in await rules_of(rows, "d")] == ["z"]
        assert [rule.name for rule in await rules_of(rows)] == ["a", "b"]
        with pytest.raises(NotFound, match="no draft named x"):
            await rules_of(rows, "x")


async def test_a_policy_that_cannot_be_read_is_named_rather_than_left_out(site: Site) -> None:
    await change(site, a=USERS)
    async with site.control.database.change(author="t") as session:
        async with site.control.read(CALLER) as rows:
            tenant = rows.tenant_id
        row = await Policies(session, tenant)._find("a")  # pyright: ignore[reportPrivateUsage]
        assert row is not None
        row.rules = {}
    async with site.control.read(CALLER) as rows:
        with pytest.raises(StorageError, match="Policy a cannot be read"):
            await rules_of(rows)


async def test_decisions_can_be_made_over_rules_that_are_not_in_force(site: Site) -> None:
    assert (await site.upload(document("refund"), auto_publish="true")).is_success
    in_force = site.control.snapshot().tenant("default")
    view = candidate(in_force, (state("users").rule,))
    case = Case("refund", roles=("user",))
    for one, effect in ((in_force, Effect.DENY), (view, Effect.ALLOW)):
        decision = await decide_case(access_over(site.control, one), one, case, deadline=1e12)
        assert decision.effect is effect


async def test_what_is_enacted_is_a_version_with_its_origin(site: Site) -> None:
    async with site.control.change(CALLER, "policy.put", "b") as rows:
        changes = {"b": state("b"), "a": state("a", 3)}
        number, made = await enact(site.control, CALLER, rows, changes, Note("why", "draft d"))
    assert (number, [one.policy for one in made]) == (1, ["a", "b"])
    async with site.control.read(CALLER) as rows:
        version = await PolicyChanges(rows.session, rows.tenant_id).get(1)
    assert (version.author, version.reason, version.origin) == ("asha", "why", "draft d")
    async with site.control.change(CALLER, "policy.put", "b") as rows:
        changes = {"b": state("b"), "gone": None}
        assert await enact(site.control, CALLER, rows, changes, Note()) == (1, ())


async def test_of_many_tests_that_fail_the_first_are_named(site: Site) -> None:
    for number in range(7):
        body = {"case": {"tool": "gone"}, "expect": "deny"}
        await site.ask("PUT", f"/api/admin/policy/tests/t{number}", json=body)
    async with site.control.read(CALLER) as rows:
        outcomes = await tried(site.control, CALLER, rows)
    assert [one.passed for one in outcomes] == [False] * 7
    with pytest.raises(Conflict, match="7 of 7 tests") as refused:
        await put(site, "a")
    assert "; and 2 more." in refused.value.public
    assert len(refused.value.details["failed"]) == 7  # pyright: ignore[reportArgumentType]


async def put(site: Site, name: str) -> None:
    async with site.control.change(CALLER, "policy.put", name) as rows:
        await enact(site.control, CALLER, rows, {name: state(name)}, Note())

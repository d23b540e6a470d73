"""Versions of policies are numbered, told apart, and lead back."""

import asyncio
from typing import Any

import pytest

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.gateway.rule import Effect, Rule
from bascule.storage.database import Database
from bascule.storage.documents import PolicyState, policy_document
from bascule.storage.policy_tables import PolicyChangeRow
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.policy_changes import (
    Alteration,
    Deed,
    PolicyChanges,
    compare,
)
from bascule.storage.repositories.scope import TenantId


def said(name: str, priority: int = 0) -> dict[str, Any]:
    return policy_document(
        PolicyState(Rule(name, Effect.ALLOW, frozenset({"user"}), priority=priority))
    )


async def change(database: Database, tenant: TenantId, *made: Alteration, **told: str) -> int:
    """Do what `made` says, and number it."""
    async with database.change(author="asha") as session:
        policies = Policies(session, tenant)
        for one in made:
            if one.after is None:
                await policies.delete(one.policy)
            else:
                rule = Rule(
                    one.policy, Effect.ALLOW, frozenset({"user"}), priority=one.after["priority"]
                )
                await policies.put(rule)
        return await PolicyChanges(session, tenant).append(made, **told)


async def test_a_change_says_who_made_it_why_and_what_it_changed(
    database: Database, tenant: TenantId
) -> None:
    made = Alteration("a", None, said("a"))
    assert await change(database, tenant, made, reason="night shift", origin="draft n") == 1
    async with database.read() as session:
        changes = PolicyChanges(session, tenant)
        (listed,) = (await changes.list()).items
        shown = await changes.get(1)
    assert (listed.number, listed.author, listed.reason, listed.origin) == (
        1,
        "asha",
        "night shift",
        "draft n",
    )
    assert listed.summary == shown.summary == (("a", Deed.ADDED),)
    assert (listed.alterations, shown.alterations) == ((), (made,))


async def test_what_changes_nothing_is_no_version(database: Database, tenant: TenantId) -> None:
    await change(database, tenant, Alteration("a", None, said("a")))
    same = Alteration("a", said("a"), said("a"))
    assert await change(database, tenant, same) == 1
    other = Alteration("b", None, said("b"))
    assert await change(database, tenant, same, other) == 2
    async with database.read() as session:
        assert (await PolicyChanges(session, tenant).get(2)).summary == (("b", Deed.ADDED),)


async def test_a_change_tells_added_from_changed_and_removed(
    database: Database, tenant: TenantId
) -> None:
    await change(
        database, tenant, Alteration("a", None, said("a")), Alteration("b", None, said("b"))
    )
    await change(
        database,
        tenant,
        Alteration("c", None, said("c")),
        Alteration("b", said("b"), None),
        Alteration("a", said("a"), said("a", 5)),
    )
    async with database.read() as session:
        shown = await PolicyChanges(session, tenant).get(2)
    assert shown.summary == (("a", Deed.CHANGED), ("b", Deed.REMOVED), ("c", Deed.ADDED))


async def test_the_newest_version_is_listed_first_page_by_page(
    database: Database, tenant: TenantId
) -> None:
    for number in range(5):
        await change(database, tenant, Alteration(f"p{number}", None, said("p")))
    async with database.read() as session:
        changes = PolicyChanges(session, tenant)
        page = await changes.list(2, 2)
        assert ([one.number for one in page.items], page.total) == ([3, 2], 5)
        with pytest.raises(InvalidValue, match="limit"):
            await changes.list(1, 0)


async def test_every_state_there_was_can_be_had_again(database: Database, tenant: TenantId) -> None:
    states: list[dict[str, Any]] = [{}]
    steps = [{"a": 1}, {"a": 1, "b": 1}, {"a": 2, "b": 1}, {"b": 1}, {"b": 1, "a": 3}]
    for step in steps:
        wanted = {name: said(name, priority) for name, priority in step.items()}
        await change(database, tenant, *compare(states[-1], wanted))
        states.append(wanted)
    async with database.read() as session:
        changes = PolicyChanges(session, tenant)
        assert [await changes.state_at(number) for number in range(len(states))] == states
        for number in (-1, len(states)):
            with pytest.raises(NotFound, match=f"no version {number} of the policies"):
                await changes.state_at(number)


async def test_a_version_that_is_not_there_is_not_found(
    database: Database, tenant: TenantId
) -> None:
    async with database.read() as session:
        with pytest.raises(NotFound, match="Nothing was changed yet"):
            await PolicyChanges(session, tenant).get(1)
    await change(database, tenant, Alteration("a", None, said("a")))
    async with database.read() as session:
        with pytest.raises(NotFound, match="go from 1 to 1"):
            await PolicyChanges(session, tenant).get(2)


async def test_what_was_changed_since_is_told_with_the_last_version(
    database: Database, tenant: TenantId
) -> None:
    await change(database, tenant, Alteration("a", None, said("a")))
    await change(database, tenant, Alteration("b", None, said("b")))
    await change(database, tenant, Alteration("b", said("b"), said("b", 1)))
    async with database.read() as session:
        changes = PolicyChanges(session, tenant)
        assert await changes.touched_since(0) == {"a": 1, "b": 3}
        assert await changes.touched_since(1) == {"b": 3}
        assert await changes.touched_since(3) == {}


async def test_changes_at_the_same_time_leave_no_gap(database: Database, tenant: TenantId) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                change(database, tenant, Alteration(f"p{number}", None, said(f"p{number}")))
            )
            for number in range(8)
        ]
    assert sorted(task.result() for task in tasks) == list(range(1, 9))


async def test_a_number_is_given_once(database: Database, tenant: TenantId) -> None:
    await change(database, tenant, Alteration("a", None, said("a")))
    with pytest.raises(Conflict):
        await number_again(database, tenant)


async def number_again(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        PolicyChanges(session, tenant)
        row = PolicyChangeRow(tenant_id=tenant, number=1, author="t", summary=[], documents=[])
        session.add(row)
        await session.flush()

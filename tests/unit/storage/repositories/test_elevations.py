"""Requests for elevation of one tenant, on both engines."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.policy.elevation import ElevationStatus, Holder
from bascule.storage.database import Database
from bascule.storage.repositories.elevations import (
    ElevationDraft,
    Elevations,
    Ending,
    Filter,
    Origin,
    Ruling,
    StoredElevation,
)
from bascule.storage.repositories.scope import TenantId

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
REFUNDS = Scope(ScopeKind.TOOL, "refund")
ANN = Holder("user|1", "ann", "1")
DRAFT = ElevationDraft(
    ANN,
    "ann",
    "user|1",
    REFUNDS,
    Origin("refund", "pay", "9f", {"note": "a\0b é", "amount": 12}),
    "Paid twice.",
    "INC-7",
    60,
    NOW,
    NOW + 24 * HOUR,
)
GRANTED = Ruling("bob", NOW + HOUR, "Once.", REFUNDS, 30, NOW + 1.5 * HOUR, "ELV-1")
REVOKED = Ending(ElevationStatus.REVOKED, NOW + HOUR, "bob", "enough")


async def make(database: Database, tenant: TenantId, **changes: Any) -> StoredElevation:
    async with database.jotting() as session:
        return await Elevations(session, tenant).create(replace(DRAFT, **changes))


async def rule(
    database: Database, tenant: TenantId, one: StoredElevation, ruling: Ruling = GRANTED
) -> StoredElevation:
    async with database.jotting() as session:
        return await Elevations(session, tenant).rule(one.id, ruling)


async def end(
    database: Database, tenant: TenantId, one: StoredElevation, ending: Ending = REVOKED
) -> StoredElevation:
    async with database.jotting() as session:
        return await Elevations(session, tenant).end(one.id, ending)


async def test_a_request_is_kept_as_it_was_made(database: Database, tenant: TenantId) -> None:
    made = await make(database, tenant)
    async with database.read() as session:
        assert await Elevations(session, tenant).get(made.id) == made
    assert (made.status, made.holder, made.asked_by) == (ElevationStatus.PENDING, ANN, "ann")
    assert (made.scope, made.asked_scope, made.minutes) == (REFUNDS, "tool:refund", 60)
    assert (made.tool, made.bundle, made.digest) == ("refund", "pay", "9f")
    assert made.arguments == {"note": "a\0b é", "amount": 12}
    assert (made.requested_at, made.void_at) == (NOW, NOW + 24 * HOUR)
    assert (made.decided_at, made.expires_at, made.ended_at) == (None, None, None)


async def test_an_approval_may_be_of_less_than_was_asked_for(
    database: Database, tenant: TenantId
) -> None:
    asked = await make(database, tenant, scope=Scope(ScopeKind.BUNDLE, "pay"))
    granted = await rule(database, tenant, asked)
    assert (granted.status, granted.scope, granted.minutes) == ("approved", REFUNDS, 30)
    assert (granted.asked_scope, granted.asked_minutes) == ("bundle:pay", 60)
    assert (granted.decided_by, granted.comment, granted.reference) == ("bob", "Once.", "ELV-1")
    assert granted.expires_at == NOW + 1.5 * HOUR


async def test_what_is_decided_is_decided(database: Database, tenant: TenantId) -> None:
    one = await make(database, tenant)
    await rule(database, tenant, one)
    for again in (GRANTED, Ruling("eve", NOW)):
        with pytest.raises(Conflict, match="already decided by bob: approved") as caught:
            await rule(database, tenant, one, again)
    assert caught.value.details == {"status": "approved"}
    other = await make(database, tenant)
    await rule(database, tenant, other, Ruling("eve", NOW, "No."))
    with pytest.raises(Conflict, match="already decided by eve: denied"):
        await rule(database, tenant, other)
    with pytest.raises(Conflict, match="already decided by eve"):
        await end(database, tenant, other)


@pytest.mark.parametrize(
    ("status", "after", "words"),
    [
        (ElevationStatus.CANCELLED, "pending", "already cancelled by bob"),
        (ElevationStatus.EXPIRED, "pending", "time of this request is over"),
        (ElevationStatus.EXPIRED, "approved", "time of this request is over"),
        (ElevationStatus.USED, "approved", "already used by bob"),
        (ElevationStatus.REVOKED, "approved", "already revoked by bob"),
    ],
)
async def test_what_ended_stays_ended(
    database: Database, tenant: TenantId, status: ElevationStatus, after: str, words: str
) -> None:
    one = await make(database, tenant)
    if after == "approved":
        await rule(database, tenant, one)
    ended = await end(database, tenant, one, replace(REVOKED, status=status))
    assert (ended.status, ended.ended_by, ended.ended_at) == (status, "bob", NOW + HOUR)
    for attempt in (rule(database, tenant, one), end(database, tenant, one)):
        with pytest.raises(Conflict, match=words):
            await attempt


async def test_what_nobody_decided_about_can_be_neither_used_nor_revoked(
    database: Database, tenant: TenantId
) -> None:
    one = await make(database, tenant)
    for status in (ElevationStatus.USED, ElevationStatus.REVOKED):
        with pytest.raises(Conflict, match="Nobody has decided"):
            await end(database, tenant, one, replace(REVOKED, status=status))


async def test_of_many_who_decide_at_once_one_does(database: Database, tenant: TenantId) -> None:
    one = await make(database, tenant)
    rulings = [replace(GRANTED, by=f"approver {number}") for number in range(5)]
    async with asyncio.timeout(20):
        found = await asyncio.gather(
            *(rule(database, tenant, one, ruling) for ruling in rulings), return_exceptions=True
        )
    (done,) = [each for each in found if isinstance(each, StoredElevation)]
    refused = [each for each in found if isinstance(each, Conflict)]
    assert len(refused) == 4
    assert all(done.decided_by in each.public for each in refused)


async def test_lists_are_filtered_and_paged_with_the_newest_first(
    database: Database, tenant: TenantId
) -> None:
    bob = Holder("user|2", "bob", "2")
    first = await make(database, tenant)
    second = await make(database, tenant, holder=bob, requested_at=NOW + HOUR)
    third = await make(
        database, tenant, origin=Origin("other"), asked_owner="user|3",
        requested_at=NOW + 2 * HOUR,
    )  # fmt: skip
    await rule(database, tenant, first)
    everything = [third.id, second.id, first.id]
    for wanted, found in [
        (Filter(), everything),
        (Filter(status=ElevationStatus.PENDING), [third.id, second.id]),
        (Filter(user="bob"), [second.id]),
        (Filter(tool="refund"), [second.id, first.id]),
        (Filter(owner="user|1"), everything),
        (Filter(owner="user|2"), [second.id]),
        (Filter(owner="user|3"), [third.id]),
        (Filter(page=2, limit=2), [first.id]),
        (Filter(user="' OR 1=1 --"), []),
    ]:
        async with database.read() as session:
            page = await Elevations(session, tenant).list(wanted)
        assert [one.id for one in page.items] == found, wanted
    assert page.total == 0


async def test_the_history_counts_by_status(database: Database, tenant: TenantId) -> None:
    one, other = await make(database, tenant), await make(database, tenant)
    await make(database, tenant, holder=Holder("user|2", "bob"))
    await rule(database, tenant, one)
    await rule(database, tenant, other, Ruling("bob", NOW))
    await make(database, tenant)
    async with database.read() as session:
        elevations = Elevations(session, tenant)
        assert await elevations.history("user|1") == {"approved": 1, "denied": 1, "pending": 1}
        assert await elevations.asked("user|1", NOW - HOUR) == (2, 4)
        assert await elevations.asked("user|1", NOW) == (2, 0)
        assert await elevations.asked("user|2", NOW - HOUR) == (0, 0)


async def test_what_is_alike_has_the_same_owner_scope_and_status(
    database: Database, tenant: TenantId
) -> None:
    one = await make(database, tenant)
    call = Scope(ScopeKind.CALL, "refund", "9f")
    await make(database, tenant, scope=call)
    await make(database, tenant, holder=Holder("user|2", "bob"))
    await rule(database, tenant, await make(database, tenant))
    async with database.read() as session:
        pending = ElevationStatus.PENDING
        alike = await Elevations(session, tenant).alike("user|1", REFUNDS, pending)
        assert [each.id for each in alike] == [one.id]


async def test_what_is_past_its_time_is_overdue_and_what_is_granted_is_live_until_then(
    database: Database, tenant: TenantId
) -> None:
    pending, granted = await make(database, tenant), await make(database, tenant)
    await rule(database, tenant, granted)
    cases = [
        (NOW + HOUR, [], [granted.id]),
        (NOW + 1.5 * HOUR, [granted.id], []),
        (NOW + 24 * HOUR, [pending.id, granted.id], []),
    ]
    for moment, overdue, live in cases:
        async with database.read() as session:
            elevations = Elevations(session, tenant)
            assert {one.id for one in await elevations.overdue(moment, 9)} == set(overdue)
            assert [one.id for one in await elevations.live(moment)] == live
            assert len(await elevations.overdue(moment, 1)) == min(1, len(overdue))


async def test_what_is_not_there_is_not_found(database: Database, tenant: TenantId) -> None:
    async with database.jotting() as session:
        elevations = Elevations(session, tenant)
        for attempt in (
            elevations.get(uuid4()),
            elevations.rule(uuid4(), GRANTED),
            elevations.end(uuid4(), REVOKED),
        ):
            with pytest.raises(NotFound):
                await attempt


@pytest.mark.parametrize("change", [{"reason": "a\0"}, {"ticket": "x" * 201}, {"reason": "\ud800"}])
async def test_what_cannot_be_stored_is_named(
    database: Database, tenant: TenantId, change: dict[str, str]
) -> None:
    with pytest.raises(InvalidValue):
        await make(database, tenant, **change)

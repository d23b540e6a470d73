"""Grants outlive a restart, and uses are written down: table, journal and live state together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from bascule.app.grant_keeping import UseKeeper, open_use_keeper, restore
from bascule.gateway.elevation import Grant, Scope, ScopeKind
from bascule.gateway.principal import Principal
from bascule.gateway.record import EventType, Status
from bascule.gateway.state import StateStore
from bascule.gateway.tool import McpSource, Tool
from bascule.policy.elevation import ElevationStatus, call_digest, holder_of
from bascule.state.memory import MemoryState
from bascule.storage.database import Database
from bascule.storage.repositories.elevations import (
    ElevationDraft,
    Elevations,
    Ending,
    Origin,
    Ruling,
    StoredElevation,
)
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from contract.state.stores import store, valkey_url
from contract.storage.databases import (
    database,
    database_url,
    empty_database,
    engine,
    migrated_url,
    tenant,
)
from fakes.elevations import DIGEST, Elevating
from fakes.recorder import FakeRecorder

__all__ = [
    "database",
    "database_url",
    "empty_database",
    "engine",
    "migrated_url",
    "store",
    "tenant",
    "valkey_url",
]

ANN: Final = Principal("default", "ann", frozenset(), user_id="u1", agent="desk")
REFUND: Final = Tool("refund", "", "pay", McpSource("s", "refund"), {})
REFUNDS: Final = Scope(ScopeKind.TOOL, "refund")
ONE_CALL: Final = Scope(ScopeKind.CALL, "refund", call_digest(DIGEST, REFUND, {"n": 1}))
PAY: Final = Scope(ScopeKind.BUNDLE, "pay")


@dataclass
class Process:
    """One that serves calls: its live grants, and what keeps track of their uses."""

    ground: Elevating
    keeper: UseKeeper
    recorder: FakeRecorder

    async def call(self, n: int = 1) -> Grant | None:
        """What a call is covered by."""
        found = await self.ground.live.check(ANN, REFUND, {"n": n}, continues="")
        for use in self.ground.used:
            self.keeper.note(use)
        self.ground.used.clear()
        return found.grant


@asynccontextmanager
async def process(
    database: Database, store: StateStore, now: float = 0.0
) -> AsyncGenerator[Process]:
    """A process that has begun on the table and the store."""
    ground, recorder = Elevating(store), FakeRecorder()
    ground.now = now or ground.now
    async with open_use_keeper(database, recorder, lambda: ground.now) as keeper:
        await restore(database, ground.live, ["default", "nowhere"])
        yield Process(ground, keeper, recorder)


async def grant(database: Database, tenant: TenantId, scope: Scope = REFUNDS) -> StoredElevation:
    """An approved request in the table, good for an hour."""
    now = datetime.now(UTC)
    draft = ElevationDraft(
        holder_of(ANN), "ann", ANN.owner, scope, Origin("refund", "pay"), "why", "", 60, now,
        now + timedelta(days=1),
    )  # fmt: skip
    ruling = Ruling("bob", now, "", scope, 60, now + timedelta(hours=1), "ELV-1")
    async with database.jotting() as session:
        elevations = Elevations(session, tenant)
        return await elevations.rule((await elevations.create(draft)).id, ruling)


async def end(
    database: Database, tenant: TenantId, one: StoredElevation, status: ElevationStatus
) -> None:
    async with database.jotting() as session:
        await Elevations(session, tenant).end(one.id, Ending(status, datetime.now(UTC)))


async def status_of(database: Database, tenant: TenantId, one: StoredElevation) -> ElevationStatus:
    async with database.read() as session:
        return (await Elevations(session, tenant).get(one.id)).status


@pytest.mark.parametrize("scope", [REFUNDS, PAY, ONE_CALL], ids=lambda one: one.kind)
async def test_what_is_granted_counts_again_after_a_restart(
    database: Database, tenant: TenantId, scope: Scope
) -> None:
    granted = await grant(database, tenant, scope)
    async with process(database, MemoryState()) as one:
        found = await one.call()
    assert found is not None
    assert (found.id, found.reference, found.scope) == (str(granted.id), "ELV-1", scope)


@pytest.mark.parametrize(
    "status", [ElevationStatus.REVOKED, ElevationStatus.USED, ElevationStatus.EXPIRED]
)
async def test_what_ended_stays_ended_after_a_restart(
    database: Database, tenant: TenantId, status: ElevationStatus
) -> None:
    await end(database, tenant, await grant(database, tenant, ONE_CALL), status)
    async with process(database, MemoryState()) as one:
        assert await one.call() is None


async def test_what_is_over_by_the_clock_is_not_put_back(
    database: Database, tenant: TenantId
) -> None:
    granted = await grant(database, tenant)
    assert granted.expires_at is not None
    async with process(database, MemoryState(), granted.expires_at.timestamp()) as one:
        assert await one.call() is None


async def test_grants_of_one_tenant_are_put_back_for_that_one(
    database: Database, tenant: TenantId
) -> None:
    await grant(database, tenant)
    async with database.change(author="test") as session:
        await Tenants(session).create("acme")
    async with process(database, MemoryState()) as one:
        assert await restore(database, one.ground.live, ["acme"]) == 0
        assert await restore(database, one.ground.live, ["acme", "default"]) == 1
        elsewhere = replace(ANN, tenant="acme")
        assert (await one.ground.live.check(elsewhere, REFUND, {}, continues="")).grant is None


async def test_a_used_grant_is_marked_and_stays_used_after_a_restart(
    database: Database, tenant: TenantId
) -> None:
    granted = await grant(database, tenant, ONE_CALL)
    async with process(database, MemoryState()) as one:
        assert await one.call()
        await one.keeper.settle()
        assert await status_of(database, tenant, granted) is ElevationStatus.USED
    async with process(database, MemoryState()) as again:
        assert await again.call() is None


async def test_what_is_used_as_the_process_stops_is_marked_before_it_ends(
    database: Database, tenant: TenantId
) -> None:
    granted = await grant(database, tenant, ONE_CALL)
    async with process(database, MemoryState()) as one:
        assert await one.call()
    assert await status_of(database, tenant, granted) is ElevationStatus.USED


async def test_a_grant_for_more_than_a_call_stays_live(
    database: Database, tenant: TenantId
) -> None:
    granted = await grant(database, tenant)
    async with process(database, MemoryState()) as one:
        assert await one.call(1)
        assert await one.call(2)
    assert await status_of(database, tenant, granted) is ElevationStatus.APPROVED


async def test_each_use_is_on_record_without_the_arguments(
    database: Database, tenant: TenantId
) -> None:
    granted = await grant(database, tenant)
    async with process(database, MemoryState()) as one:
        await one.call(7)
        await one.call(8)
    first, second = one.recorder.records
    assert (first.event_type, first.action, first.status) == (
        EventType.ELEVATION, "elevation.used", Status.SUCCESS,
    )  # fmt: skip
    assert (first.tenant, first.user, first.agent, first.tool_name) == (
        "default",
        "ann",
        "desk",
        "refund",
    )
    assert first.metadata == {
        "elevation": str(granted.id),
        "scope": "tool:refund",
        "reference": "ELV-1",
    }
    assert (first.arguments, second.arguments_digest) == (None, "")


async def test_a_grant_that_ended_while_it_was_used_stays_as_it_is(
    database: Database, tenant: TenantId
) -> None:
    granted = await grant(database, tenant, ONE_CALL)
    async with process(database, MemoryState()) as one:
        await end(database, tenant, granted, ElevationStatus.REVOKED)
        assert await one.call(), "the table alone ends nothing: whoever revokes drops it, too"
        await one.keeper.settle()
    assert await status_of(database, tenant, granted) is ElevationStatus.REVOKED


async def test_what_another_manager_granted_is_recorded_but_not_looked_for(
    database: Database, tenant: TenantId
) -> None:
    async with process(database, MemoryState()) as one:
        await grant(database, tenant)
        await one.ground.live.put("default", one.ground.grant(ANN, ONE_CALL))
        assert await one.call(), "there is no such row"
        await one.keeper.settle()
    assert len(one.recorder.records) == 1


async def test_a_second_process_on_the_same_store_brings_no_used_grant_back(
    database: Database, tenant: TenantId, store: StateStore
) -> None:
    await grant(database, tenant, ONE_CALL)
    async with process(database, store) as one:
        found = await one.ground.live.check(ANN, REFUND, {"n": 1}, continues="")
        assert found.grant, "used, and not written down yet"
        async with process(database, store) as other:
            assert await other.call() is None


async def test_processes_that_start_while_grants_are_revoked_put_nothing_back(
    database: Database, tenant: TenantId, store: StateStore
) -> None:
    ground = Elevating(store)
    for _ in range(5):
        granted = await grant(database, tenant)
        await ground.live.put("default", granted)

        async def revoke(one: StoredElevation = granted) -> None:
            async with database.jotting() as session:
                elevations = Elevations(session, tenant)
                await elevations.lock()
                await elevations.end(one.id, Ending(ElevationStatus.REVOKED, datetime.now(UTC)))
                await ground.live.drop("default", one)

        async with asyncio.timeout(20):
            await asyncio.gather(
                revoke(), *(restore(database, ground.live, ["default"]) for _ in range(3))
            )
        assert (await ground.live.check(ANN, REFUND, {}, continues="")).grant is None

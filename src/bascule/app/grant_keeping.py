"""Grants between the table and the live state: put back after a restart, marked once used.

A use is written down beside the call, not before it. Where the process dies within that moment, a
grant for one call may be put back although it was used; the journal says that it was.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from bascule.api.elevated import LiveGrants
from bascule.app.background import Background
from bascule.app.elevation import Use
from bascule.gateway.elevation import ScopeKind
from bascule.gateway.errors import Conflict, GatewayError, NotFound
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.record import AuditRecord, EventType, Recorder, Status
from bascule.policy.elevation import ElevationStatus, Step
from bascule.storage.database import Database
from bascule.storage.repositories.elevations import Elevations, Ending
from bascule.storage.repositories.tenants import Tenants

_log = structlog.get_logger(__name__)

_AGAIN_SECONDS: Final = 1.0
_MOST_TRIES: Final = 60
_SETTLE_SECONDS: Final = 5.0

Clock = Callable[[], float]
"""Gives seconds since the epoch."""


async def restore(database: Database, grants: LiveGrants, tenants: Iterable[str]) -> int:
    """Let calls see again what is granted in the table; gives how many grants that are.

    Under the lock that decisions are made under: what is revoked meanwhile is not put back.

    Raises:
        StorageError, StateUnavailable: not all were put back.
    """
    count = 0
    for name in tenants:
        async with database.jotting() as session:
            tenant = await Tenants(session).find(name)
            if tenant is None:
                continue
            elevations = Elevations(session, tenant.id)
            await elevations.lock()
            for one in await elevations.live(grants.now()):
                await grants.put(name, one)
                count += 1
    return count


class UseKeeper:
    """Records each use of a grant, and marks those for one call as used in the table."""

    def __init__(
        self, database: Database, recorder: Recorder, background: Background, clock: Clock
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._background = background
        self._clock = clock
        self._ids = Identifiers()
        self._marks: set[asyncio.Task[None]] = set()

    def note(self, use: Use) -> None:
        """Take note of a use; must be called within a running loop.

        The record is ahead of that of the call in the journal, so it is durable before its result
        leaves.
        """
        self._recorder.append(self._record(use)).add_done_callback(_look_at)
        if use.grant.scope.kind is ScopeKind.CALL and (grant_id := _stored_id(use.grant.id)):
            task = self._background.start(self._mark(use, grant_id))
            self._marks.add(task)
            task.add_done_callback(self._marks.discard)

    async def settle(self, seconds: float = _SETTLE_SECONDS) -> None:
        """Wait until every use so far is marked, but no longer than this."""
        if self._marks:
            await asyncio.wait(self._marks, timeout=seconds)

    async def _mark(self, use: Use, grant_id: UUID) -> None:
        ending = Ending(ElevationStatus.USED, self._now(), use.principal.subject)
        for attempt in range(_MOST_TRIES):
            if attempt:
                await asyncio.sleep(_AGAIN_SECONDS)
            try:
                async with self._database.jotting() as session:
                    tenant = await Tenants(session).get(use.principal.tenant)
                    await Elevations(session, tenant.id).end(grant_id, ending)
            except (Conflict, NotFound):
                return  # a grant of a PIM, or ended otherwise at the same time
            except GatewayError as failure:
                _log.warning("elevation.use_not_marked", reason=failure.private)
            else:
                return
        _log.error("elevation.use_never_marked", elevation=use.grant.id)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _record(self, use: Use) -> AuditRecord:
        principal, grant = use.principal, use.grant
        return AuditRecord(
            event_id=self._ids.next(),
            timestamp=datetime.now(UTC),
            event_type=EventType.ELEVATION,
            action=f"elevation.{Step.USED}",
            status=Status.SUCCESS,
            correlation_id="",
            tenant=principal.tenant,
            user=principal.subject,
            agent=principal.agent or "",
            tool_name=use.tool,
            key_id=principal.key_id or "",
            metadata={
                "elevation": grant.id,
                "scope": grant.scope.text,
                "reference": grant.reference,
            },
        )


@asynccontextmanager
async def open_use_keeper(
    database: Database, recorder: Recorder, clock: Clock = time.time
) -> AsyncGenerator[UseKeeper]:
    """Keep track of uses. At the end of the block what is not marked yet has five seconds."""
    async with Background() as background:
        keeper = UseKeeper(database, recorder, background, clock)
        try:
            yield keeper
        finally:
            await keeper.settle()


def _stored_id(grant_id: str) -> UUID | None:
    """The id of a grant of the table; those of a PIM have other names."""
    try:
        return UUID(grant_id)
    except ValueError:
        return None


def _look_at(done: asyncio.Future[None]) -> None:
    """A journal that fails is told by the record of the call itself."""
    if not done.cancelled():
        done.exception()

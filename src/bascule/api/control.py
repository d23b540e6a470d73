"""What the REST API works with: the database, the live gateway, and the record of changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from bascule.api.caller import Caller
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.record import AuditRecord, EventType, Recorder, Status
from bascule.gateway.snapshot import Snapshot
from bascule.identity.api_keys import AuthenticateKey, RevokedKeys
from bascule.storage.database import Database


@dataclass(frozen=True, slots=True)
class Control:
    """The control plane's collaborators, made once by the composition root.

    `refresh` compiles the committed state into a new snapshot and puts it in force;
    `snapshot` gives the one in force.
    """

    database: Database
    recorder: Recorder
    authenticator: AuthenticateKey
    revocations: RevokedKeys
    journal_directory: Path
    snapshot: Callable[[], Snapshot]
    refresh: Callable[[], Awaitable[Snapshot]]
    ids: Identifiers = field(default_factory=Identifiers)

    @asynccontextmanager
    async def change(
        self, caller: Caller, action: str, target: str, details: Mapping[str, object] | None = None
    ) -> AsyncIterator[AsyncSession]:
        """One audited transaction, in force when the block is left.

        The record is durable before the commit, so that no change goes unrecorded; a block that
        fails changes nothing and is recorded as a failure.
        """
        try:
            async with self.database.change(author=caller.subject) as session:
                yield session
                await self._record(caller, action, target, Status.SUCCESS, details)
        except (asyncio.CancelledError, Exception) as failure:
            note = {**(details or {}), "failure": type(failure).__name__}
            _drop(self._record(caller, action, target, Status.FAILURE, note))
            raise
        await self.refresh()

    def _record(
        self,
        caller: Caller,
        action: str,
        target: str,
        status: Status,
        details: Mapping[str, object] | None,
    ) -> asyncio.Future[None]:
        record = AuditRecord(
            event_id=self.ids.next(),
            timestamp=datetime.now(UTC),
            event_type=EventType.ADMIN_ACTION,
            action=action,
            status=status,
            correlation_id=caller.correlation_id,
            tenant=caller.tenant,
            user=caller.subject,
            snapshot_version=self.snapshot().version,
            metadata={"target": target, **(details or {})},
        )
        return self.recorder.append(record)


def _drop(pending: asyncio.Future[None]) -> None:
    pending.add_done_callback(lambda done: done.cancelled() or done.exception())

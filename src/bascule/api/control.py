"""What the REST API works with: the database, the live gateway, and the record of changes."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from bascule.api.caller import Caller
from bascule.api.condition import Conditions
from bascule.api.importing import ImportRules
from bascule.api.probing import Prober
from bascule.api.standing import Standings
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.record import AuditRecord, EventType, Recorder, Status
from bascule.gateway.snapshot import EMPTY_SNAPSHOT, Snapshot
from bascule.gateway.trickle import Trickle
from bascule.identity.api_keys import AuthenticateKey, RevokedKeys
from bascule.policy.access import Access
from bascule.storage.database import Database
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.upstreams.egress import AddressRules
from bascule.upstreams.secrets.box import SecretBox


class NotInForce(GatewayError):
    """A change was committed, but the gateway still works with the state before it."""

    error = ErrorCode.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Rows:
    """A transaction, and the tenant whose rows it may touch: what repositories are made of."""

    session: AsyncSession
    tenant_id: TenantId


@dataclass(frozen=True, slots=True)
class Denial:
    """A request that was refused: whose (if known), for what, and why. `reason` is private."""

    action: str
    correlation_id: str
    peer: str
    error: ErrorCode
    reason: str
    tenant: str = ""
    user: str = ""


class CurrentAccess:
    """The decisions of the latest snapshot, kept until there is another."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._access = Access(EMPTY_SNAPSHOT)

    def of(self, snapshot: Snapshot) -> Access:
        """The decisions of `snapshot`."""
        if snapshot is not self._snapshot:
            self._snapshot, self._access = snapshot, Access(snapshot)
        return self._access


@dataclass(frozen=True, slots=True)
class Control:
    """The control plane's collaborators, made once by the composition root.

    `refresh` compiles the committed state into a new snapshot and puts it in force;
    `snapshot` gives the one in force. Without `standings` nothing is known of MCP servers,
    without `conditions` nothing of breakers and health. `prober` tries services, `box` closes
    secrets.
    """

    database: Database
    recorder: Recorder
    authenticator: AuthenticateKey
    revocations: RevokedKeys
    journal_directory: Path
    snapshot: Callable[[], Snapshot]
    refresh: Callable[[], Awaitable[Snapshot]]
    standings: Standings | None = None
    conditions: Conditions | None = None
    prober: Prober | None = None
    box: SecretBox | None = None
    imports: ImportRules = field(default_factory=ImportRules)
    grpc: AddressRules = field(default_factory=AddressRules)
    """Where gRPC services may be that are asked what they offer."""
    ids: Identifiers = field(default_factory=Identifiers)
    _access: CurrentAccess = field(default_factory=CurrentAccess)
    _strangers: Trickle = field(default_factory=Trickle)

    def access(self) -> Access:
        """Decisions from the snapshot in force; its tables are made once."""
        return self._access.of(self.snapshot())

    @asynccontextmanager
    async def read(self, caller: Caller) -> AsyncGenerator[Rows]:
        """The caller's rows as they are now."""
        async with self.database.read() as session:
            yield Rows(session, (await Tenants(session).get(caller.tenant)).id)

    @asynccontextmanager
    async def change(
        self,
        caller: Caller,
        action: str,
        target: str,
        details: Mapping[str, object] | None = None,
        then: Callable[[], None] | None = None,
    ) -> AsyncGenerator[Rows]:
        """One audited transaction, in force when the block is left.

        The record is durable before the commit, so that no change goes unrecorded; a block that
        fails changes nothing and is recorded as a failure. `then` runs once the change is
        committed, before anything else can fail.

        Raises:
            NotInForce: the change is stored, but the snapshot could not be renewed.
        """
        try:
            async with self.database.change(author=caller.subject) as session:
                yield Rows(session, (await Tenants(session).get(caller.tenant)).id)
                await self._record(caller, action, target, Status.SUCCESS, details)
        except (asyncio.CancelledError, Exception) as failure:
            note = {**(details or {}), "failure": type(failure).__name__}
            _drop(self._record(caller, action, target, Status.FAILURE, note))
            raise
        if then is not None:
            then()
        try:
            await self.refresh()
        except GatewayError as failure:
            raise NotInForce(
                "The change is stored, but not in force yet: it will be with the next change that "
                f"succeeds, or after a restart. {failure.public}",
                private=failure.private,
            ) from failure

    async def note_action(self, caller: Caller, action: str, target: str) -> None:
        """Record something done that changes no row; durable when this returns.

        Raises:
            RecordingFailed: it could not be recorded, so it should not be done.
        """
        await self._record(caller, action, target, Status.SUCCESS, None)

    def note_denial(self, denial: Denial) -> None:
        """Record that a request to the REST API was refused; nobody waits for it.

        Strangers' refusals are kept up to a bound, like those of the gateway.
        """
        held_back = None if denial.user else self._strangers.take(time.monotonic())
        if denial.user or held_back is not None:
            metadata: dict[str, object] = {"held_back": held_back} if held_back else {}
            record = AuditRecord(
                event_id=self.ids.next(),
                timestamp=datetime.now(UTC),
                event_type=EventType.ADMIN_ACTION if denial.user else EventType.AUTH_EVENT,
                action=denial.action,
                status=Status.DENIED,
                correlation_id=denial.correlation_id,
                tenant=denial.tenant,
                user=denial.user,
                peer=denial.peer,
                error_code=denial.error.code,
                error_message=denial.reason,
                snapshot_version=self.snapshot().version,
                metadata=metadata,
            )
            _drop(self.recorder.append(record))

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

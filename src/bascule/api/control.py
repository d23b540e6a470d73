"""What the REST API works with: the database, the live gateway, and the record of changes."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from bascule.api.assistant import Assistant
from bascule.api.caller import Caller
from bascule.api.condition import Conditions
from bascule.api.consenting import Consents
from bascule.api.elevated import LiveGrants
from bascule.api.exports import Exports
from bascule.api.importing import ImportRules
from bascule.api.probing import Prober
from bascule.api.signing import BrowserSessions
from bascule.api.standing import Standings
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.inspection import RegoInspector
from bascule.gateway.principal import Presented
from bascule.gateway.record import AuditRecord, EventType, Recorder, Status
from bascule.gateway.snapshot import EMPTY_SNAPSHOT, Snapshot
from bascule.gateway.trickle import Trickle
from bascule.identity.api_keys import RevokedKeys
from bascule.identity.authenticate import Authenticate
from bascule.identity.passwords import LEAST_CHARACTERS, Passwords
from bascule.identity.tokens import Tokens
from bascule.plugins import ToolConnector
from bascule.plugins.loading import Loaded
from bascule.policy.access import Access
from bascule.storage.database import Database
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.transports.access import host_of
from bascule.transports.peers import peer_in
from bascule.transports.places import Place
from bascule.upstreams.egress import AddressRules
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.wasm.limits import SandboxLimits


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


def _forget(tenant: str, key_id: str) -> None:
    del tenant, key_id


class CurrentAccess:
    """The decisions of the latest snapshot, kept until there is another."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._access = Access(EMPTY_SNAPSHOT)

    def of(self, snapshot: Snapshot, decisions: Callable[[Snapshot], Access]) -> Access:
        """The decisions of `snapshot`, made by `decisions`."""
        if snapshot is not self._snapshot:
            self._snapshot, self._access = snapshot, decisions(snapshot)
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
    authenticator: Authenticate
    revocations: RevokedKeys
    journal_directory: Path
    snapshot: Callable[[], Snapshot]
    refresh: Callable[[], Awaitable[Snapshot]]
    standings: Standings | None = None
    conditions: Conditions | None = None
    prober: Prober | None = None
    box: SecretBox | None = None
    sessions: BrowserSessions | None = None
    """People who signed in to the console; None where nobody can."""
    tokens: Tokens | None = None
    """Access tokens of issuers; None where none is accepted."""
    resolve: Callable[[str, str], Awaitable[str]] | None = None
    """What a text with references stands for in a tenant; None where no secrets are read."""
    consents: Consents | None = None
    """Authorizations that wait for people; None where no server is called on their behalf."""
    elevations: LiveGrants | None = None
    """Grants as calls see them; None where nobody can ask for elevation."""
    rego: RegoInspector | None = None
    """What compiles policies in Rego and runs their tests; None where none can be kept."""
    decisions: Callable[[Snapshot], Access] = Access
    """Makes decisions over a snapshot: over one that is not in force just as over one that is."""
    assistant: Assistant | None = None
    """The assistant that people talk to; None where there is none."""
    passwords: Passwords | None = None
    """How passwords of accounts are kept; None where there are none."""
    least_password_characters: int = LEAST_CHARACTERS
    note_use: Callable[[str, str], None] = _forget
    """Is told the tenant and id of each API key that a request was made with; must not block."""
    imports: ImportRules = field(default_factory=ImportRules)
    plugins: Sequence[Loaded] = ()
    connectors: Mapping[str, ToolConnector] = field(default_factory=dict[str, ToolConnector])
    """What plugins connect to."""
    sandbox: SandboxLimits = field(default_factory=SandboxLimits)
    grpc: AddressRules = field(default_factory=AddressRules)
    """Where gRPC services may be that are asked what they offer."""
    place: Place = field(default_factory=Place)
    """Where clients find this gateway."""
    metrics: Callable[[str], tuple[str, bytes]] | None = None
    """All metrics by the Accept header: their content type and body; None where they are off."""
    ids: Identifiers = field(default_factory=Identifiers)
    _access: CurrentAccess = field(default_factory=CurrentAccess)
    exports: Exports = field(default_factory=Exports)
    """Of the journal, those under way."""
    _strangers: Trickle = field(default_factory=Trickle)

    def presented(self, request: Request, credential: str | None) -> Presented:
        """What `request` brings to prove who sends it, besides a session."""
        host = host_of(request.headers.get("host", "").encode("latin-1"))
        return Presented(credential, peer_in(request.scope).certificate, host)

    def access(self) -> Access:
        """Decisions from the snapshot in force; its tables are made once."""
        return self._access.of(self.snapshot(), self.decisions)

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
        fails changes nothing and is recorded as a failure. `details` may be added to until the
        block ends. `then` runs once the change is committed, before anything else can fail.

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

    @asynccontextmanager
    async def jot(
        self,
        caller: Caller,
        action: str,
        target: str,
        details: Mapping[str, object] | None = None,
    ) -> AsyncGenerator[Rows]:
        """As `change`, of what no snapshot holds: it counts for no version, and renews nothing."""
        try:
            async with self.database.jotting() as session:
                yield Rows(session, (await Tenants(session).get(caller.tenant)).id)
                await self._record(caller, action, target, Status.SUCCESS, details)
        except (asyncio.CancelledError, Exception) as failure:
            note = {**(details or {}), "failure": type(failure).__name__}
            _drop(self._record(caller, action, target, Status.FAILURE, note))
            raise

    async def note_action(
        self,
        caller: Caller,
        action: str,
        target: str,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Record something done that changes no row; durable when this returns.

        Raises:
            RecordingFailed: it could not be recorded, so it should not be done.
        """
        await self._record(caller, action, target, Status.SUCCESS, details)

    async def note_failure(
        self, caller: Caller, action: str, target: str, details: Mapping[str, object]
    ) -> None:
        """Record that something was tried in vain. Raises as `note_action`."""
        await self._record(caller, action, target, Status.FAILURE, details)

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
            agent=caller.principal.agent or "",
            key_id=caller.principal.key_id or "",
            snapshot_version=self.snapshot().version,
            metadata={"target": target, **_away(caller), **(details or {})},
        )
        return self.recorder.append(record)


def _away(caller: Caller) -> dict[str, object]:
    """What a record says of who acts in a tenant that is not their own."""
    return {} if caller.home is None else {"home_tenant": caller.home}


def _drop(pending: asyncio.Future[None]) -> None:
    pending.add_done_callback(lambda done: done.cancelled() or done.exception())

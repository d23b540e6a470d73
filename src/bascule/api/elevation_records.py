"""What the journal says of requests for elevation: never the arguments of a call, nor reasons."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.gateway.errors import Forbidden, GatewayError
from bascule.gateway.record import AuditRecord, EventType, Status
from bascule.policy.elevation import Step
from bascule.storage.repositories.elevations import StoredElevation


class ElevationRecords:
    """Writes down each step: who did it, for whom, and what it is about."""

    def __init__(self, control: Control) -> None:
        self._control = control

    async def done(self, caller: Caller, step: Step, elevation: StoredElevation) -> None:
        """Record what `caller` did; durable when this returns.

        Raises:
            RecordingFailed: it could not be recorded, so it must not be done.
        """
        record = self._record(caller, step, Status.SUCCESS, _metadata(elevation), elevation.tool)
        await self._control.recorder.append(record)

    def failed(self, caller: Caller, step: Step, target: str, failure: BaseException) -> None:
        """Record that something was tried in vain; nobody waits for it."""
        status = Status.DENIED if isinstance(failure, Forbidden) else Status.FAILURE
        metadata: dict[str, object] = {"target": target[:200], "failure": type(failure).__name__}
        if isinstance(failure, GatewayError):
            metadata["reason"] = failure.private
        record = self._record(caller, step, status, metadata)
        self._control.recorder.append(record).add_done_callback(_look_at)

    def _record(
        self,
        caller: Caller,
        step: Step,
        status: Status,
        metadata: Mapping[str, object],
        tool: str = "",
    ) -> AuditRecord:
        principal = caller.principal
        away = {} if caller.home is None else {"home_tenant": caller.home}
        # Time has no name: who happened to look is not who let it expire.
        by_time = step is Step.EXPIRED
        return AuditRecord(
            event_id=self._control.ids.next(),
            timestamp=datetime.now(UTC),
            event_type=EventType.ELEVATION,
            action=f"elevation.{step}",
            status=status,
            correlation_id=caller.correlation_id,
            tenant=caller.tenant,
            user="" if by_time else caller.subject,
            agent="" if by_time else principal.agent or "",
            key_id="" if by_time else principal.key_id or "",
            tool_name=tool,
            snapshot_version=self._control.snapshot().version,
            metadata={**metadata, **({} if by_time else away)},
        )


def _metadata(elevation: StoredElevation) -> dict[str, object]:
    found: dict[str, object] = {
        "elevation": str(elevation.id),
        "requester": elevation.holder.subject,
        "asked_by": elevation.asked_by,
        "scope": elevation.scope.text,
        "asked_scope": elevation.asked_scope,
        "minutes": elevation.minutes,
        "ticket": elevation.ticket,
        "approver": elevation.decided_by,
        "reference": elevation.reference,
    }
    if elevation.expires_at is not None:
        found["expires_at"] = elevation.expires_at.isoformat()
    return {name: value for name, value in found.items() if value != ""}


def _look_at(done: asyncio.Future[None]) -> None:
    if not done.cancelled():
        done.exception()

"""`/api/admin/audit-logs`."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bascule.api.access import AuditReader, ControlPlane
from bascule.audit.reading import Filter, tail
from bascule.gateway.record import Status

# No record is older, and times near year 1 cannot be reckoned with.
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

router = APIRouter(prefix="/api/admin/audit-logs", tags=["audit"])


class AuditLogs(BaseModel):
    """Records of the caller's tenant (a system administrator's: of all), newest first.

    `total` counts those in this answer.
    """

    logs: list[dict[str, Any]]
    total: int


@router.get("")
async def list_audit_logs(
    control: ControlPlane,
    caller: AuditReader,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    tool_name: str | None = None,
    user_id: str | None = None,
    status: Status | None = None,
    correlation_id: str | None = None,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
) -> AuditLogs:
    """Query the audit journal."""
    match = Filter(
        tool_name=tool_name,
        user=user_id,
        status=status,
        correlation_id=correlation_id,
        since=start_date and max(_aware(start_date), _EPOCH),
        until=end_date and _aware(end_date),
        tenant=None if caller.principal.may("system_admin") else caller.tenant,
    )
    # Reading files takes a moment that the event loop does not have.
    found = await asyncio.to_thread(tail, control.journal_directory, limit, match)
    return AuditLogs(logs=found, total=len(found))


def _aware(time: datetime) -> datetime:
    """A time without a zone is taken for UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time

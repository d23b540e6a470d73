"""`/api/admin/audit-logs`."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bascule.api.access import AuditReader, ControlPlane
from bascule.audit.reading import Filter, tail
from bascule.gateway.errors import Forbidden
from bascule.gateway.record import Status

# No record is older, and times near year 1 cannot be reckoned with.
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SYSTEM_ADMIN: Final = "system_admin"

router = APIRouter(prefix="/api/admin/audit-logs", tags=["audit"])


_CHAIN: Final = ("seq", "prev", "hash", "snapshot_version")
"""What counts everything that happens here, whoever does it: nothing for one tenant to see."""


class AuditLogs(BaseModel):
    """Records of the tenant the caller acts in, newest first; `total` counts those in this answer.

    A system administrator's have their place in the journal: `seq`, `prev`, `hash`, and the
    `snapshot_version` that was in force. With `all_tenants` they are of all, and of strangers.
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
    *,
    all_tenants: bool = False,
) -> AuditLogs:
    """Query the audit journal; `all_tenants` is for system administrators."""
    is_ours = caller.principal.may(_SYSTEM_ADMIN)
    if all_tenants and not is_ours:
        raise Forbidden(
            "Only a system administrator reads the records of all tenants.",
            details={"permission": _SYSTEM_ADMIN},
        )
    match = Filter(
        tool_name=tool_name,
        user=user_id,
        status=status,
        correlation_id=correlation_id,
        since=start_date and max(_aware(start_date), _EPOCH),
        until=end_date and _aware(end_date),
        tenant=None if all_tenants else caller.tenant,
    )
    # Reading files takes a moment that the event loop does not have.
    found = await asyncio.to_thread(tail, control.journal_directory, limit, match)
    if not is_ours:
        found = [{key: one for key, one in log.items() if key not in _CHAIN} for log in found]
    return AuditLogs(logs=found, total=len(found))


def _aware(time: datetime) -> datetime:
    """A time without a zone is taken for UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time

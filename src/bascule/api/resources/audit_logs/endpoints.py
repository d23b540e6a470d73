"""`/api/admin/audit-logs`."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from bascule.api.access import AuditReader, ControlPlane
from bascule.api.exports import Exports
from bascule.audit.export import export_blocks
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

    `tenant_seq`, `tenant_prev` and `tenant_hash` are their place in the chain of their tenant. A
    system administrator's have their place in the journal, too: `seq`, `prev`, `hash`, and the
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


class _Lines(StreamingResponse):
    media_type = "application/jsonl"


class _Export(_Lines):
    """An export of one tenant, which counts as one while it is read."""

    def __init__(self, exports: Exports, tenant: str, blocks: Iterator[bytes]) -> None:
        headers = {
            "content-disposition": 'attachment; filename="audit.jsonl"',
            "x-content-type-options": "nosniff",
        }
        self._exports, self._tenant = exports, tenant
        super().__init__(exports.read(blocks), headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._exports.place(self._tenant):
            await super().__call__(scope, receive, send)


# As for all routes, but said again: by itself an error would be described as lines, too.
_ERROR: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
_EXPORTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Records, one in each line, and the end of each chain."},
    "4XX": {"description": "The request was refused; says why.", "content": _ERROR},
    "5XX": {"description": "The server failed; says what to do.", "content": _ERROR},
}


@router.get("/export", response_class=_Lines, responses=_EXPORTED)
async def export_audit_logs(control: ControlPlane, caller: AuditReader) -> StreamingResponse:
    """Give all records of the tenant the caller acts in, as lines that prove themselves.

    Each is the record as it stands in the journal, without what counts the doings of others. They
    are a chain, and `bascule audit verify FILE` checks it. Oldest first; where there are several
    writers one after the other; after each a line with the member `end_of_chain`. A tenant may
    have two exports under way.
    """
    blocks = await asyncio.to_thread(export_blocks, control.journal_directory, caller.tenant)
    return _Export(control.exports, caller.tenant, blocks)


def _aware(time: datetime) -> datetime:
    """A time without a zone is taken for UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time

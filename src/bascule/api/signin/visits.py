"""Where a request for sign-in comes from, and what is written down of it."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request

from bascule.api.control import Control
from bascule.api.correlation import correlation_id_of
from bascule.gateway.errors import ErrorCode
from bascule.gateway.record import AuditRecord, EventType, Status


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, as far as its sender's sign-in is concerned."""

    correlation_id: str
    peer: str = ""
    agent: str = ""


def visit_of(request: Request) -> Visit:
    """The visit that `request` is."""
    return Visit(
        correlation_id_of(request),
        request.client.host if request.client else "",
        request.headers.get("user-agent", ""),
    )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a sign-in. `reason` is private."""

    action: str
    tenant: str
    user: str = ""
    status: Status = Status.SUCCESS
    error: ErrorCode | None = None
    reason: str = ""


def write_down(control: Control, visit: Visit, event: Event, **metadata: object) -> Awaitable[None]:
    """Record `event`; durable when what is given is done. It may be dropped.

    Raises:
        RecordingFailed: when awaited, where it could not be recorded.
    """
    record = AuditRecord(
        event_id=control.ids.next(),
        timestamp=datetime.now(UTC),
        event_type=EventType.AUTH_EVENT,
        action=event.action,
        status=event.status,
        correlation_id=visit.correlation_id,
        tenant=event.tenant,
        user=event.user,
        peer=visit.peer,
        error_code=event.error.code if event.error else "",
        error_message=event.reason,
        snapshot_version=control.snapshot().version,
        metadata=metadata,
    )
    done = control.recorder.append(record)
    # Whoever does not wait is not told of a failure; the journal's own health is.
    done.add_done_callback(lambda future: future.cancelled() or future.exception())
    return done

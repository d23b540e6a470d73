"""Records the journal makes about itself."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from bascule.audit.recovery import Repair
from bascule.gateway.record import AuditRecord, EventType, Status


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without writing: since `since` seconds of `time.monotonic`, where it failed."""

    failure: Exception | None
    since: float
    late_records: int
    lost_records: int


def recovered_record(event_id: str, outage: Outage) -> AuditRecord:
    """Written after the `late_records` before it; `lost_records` are on no record at all."""
    failure = outage.failure
    facts: dict[str, object] = {
        "cause": str(failure) if failure else "the disk was too slow",
        "seconds": round(time.monotonic() - outage.since, 3) if failure else 0.0,
        "late_records": outage.late_records,
        "lost_records": outage.lost_records,
    }
    return _lifecycle_record(event_id, "journal.recovered", facts)


def repaired_record(event_id: str, repair: Repair) -> AuditRecord:
    """Written at the start that moved a torn end aside."""
    return _lifecycle_record(event_id, "journal.repaired", repair_facts(repair))


def repair_facts(repair: Repair) -> dict[str, object]:
    """What was moved and where to, by file name."""
    return {
        "segment": repair.segment.name,
        "moved_to": repair.side_file.name,
        "moved_bytes": repair.moved_bytes,
    }


def _lifecycle_record(event_id: str, action: str, facts: dict[str, object]) -> AuditRecord:
    return AuditRecord(
        event_id=event_id,
        timestamp=datetime.now(UTC),
        event_type=EventType.LIFECYCLE,
        action=action,
        status=Status.SUCCESS,
        correlation_id=event_id,
        metadata=facts,
    )

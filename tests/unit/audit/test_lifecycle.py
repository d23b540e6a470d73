"""The journal's records about itself."""

import time
from pathlib import Path

from bascule.audit.lifecycle import Outage, recovered_record, repair_facts, repaired_record
from bascule.audit.recovery import Repair
from bascule.gateway.record import EventType


def test_recovery_says_what_failed_for_how_long_and_what_was_lost() -> None:
    outage = Outage(OSError(28, "No space left on device"), time.monotonic() - 60, 5, 7)

    record = recovered_record("event-1", outage)

    assert (record.event_type, record.action) == (EventType.LIFECYCLE, "journal.recovered")
    assert record.metadata["cause"] == "[Errno 28] No space left on device"
    assert (record.metadata["late_records"], record.metadata["lost_records"]) == (5, 7)
    seconds = record.metadata["seconds"]
    assert isinstance(seconds, float)
    assert 60 <= seconds < 65


def test_slow_disk_is_no_failure() -> None:
    record = recovered_record("event-1", Outage(None, 0.0, 5, 0))

    assert record.metadata["cause"] == "the disk was too slow"
    assert record.metadata["seconds"] == 0.0


def test_repair_names_both_files_and_the_bytes() -> None:
    repair = Repair(Path("/audit/g-00000001.jsonl"), Path("/audit/g-00000001.jsonl.torn-1"), 99)

    assert repaired_record("event-1", repair).metadata == repair_facts(repair)
    assert repair_facts(repair) == {
        "segment": "g-00000001.jsonl",
        "moved_to": "g-00000001.jsonl.torn-1",
        "moved_bytes": 99,
    }

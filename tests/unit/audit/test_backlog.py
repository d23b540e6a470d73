"""What is kept while the disk takes nothing."""

import msgspec

from bascule.audit.backlog import Backlog
from bascule.audit.lines import encode


def test_records_are_kept_in_order_and_marked_as_late(make_record) -> None:
    backlog = Backlog()
    backlog.add(make_record(1, metadata={"origin": "console"}))
    backlog.add(make_record(2))

    kept = backlog.peek()

    assert [record.event_id for record in kept] == ["event-1", "event-2"]
    assert kept[0].metadata == {"origin": "console", "written_late": True}
    assert kept[1].metadata == {"written_late": True}


def test_full_backlog_keeps_the_oldest_and_counts_the_rest(make_record) -> None:
    late = msgspec.structs.replace(make_record(1), metadata={"written_late": True})
    backlog = Backlog(max_bytes=2 * len(encode(late).fields))

    for n in range(1, 6):
        backlog.add(make_record(n))

    assert [record.event_id for record in backlog.peek()] == ["event-1", "event-2"]
    assert backlog.lost == 3


def test_dropped_records_make_room(make_record) -> None:
    late = msgspec.structs.replace(make_record(1), metadata={"written_late": True})
    backlog = Backlog(max_bytes=len(encode(late).fields))
    backlog.add(make_record(1))

    backlog.drop(1)
    backlog.add(make_record(2))

    assert [record.event_id for record in backlog.peek()] == ["event-2"]
    assert (len(backlog), backlog.lost) == (1, 0)


def test_lost_records_are_forgotten_as_far_as_they_were_reported(make_record) -> None:
    backlog = Backlog(max_bytes=0)
    for n in range(3):
        backlog.add(make_record(n))

    backlog.forget_lost(2)

    assert backlog.lost == 1

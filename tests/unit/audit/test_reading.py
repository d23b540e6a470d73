"""Finding records without reading whole journals."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bascule.audit.config import JournalConfig
from bascule.audit.disk import Disk
from bascule.audit.journal import open_journal
from bascule.audit.lines import MAX_LINE_BYTES, encode
from bascule.audit.reading import Facts, Filter, records_of, tail
from bascule.audit.recovery import recover
from bascule.audit.writer import ChainWriter
from bascule.gateway.errors import NotFound
from bascule.gateway.record import Status

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


def numbers(found: list[dict[str, object]]) -> list[object]:
    return [record["seq"] for record in found]


def test_newest_records_come_first_across_segments(tmp_path: Path, write_journal) -> None:
    write_journal(tmp_path, 10, per_segment=3)

    assert numbers(tail(tmp_path, 5)) == [10, 9, 8, 7, 6]
    assert numbers(tail(tmp_path, 100)) == list(range(10, 0, -1))
    assert tail(tmp_path, 0) == tail(tmp_path, -1) == []


def test_record_is_given_with_its_place_in_the_chain(tmp_path: Path, write_journal) -> None:
    write_journal(tmp_path, 2)

    newest, first = tail(tmp_path, 2)

    assert (newest["event_id"], newest["tool_name"]) == ("event-2", "book_service")
    assert newest["prev"] == first["hash"]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Filter(tool_name="cancel"), [4, 2]),
        (Filter(user="bob"), [3]),
        (Filter(status=Status.DENIED), [4]),
        (Filter(correlation_id="correlation-1"), [1]),
        (Filter(tenant="acme"), [3]),
        (Filter(tenant=""), [4, 2, 1]),
        (Filter(since=NOON + timedelta(seconds=3)), [4, 3]),
        (Filter(until=NOON + timedelta(seconds=2)), [2, 1]),
        (Filter(tool_name="cancel", status=Status.SUCCESS), [2]),
        (Filter(user="nobody"), []),
        (Filter(user=""), []),
    ],
)
async def test_filter_selects(
    tmp_path: Path, make_record, match: Filter, expected: list[int]
) -> None:
    async with open_journal(JournalConfig(tmp_path)) as journal:
        await journal.append(make_record(1))
        await journal.append(make_record(2, tool_name="cancel"))
        await journal.append(make_record(3, user="bob", tenant="acme"))
        await journal.append(make_record(4, tool_name="cancel", status=Status.DENIED))

    assert numbers(tail(tmp_path, 10, match)) == expected


async def test_record_with_a_default_user_is_found_by_the_empty_name(
    tmp_path: Path, make_record
) -> None:
    async with open_journal(JournalConfig(tmp_path)) as journal:
        await journal.append(make_record(1, user=""))

    assert numbers(tail(tmp_path, 10, Filter(user=""))) == [1]


async def test_writers_are_merged_by_time(tmp_path: Path, make_record) -> None:
    async with (
        open_journal(JournalConfig(tmp_path, writer="a")) as one,
        open_journal(JournalConfig(tmp_path, writer="b")) as two,
    ):
        for n in range(1, 7):
            await (one if n % 3 else two).append(make_record(n))

    found = tail(tmp_path, 10)

    assert [record["event_id"] for record in found] == [f"event-{n}" for n in range(6, 0, -1)]
    assert numbers(tail(tmp_path, 10, writer="b")) == [2, 1]


def test_reading_stops_at_the_time_asked_for(tmp_path: Path, write_journal) -> None:
    paths = write_journal(tmp_path, 3000, per_segment=1000)
    paths[0].write_bytes(b"not a journal\n")
    since = NOON + timedelta(seconds=2500)

    with capture_logs() as logs:
        found = tail(tmp_path, 10_000, Filter(since=since))

    assert numbers(found) == list(range(3000, 2499, -1))
    assert logs == []


async def test_record_of_a_clock_set_back_does_not_hide_earlier_ones(
    tmp_path: Path, make_record
) -> None:
    async with open_journal(JournalConfig(tmp_path)) as journal:
        await journal.append(make_record(100))
        await journal.append(make_record(40))
        await journal.append(make_record(101))

    assert numbers(tail(tmp_path, 10, Filter(since=NOON + timedelta(seconds=90)))) == [3, 1]


def test_line_still_being_written_is_left_out(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 3)
    path.write_bytes(path.read_bytes()[:-5])

    assert numbers(tail(tmp_path, 10)) == [2, 1]


def test_unreadable_lines_are_left_out_and_logged(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1], lines[2] = b"\xff garbage\n", b"x" * (3 * MAX_LINE_BYTES) + b"\n"
    path.write_bytes(b"".join(lines))

    with capture_logs() as logs:
        assert numbers(tail(tmp_path, 10)) == [4, 1]
    assert [entry["event"] for entry in logs] == ["journal.line_unreadable"]


@given(count=st.integers(0, 30), size=st.integers(0, 200_000), limit=st.integers(0, 40))
@settings(max_examples=25, deadline=None)
def test_lines_of_any_length_are_found_across_the_blocks_read(
    count: int, size: int, limit: int, make_record, tmp_path_factory
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    chain = ChainWriter(recover(directory, "gateway")[0], 1_000_000, Disk())
    sizes = [(size * (n * 7919 % 13)) // 13 for n in range(count)]
    chain.commit([encode(make_record(n, arguments="x" * length)) for n, length in enumerate(sizes)])
    chain.close()

    assert numbers(tail(directory, limit)) == list(range(count, 0, -1))[:limit]


def test_heads_of_tenants_are_no_records(tmp_path: Path, write_journal) -> None:
    paths = write_journal(tmp_path, 4, per_segment=2)
    assert paths[1].read_bytes().startswith(b'{"heads":')

    with capture_logs() as logs:
        found = tail(tmp_path, 10)

    assert numbers(found) == [4, 3, 2, 1]
    assert logs == []


def test_missing_directory_is_not_an_empty_answer(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        tail(tmp_path / "nowhere", 10)


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Filter(since=datetime(2026, 8, 1))  # noqa: DTZ001


class Brief(Facts):
    event_id: str = ""
    key_id: str = ""


def test_records_come_as_the_facts_that_are_wanted_newest_first(
    tmp_path: Path, write_journal
) -> None:
    write_journal(tmp_path, 7, per_segment=3)
    match = Filter(since=NOON + timedelta(seconds=3), until=NOON + timedelta(seconds=6))
    found = list(records_of(tmp_path, match, Brief))
    assert [one.event_id for one in found] == ["event-6", "event-5", "event-4", "event-3"]


def test_every_writer_is_read(tmp_path: Path, write_journal) -> None:
    write_journal(tmp_path, 2, writer="one")
    write_journal(tmp_path, 3, writer="two")
    assert len(list(records_of(tmp_path, Filter(), Brief))) == 5


def test_reading_can_stop_early(tmp_path: Path, write_journal) -> None:
    write_journal(tmp_path, 5)
    found = records_of(tmp_path, Filter(), Brief)
    assert next(found).event_id == "event-5"
    found.close()
    assert list(found) == []

"""A tenant's records, cut out of the journal: whole, provable, and nobody else's."""

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.audit.disk import Disk
from bascule.audit.export import export_blocks, export_tenant, verify_export
from bascule.audit.lines import Problem, encode
from bascule.audit.recovery import recover
from bascule.audit.segments import Segment
from bascule.audit.verify import verify
from bascule.audit.writer import ChainWriter
from bascule.gateway.errors import NotFound

TENANTS = ("", "acme", "eve")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.lists(st.sampled_from(TENANTS), max_size=5)),
        st.tuples(st.just("fail"), st.integers(1, 3)),
        st.tuples(st.just("tear"), st.integers(0, 400)),
    ),
    max_size=14,
)


@pytest.fixture(scope="session")
def write_tenants(make_record) -> Callable[..., None]:
    """Writes one record for each of the tenants, `per_segment` to a file."""

    def write(
        directory: Path, *tenants: str, per_segment: int = 1000, writer: str = "gateway"
    ) -> None:
        entries = [
            encode(make_record(n, tenant=tenant, user=f"user of {tenant}", snapshot_version=n))
            for n, tenant in enumerate(tenants, 1)
        ]
        for first in range(0, len(entries), per_segment):
            chain = ChainWriter(recover(directory, writer)[0], 1, Disk())
            assert chain.commit(entries[first:][:per_segment]).failure is None
            chain.close()

    return write


def exported(directory: Path, tenant: str) -> list[bytes]:
    return list(export_tenant(directory, tenant))


def event_ids(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["event_id"] for line in lines if b'"end_of_chain"' not in line]


def test_export_has_the_documented_form(tmp_path: Path, write_tenants) -> None:
    write_tenants(tmp_path, "acme", "eve", "acme")

    *lines, end = map(json.loads, exported(tmp_path, "acme"))

    assert [line["tenant_seq"] for line in lines] == [1, 2]
    assert lines[0]["tenant_prev"] == "0" * 64
    assert lines[1]["tenant_prev"] == lines[0]["tenant_hash"]
    assert end == {
        "end_of_chain": {
            "tenant": "acme",
            "writer": "gateway",
            "records": 2,
            "tenant_hash": lines[1]["tenant_hash"],
        }
    }


def test_lines_are_beginnings_of_those_of_the_journal(tmp_path: Path, write_tenants) -> None:
    write_tenants(tmp_path, "acme", "eve", "acme")
    journal = (tmp_path / "gateway-00000001.jsonl").read_bytes()

    for line in exported(tmp_path, "acme")[:-1]:
        assert line[:-2] in journal


def test_export_is_the_same_whatever_others_do(tmp_path: Path, make_record) -> None:
    """So it shows nothing of theirs, and nothing that counts what they do."""
    ours = [encode(make_record(n, tenant="acme", snapshot_version=n)) for n in range(1, 5)]
    theirs = [encode(make_record(n, tenant="eve", user="eve")) for n in range(3)]
    for name, entries in (("alone", ours), ("beside", [*theirs, *ours[:2], *theirs, *ours[2:]])):
        (tmp_path / name).mkdir()
        for entry in entries:
            position, _ = recover(tmp_path / name, "gateway")
            chain = ChainWriter(position, 2000, Disk())
            chain.commit([entry])
            chain.close()

    beside = exported(tmp_path / "beside", "acme")

    assert len(list((tmp_path / "beside").iterdir())) > len(list((tmp_path / "alone").iterdir()))
    assert beside == exported(tmp_path / "alone", "acme")
    for line in map(json.loads, beside):
        assert not {"seq", "prev", "hash", "snapshot_version"} & line.keys()


def test_records_without_a_tenant_are_a_chain_too(tmp_path: Path, write_tenants) -> None:
    write_tenants(tmp_path, "", "acme", "")

    result = verify_export(exported(tmp_path, ""), "")

    assert (result.tenant, result.records, result.chains, result.first_bad) == ("", 2, 1, None)
    assert event_ids(exported(tmp_path, "")) == ["event-1", "event-3"]


def test_line_that_is_being_written_ends_an_export(tmp_path: Path, write_tenants) -> None:
    """Its rest, and what follows by then, would come after a gap that looks like a forgery."""
    write_tenants(tmp_path, "acme", "acme", "acme")
    path = tmp_path / "gateway-00000001.jsonl"
    whole = path.read_bytes()
    first, second, _ = whole.splitlines(keepends=True)
    path.write_bytes(first + second[:100])

    class Growing(io.BytesIO):
        def readline(self, size: int | None = -1) -> bytes:
            line = super().readline(size)
            if not line.endswith(b"\n"):
                place = self.tell()
                self.write(whole[place:])
                self.seek(place)
            return line

    @contextmanager
    def grow(segment: Segment) -> Iterator[io.BytesIO]:
        yield Growing(segment.path.read_bytes())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bascule.audit.export.open_segment", grow)
        lines = exported(tmp_path, "acme")

    assert event_ids(lines) == ["event-1"]
    assert verify_export(lines, "acme").first_bad is None


def test_blocks_are_the_export_and_come_even_where_nothing_is_found(
    tmp_path: Path, write_tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bascule.audit.export._PAUSE_BYTES", 1000)
    write_tenants(tmp_path, "acme", *["eve"] * 20, "acme")

    blocks = list(export_blocks(tmp_path, "acme"))

    assert len(blocks) > 5
    assert blocks.count(b"") > 2
    assert b"".join(blocks) == b"".join(exported(tmp_path, "acme"))
    assert b"" not in exported(tmp_path, "acme")


def test_tenant_without_records_has_an_empty_chain(tmp_path: Path, write_tenants) -> None:
    write_tenants(tmp_path, "acme")

    result = verify_export(exported(tmp_path, "nobody"))

    assert (result.tenant, result.records, result.chains) == ("nobody", 0, 1)
    assert (result.first_bad, result.warnings) == (None, ())


def test_chains_of_several_writers_follow_each_other(tmp_path: Path, write_tenants) -> None:
    write_tenants(tmp_path, "acme", "acme", writer="one")
    write_tenants(tmp_path, "eve", "acme", writer="two")

    result = verify_export(exported(tmp_path, "acme"), "acme")

    assert (result.records, result.chains, result.first_bad) == (3, 2, None)


def test_name_that_is_a_part_of_another_gets_its_own_alone(tmp_path: Path, write_tenants) -> None:
    write_tenants(tmp_path, "acme", "acme2", 'a"cme', "acm")

    assert event_ids(exported(tmp_path, "acme")) == ["event-1"]
    assert event_ids(exported(tmp_path, 'a"cme')) == ["event-3"]


def test_name_in_arguments_does_not_bring_a_record_into_an_export(
    tmp_path: Path, make_record
) -> None:
    chain = ChainWriter(recover(tmp_path, "gateway")[0], 1000, Disk())
    arguments = {"tenant": "acme", "text": '"tenant":"acme"'}
    chain.commit([encode(make_record(1, tenant="eve", arguments=arguments))])
    chain.close()

    assert event_ids(exported(tmp_path, "acme")) == []
    assert event_ids(exported(tmp_path, "eve")) == ["event-1"]


def test_line_that_is_being_written_is_left_out(tmp_path: Path, write_tenants) -> None:
    write_tenants(tmp_path, "acme", "acme")
    path = tmp_path / "gateway-00000001.jsonl"
    path.write_bytes(path.read_bytes()[:-30])

    result = verify_export(exported(tmp_path, "acme"))

    assert (result.records, result.first_bad, result.warnings) == (1, None, ())


def test_records_of_the_older_format_are_counted_and_left_out(
    tmp_path: Path, old_lines, write_tenants
) -> None:
    (tmp_path / "gateway-00000001.jsonl").write_bytes(b"".join(old_lines(3)))
    write_tenants(tmp_path, "acme", "eve")

    result = verify_export(exported(tmp_path, "acme"))

    assert (result.records, result.first_bad) == (1, None)
    assert result.warnings[0].startswith("3 records of gateway are from before")


def test_export_of_later_segments_says_where_it_begins(tmp_path: Path, write_tenants) -> None:
    write_tenants(tmp_path, *["acme", "eve", "acme", "acme"], per_segment=1)
    (tmp_path / "gateway-00000001.jsonl").unlink()

    result = verify_export(exported(tmp_path, "acme"))

    assert (result.records, result.first_bad) == (2, None)
    assert result.warnings == (
        "chain 1 begins with record 2 of its tenant; those before it are not here",
    )


def test_directory_that_is_missing_is_noticed_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        export_tenant(tmp_path / "none", "acme")


def test_record_of_another_tenant_is_bad(tmp_path: Path, write_tenants) -> None:
    write_tenants(tmp_path, "acme", "eve")
    lines = exported(tmp_path, "acme")

    result = verify_export(lines, "eve")

    assert result.first_bad
    assert (result.line, result.first_bad.problem) == (1, Problem.TENANT)
    assert result.first_bad.detail == "a record of tenant 'acme' among those of 'eve'"
    result = verify_export(lines + exported(tmp_path, "eve"))
    assert result.line == 3
    result = verify_export(lines[1:], "eve")
    assert result.first_bad


def test_cut_at_the_end_shows_in_the_closing_line(tmp_path: Path, write_tenants) -> None:
    write_tenants(tmp_path, *["acme"] * 4)
    *lines, end = exported(tmp_path, "acme")

    result = verify_export([*lines[:-1], end])
    assert result.first_bad
    assert (result.line, result.first_bad.problem) == (4, Problem.GAP)
    assert result.first_bad.detail == "the chain is closed after 4 records, 3 are here"
    result = verify_export(lines[:-1])
    assert result.first_bad is None
    assert result.warnings == (
        "there is no line that closes the last chain, so its end may be missing",
    )
    assert verify_export([]).warnings != ()


@pytest.mark.parametrize("twice", ["chain", "end"])
def test_chain_that_comes_twice_is_bad(tmp_path: Path, write_tenants, twice: str) -> None:
    write_tenants(tmp_path, "acme")
    lines = exported(tmp_path, "acme")

    result = verify_export(lines + (lines if twice == "chain" else lines[-1:]))

    assert result.first_bad
    assert result.first_bad.problem is Problem.GAP


def test_closing_line_that_cannot_be_read_or_is_another_tenants_is_bad(
    tmp_path: Path, write_tenants
) -> None:
    write_tenants(tmp_path, "acme")
    line, end = exported(tmp_path, "acme")
    for wrong in (end.replace(b'"records":1', b'"records":"1"'), end.replace(b"acme", b"eve")):
        result = verify_export([line, wrong])
        assert result.first_bad
        assert result.line == 2


@given(steps=STEPS)
@settings(max_examples=120, deadline=None)
def test_whatever_happens_to_disk_and_process_all_chains_are_whole(
    steps: list[tuple[str, list[str] | int]], make_record, new_forgetful_disk
) -> None:
    durable: dict[str, list[str]] = defaultdict(list)
    number = 0
    with TemporaryDirectory() as name:
        directory, disk = Path(name), new_forgetful_disk()

        def start() -> ChainWriter:
            position, _ = recover(directory, "gateway")
            return ChainWriter(position, 3000, Disk(sync=disk.sync))

        chain = start()
        for step, argument in steps:
            if isinstance(argument, list):
                numbers = range(number, number + len(argument))
                number += len(argument)
                records = [
                    make_record(n, tenant=tenant)
                    for n, tenant in zip(numbers, argument, strict=True)
                ]
                done = chain.commit([encode(record) for record in records])
                for record in records[: done.durable]:
                    durable[record.tenant].append(record.event_id)
            elif step == "fail":
                disk.failures = argument
            else:
                disk.failures = 0
                chain.close()
                last = max(directory.glob("*.jsonl"))
                with last.open("ab") as file:
                    file.write(b'{"tenant_seq":1,"tenant_prev":"0'[:argument] + bytes(argument))
                chain = start()
        disk.failures = 0
        chain.close()

        checked = verify(directory)
        assert (checked.first_bad, checked.warnings) == (None, ())
        assert checked.records == sum(map(len, durable.values()))
        for tenant in TENANTS:
            lines = exported(directory, tenant)
            result = verify_export(lines, tenant)
            assert (result.first_bad, result.warnings) == (None, ())
            assert event_ids(lines) == durable[tenant]


@pytest.fixture(scope="module")
def chain_of_acme(tmp_path_factory: pytest.TempPathFactory, write_tenants) -> list[bytes]:
    directory = tmp_path_factory.mktemp("journal")
    write_tenants(directory, *["acme", "eve", "acme"] * 4, per_segment=5)
    return exported(directory, "acme")[:-1]


@given(line=st.integers(0, 7), at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_any_changed_byte_is_found_by_the_tenants_lines_alone(
    line: int, at: float, flip: int, chain_of_acme: list[bytes]
) -> None:
    lines = chain_of_acme.copy()
    changed = bytearray(lines[line])
    changed[int(at * len(changed))] ^= flip
    lines[line] = bytes(changed)

    result = verify_export(lines)

    assert result.first_bad
    assert result.line == line + 1
    assert result.records == line


@given(order=st.lists(st.integers(0, 7), max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_dropped_repeated_moved_or_swapped_line_is_found_by_the_tenants_lines_alone(
    order: list[int], chain_of_acme: list[bytes]
) -> None:
    result = verify_export([chain_of_acme[n] for n in order])

    # A run of neighbours is what is left when the beginning was archived and the end was cut.
    run = list(range(order[0], order[0] + len(order))) if order else []
    assert (result.first_bad is None) == (order == run)
    begins_late = any("begins with record" in warning for warning in result.warnings)
    assert begins_late == (bool(order) and order[0] > 0)

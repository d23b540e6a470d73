"""The line format: what is written verifies, what is altered does not."""

import hashlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.audit.lines import (
    GENESIS,
    MAX_RECORD_BYTES,
    Entry,
    Flaw,
    Head,
    Problem,
    check,
    encode,
    is_torn,
    predecessor,
    seal,
    seal_heads,
)
from bascule.gateway.record import AuditRecord, EventType, Status

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def line_after(head: Head, fields: bytes = b'"event_id":"e"') -> bytes:
    return seal(Entry("", fields), head, GENESIS)[0]


def digest_of(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def test_line_has_the_documented_form() -> None:
    entry = Entry("acme", b'"event_id":"e","tenant":"acme"', b',"snapshot_version":7')

    line, head, own = seal(entry, Head(8, b"a" * 64), Head(2, b"b" * 64))

    inner = b'{"tenant_seq":3,"tenant_prev":"' + b"b" * 64 + b'","event_id":"e","tenant":"acme"'
    outer = b',"tenant_hash":"' + digest_of(inner) + b'","snapshot_version":7'
    body = inner + outer + b',"seq":9,"prev":"' + b"a" * 64 + b'"'
    assert line == body + b',"hash":"' + digest_of(body) + b'"}\n'
    assert (head, own) == (Head(9, digest_of(body)), Head(3, digest_of(inner)))


def test_line_reads_as_the_record_with_its_places_in_the_chains(make_record) -> None:
    record = make_record(
        1, arguments={"vin": "1H*****56"}, metadata={"a": [1, None]}, snapshot_version=7
    )

    line, head, own = seal(encode(record), Head(6, b"a" * 64), Head(2, b"b" * 64))

    members = json.loads(line)
    assert (members.pop("seq"), members.pop("prev")) == (7, "a" * 64)
    assert (members.pop("tenant_seq"), members.pop("tenant_prev")) == (3, "b" * 64)
    assert members.pop("hash").encode() == head.digest
    assert members.pop("tenant_hash").encode() == own.digest
    assert msgspec.convert(members, AuditRecord) == record


def test_line_of_heads_has_the_number_of_the_record_before_it() -> None:
    line, head = seal_heads(b'{"heads":{},"part":1,"parts":1', Head(5, b"a" * 64))

    body = b'{"heads":{},"part":1,"parts":1,"seq":5,"prev":"' + b"a" * 64 + b'"'
    assert line == body + b',"hash":"' + digest_of(body) + b'"}\n'
    assert head == check(line, Head(5, b"a" * 64)) == Head(5, digest_of(body))
    assert predecessor(line) == Head(5, b"a" * 64)


def test_number_of_the_snapshot_is_kept_out_of_the_tenants_part(make_record) -> None:
    assert AuditRecord.__struct_fields__[-1] == "snapshot_version"
    entry = encode(make_record(1, tenant="acme", snapshot_version=123))

    assert b"snapshot" not in entry.fields
    assert (entry.tenant, entry.outer) == ("acme", b',"snapshot_version":123')
    assert json.loads(b"{%b%b}" % (entry.fields, entry.outer))["snapshot_version"] == 123


def test_good_line_moves_the_head() -> None:
    line, head, _ = seal(Entry("", b'"event_id":"e"'), GENESIS, GENESIS)

    assert check(line, GENESIS) == head


def test_line_of_the_older_format_moves_the_head(old_lines) -> None:
    first, second = old_lines(2)

    head = check(first, GENESIS)

    assert isinstance(head, Head)
    assert predecessor(second) == head
    assert check(second, head) == Head(2, second[-67:-3])


def test_changed_field_is_a_hash_that_does_not_match() -> None:
    line = line_after(GENESIS).replace(b'"event_id":"e"', b'"event_id":"f"')

    checked = check(line, GENESIS)

    assert isinstance(checked, Flaw)
    assert (checked.problem, checked.seq, checked.event_id) == (Problem.HASH, 1, "f")


def test_line_of_another_chain_is_a_broken_link() -> None:
    checked = check(line_after(Head(0, b"b" * 64)), GENESIS)

    assert isinstance(checked, Flaw)
    assert checked.problem is Problem.LINK


def test_line_with_the_wrong_number_is_a_gap() -> None:
    checked = check(line_after(Head(4, b"b" * 64)), GENESIS)

    assert isinstance(checked, Flaw)
    assert (checked.problem, checked.seq) == (Problem.GAP, 5)
    assert "record 1 was expected, 5 is here" in checked.detail


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"garbage\n", b'{"seq":1}', b"\0" * 600 + b"\n", b"\xff\xfe\n", b"[" * 5000],
)
def test_noise_is_unreadable(line: bytes) -> None:
    checked = check(line, GENESIS)

    assert isinstance(checked, Flaw)
    assert checked.problem is Problem.UNREADABLE


def test_self_made_line_without_its_number_is_unreadable() -> None:
    body = b'{"event_id":"e"'
    digest = hashlib.sha256(body).hexdigest().encode()

    checked = check(body + b',"hash":"' + digest + b'"}\n', GENESIS)

    assert isinstance(checked, Flaw)
    assert checked.problem is Problem.UNREADABLE


def test_upper_case_hash_is_refused_although_it_is_the_same_number() -> None:
    line = line_after(GENESIS)

    checked = check(line[:-67] + line[-67:-3].upper() + line[-3:], GENESIS)

    assert isinstance(checked, Flaw)
    assert checked.problem is Problem.HASH


@given(st.binary(max_size=300))
def test_check_gives_a_verdict_on_any_bytes(line: bytes) -> None:
    assert isinstance(check(line, GENESIS), Flaw)


def test_predecessor_is_the_head_a_line_claims_to_follow() -> None:
    assert predecessor(line_after(Head(41, b"c" * 64))) == Head(41, b"c" * 64)
    assert predecessor(b'{"event_id":"e"}\n') is None


@given(cut=st.integers(0, 349), zeros=st.integers(0, 2000))
def test_start_of_a_line_is_torn_with_or_without_zeros_after_it(cut: int, zeros: int) -> None:
    line = line_after(GENESIS)
    assert len(line) == 350

    assert is_torn(line[:cut] + bytes(zeros))


def test_whole_line_without_its_newline_is_torn() -> None:
    assert is_torn(line_after(GENESIS)[:-1])


@pytest.mark.parametrize("junk", [b"X", b"XY\x00", b'{"seq":2'])
def test_whole_line_with_something_else_than_a_newline_after_it_is_not_torn(junk: bytes) -> None:
    assert not is_torn(line_after(GENESIS)[:-1] + junk)


def test_lost_sector_between_good_lines_is_torn() -> None:
    line = line_after(GENESIS)

    assert is_torn(line[:50] + bytes(512) + line[100:] + line)


def test_changed_line_before_good_lines_is_not_torn() -> None:
    line = line_after(GENESIS)

    assert not is_torn(line[:50] + bytes(40) + line[90:] + line)
    assert not is_torn(line.replace(b'"e"', b'"f"') + line[:50] + bytes(600))


@given(arguments=JSON, message=st.text(), name=st.text())
def test_any_record_becomes_one_line_that_verifies(
    arguments: object, message: str, name: str, make_record
) -> None:
    entry = encode(make_record(1, arguments=arguments, error_message=message, tool_name=name))

    line, head, _ = seal(entry, GENESIS, GENESIS)

    assert line.count(b"\n") == 1
    assert check(line, GENESIS) == head
    assert json.loads(line)["event_id"] == "event-1"


CYCLE: list[object] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"metadata": {"value": object()}}, "TypeError"),
        ({"error_message": "lone surrogate \udc80"}, "UnicodeEncodeError"),
        ({"arguments": CYCLE}, "RecursionError"),
        ({"arguments": {"text": "x" * MAX_RECORD_BYTES}}, f"more than {MAX_RECORD_BYTES}"),
        ({"arguments": msgspec.Raw(b'{\n"a": 1}')}, "line break"),
        ({"error_message": "x" * MAX_RECORD_BYTES}, f"more than {MAX_RECORD_BYTES}"),
        ({"tenant": "lone surrogate \udc80"}, "UnicodeEncodeError"),
    ],
)
def test_record_that_cannot_be_written_is_reduced_and_says_why(
    fields: dict[str, object], reason: str, make_record
) -> None:
    members = json.loads(b"{%b}" % encode(make_record(1, **fields)).fields)

    assert reason in members["metadata"]["record_reduced"]
    assert (members["event_id"], members["status"], members["user"]) == (
        "event-1",
        Status.SUCCESS,
        "alice",
    )
    assert members["event_type"] == EventType.TOOL_CALL
    assert "arguments" not in members
    assert encode(make_record(1, **fields)).tenant == members.get("tenant", "")
    assert len(encode(make_record(1, **fields)).fields) < MAX_RECORD_BYTES

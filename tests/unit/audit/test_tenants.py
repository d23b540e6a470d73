"""What of a line is its tenant's, and the chains of all tenants through one journal."""

import json
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.audit.heads import heads_lines
from bascule.audit.lines import GENESIS, Entry, Flaw, Head, Problem, encode, seal
from bascule.audit.tenants import (
    TenantChains,
    check_part,
    digest_of,
    part_of,
    part_predecessor,
    tenant_of,
)

HEX = "0" * 64
FORGED = f',"tenant":"eve","tenant_hash":"{HEX}","seq":1,"prev":"{HEX}","hash":"{HEX}"}}\n'
TEXTS = st.text() | st.sampled_from([FORGED, '"tenant":"eve"', '","tenant":"eve'])
ARGUMENTS = st.recursive(
    st.none() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXTS | st.sampled_from(["tenant", "tenant_hash", "seq"]), inner)
    ),
    max_leaves=6,
)


def sealed(entry: Entry, head: Head = GENESIS) -> bytes:
    part = part_of(seal(entry, GENESIS, head)[0])
    assert part
    return part


class Journal:
    """Lines of several tenants, with the heads of their chains."""

    def __init__(self) -> None:
        self.head = GENESIS
        self.heads: dict[str, Head] = {}
        self.lines: list[bytes] = []

    def write(self, *tenants: str) -> "Journal":
        for tenant in tenants:
            fields = b'"event_id":"e","tenant":%b' % msgspec.json.encode(tenant)
            last = self.heads.get(tenant, GENESIS)
            line, self.head, self.heads[tenant] = seal(Entry(tenant, fields), self.head, last)
            self.lines.append(line)
        return self

    def write_heads(self, **other: Head) -> "Journal":
        for line, head in heads_lines(self.heads | other, self.head):
            self.lines.append(line)
            self.head = head
        return self


def flaws(lines: list[bytes], *, from_the_start: bool = True) -> list[Flaw]:
    chains = TenantChains(from_the_start=from_the_start)
    return [flaw for line in lines if (flaw := chains.follow(line))]


def test_part_is_the_beginning_of_the_line_and_a_brace(make_record) -> None:
    entry = encode(make_record(1, tenant="acme", snapshot_version=7))
    line, _, own = seal(entry, Head(41, b"a" * 64), Head(2, b"b" * 64))

    part = part_of(line)

    assert part
    assert line.startswith(part[:-2])
    assert part.endswith(b'"}\n')
    members = json.loads(part)
    assert (members["tenant_seq"], members["tenant_hash"].encode()) == (3, own.digest)
    assert not {"seq", "prev", "hash", "snapshot_version"} & members.keys()
    assert digest_of(part) == own.digest
    assert part_predecessor(part) == Head(2, b"b" * 64)
    assert check_part(part, Head(2, b"b" * 64)) == own


@given(arguments=ARGUMENTS, text=TEXTS, tenant=st.sampled_from(["", "acme", 'a"b', "ä"]))
def test_nothing_a_caller_sends_makes_a_record_another_tenants(
    arguments: object, text: str, tenant: str, make_record
) -> None:
    record = make_record(
        1, tenant=tenant, arguments=arguments, user=text, tool_name=text, correlation_id=text
    )
    entry = encode(record)
    line, _, own = seal(entry, GENESIS, GENESIS)

    part = part_of(line)

    assert part
    assert entry.tenant == tenant_of(part) == tenant_of(line) == tenant
    assert check_part(part, GENESIS) == own
    assert msgspec.json.decode(part).get("arguments") == arguments


def test_lines_that_are_no_records_have_no_part(old_lines) -> None:
    whole = Journal().write("acme").lines[0]
    for line in (*old_lines(1), *Journal().write_heads().lines, b"", b"\n", whole[:-1], whole[9:]):
        assert part_of(line) is None


def test_line_that_cannot_be_read_is_nobodys() -> None:
    for part in (b"", b"\xff\n", b'{"tenant":7}', b"[" * 5000):
        assert tenant_of(part) is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda part: part.replace(b"acme", b"eve1"), Problem.HASH),
        (lambda part: part[:-2] + b" }\n", Problem.HASH),
        (lambda part: part[:-1], Problem.UNREADABLE),
        (lambda part: sealed(Entry("acme", b'"tenant":"acme"'), Head(2, b"c" * 64)), Problem.LINK),
        (lambda part: sealed(Entry("acme", b'"tenant":"acme"'), Head(7, b"b" * 64)), Problem.GAP),
    ],
    ids=["changed", "space", "cut", "link", "gap"],
)
def test_part_that_does_not_follow_says_why(change, problem: Problem) -> None:
    head = Head(2, b"b" * 64)
    part = sealed(Entry("acme", b'"tenant":"acme"'), head)
    assert isinstance(check_part(part, head), Head)

    flaw = check_part(change(part), head)

    assert isinstance(flaw, Flaw)
    assert flaw.problem is problem


def test_part_without_its_place_is_unreadable() -> None:
    body = b'{"tenant":"acme"'
    part = b'%b,"tenant_hash":"%b"}\n' % (body, sha256(body).hexdigest().encode())

    flaw = check_part(part, GENESIS)

    assert isinstance(flaw, Flaw)
    assert flaw.problem is Problem.UNREADABLE


@given(st.lists(st.sampled_from(["", "acme", "eve", "heads"]), max_size=30))
def test_any_interleaving_of_tenants_is_followed(tenants: list[str]) -> None:
    journal = Journal()
    for number, tenant in enumerate(tenants):
        journal.write(tenant)
        if number % 7 == 3:
            journal.write_heads()
    chains = TenantChains(from_the_start=True)

    assert [chains.follow(line) for line in journal.lines] == [None] * len(journal.lines)
    assert chains.heads == journal.heads


def test_record_that_skips_one_of_its_tenant_is_named() -> None:
    lines = Journal().write("acme", "eve", "acme", "acme").lines

    flaw, *_ = flaws(lines[:2] + lines[3:])

    assert (flaw.problem, flaw.seq, flaw.event_id) == (Problem.TENANT, 4, "e")
    assert flaw.detail == "in the chain of tenant 'acme': record 2 was expected, 3 is here"


def test_heads_that_differ_from_what_was_written_are_named() -> None:
    last = Head(2, b"e" * 64)
    for wrong in ({"acme": last}, {"nobody": last}):
        journal = Journal().write("acme", "eve", "acme").write_heads(**wrong)

        (flaw,) = flaws(journal.lines)

        assert (flaw.problem, flaw.seq) == (Problem.TENANT, None)
        assert flaw.detail == f"the chain of tenant {min(wrong)!r} does not end as it is said"


def test_heads_that_leave_a_tenant_out_are_named() -> None:
    journal = Journal().write("acme", "eve")
    del journal.heads["acme"]

    (flaw,) = flaws(journal.write_heads().lines)

    assert "'acme'" in flaw.detail


def test_where_the_beginning_is_elsewhere_the_heads_take_its_place() -> None:
    journal = Journal().write("acme", "eve", "acme").write_heads().write("acme", "eve", "new")
    later = journal.lines[3:]

    assert flaws(later, from_the_start=False) == []
    assert flaws(later[1:], from_the_start=False) == []
    assert len(flaws(later[1:], from_the_start=True)) == 2
    assert len(flaws([later[0], *Journal().write("acme").lines], from_the_start=False)) == 1


def test_heads_after_a_beginning_elsewhere_must_fit_what_was_seen() -> None:
    journal = Journal().write("acme", "acme", "eve")
    journal.write_heads(acme=Head(1, b"e" * 64))

    assert len(flaws(journal.lines[1:], from_the_start=False)) == 1


def test_records_of_the_older_format_are_counted_and_then_none_may_come(old_lines) -> None:
    old = old_lines(3)
    journal = Journal().write("acme")
    chains = TenantChains(from_the_start=False)

    assert [chains.follow(line) for line in old] == [None] * 3
    assert chains.unchained == 3
    assert chains.follow(journal.lines[0]) is None
    flaw = chains.follow(old[0])
    assert flaw
    assert flaw.detail == "the line has no place in its tenant's chain"


def test_chain_that_begins_within_a_journal_of_the_older_format_begins_with_1(old_lines) -> None:
    journal = Journal().write("acme", "acme")

    assert len(flaws([*old_lines(1), journal.lines[1]], from_the_start=False)) == 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"tenant_seq":1,"tenant_prev":"%b","tenant":7}\n' % (b"0" * 64),
        b'{"heads":7}\n',
        b'{"heads":"\xff"}\n',
    ],
    ids=["no place", "no heads", "not UTF-8"],
)
def test_line_that_cannot_be_followed_is_a_flaw(line: bytes) -> None:
    (flaw,) = flaws([line])

    assert flaw.problem is Problem.TENANT

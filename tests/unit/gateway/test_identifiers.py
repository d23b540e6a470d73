import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway import identifiers
from bascule.gateway.identifiers import Identifiers, accepted_correlation_id


def test_ids_of_one_source_differ_and_sort_as_they_were_made() -> None:
    source = Identifiers()
    ids = [source.next() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert ids == sorted(ids)


def test_ids_do_not_count_what_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sees two of them learns when they were made, and not how many were between them."""
    busy, idle = Identifiers(), Identifiers()
    times = iter([1000, 2000, 3000, 9000, 1000, 9000])
    monkeypatch.setattr(identifiers.time, "time_ns", lambda: next(times))
    between = [busy.next() for _ in range(4)]
    assert [one.split("-")[1] for one in (between[0], between[-1])] == [
        one.split("-")[1] for one in (idle.next(), idle.next())
    ]


def test_a_clock_that_stands_or_goes_back_repeats_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Identifiers()
    times = iter([1000, 1000, 10, 1001, 2000])
    monkeypatch.setattr(identifiers.time, "time_ns", lambda: next(times))
    ids = [source.next() for _ in range(5)]
    assert len(set(ids)) == 5
    assert ids == sorted(ids)


def test_ids_of_two_sources_share_no_prefix() -> None:
    """Two processes, or one before and after a restart, must not repeat each other."""
    assert Identifiers().next().split("-")[0] != Identifiers().next().split("-")[0]


def test_an_id_is_accepted_as_correlation_id() -> None:
    made = Identifiers().next()
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{16}", made)
    assert accepted_correlation_id(made.encode()) == made


@pytest.mark.parametrize("given", [b"a", b"0", b"A-b_9", b"x" * 128, b"-a-"])
def test_a_well_formed_correlation_id_is_taken_over(given: bytes) -> None:
    assert accepted_correlation_id(given) == given.decode()


@pytest.mark.parametrize(
    "given",
    [
        None,
        b"",
        b"-",
        b"__",
        b"x" * 129,
        b"a" * 4096,
        b"a\r\nx-injected: 1",
        b"a\n",
        b" a",
        b"a b",
        b"a\x00",
        b'a"',
        b"a;b",
        b"<script>",
        "é".encode(),
        b"\xe9",
        b"\xb2",
    ],
)
def test_a_hostile_correlation_id_is_refused(given: bytes | None) -> None:
    assert accepted_correlation_id(given) is None


@given(st.binary(max_size=300))
def test_only_letters_digits_dash_and_underscore_ever_pass(given: bytes) -> None:
    accepted = accepted_correlation_id(given)
    assert accepted is None or re.fullmatch(r"[A-Za-z0-9_-]{1,128}", accepted)

"""Medians, bounds and the two ways the results are told."""

from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import Results, Round, save, table
from bench.load import Report, percentile
from bench.targets import Name

MACHINE: dict[str, str | int | float] = {
    "cpu": "a cpu",
    "cores": 2,
    "python": "CPython 3.11",
    "kernel": "Linux 6",
    "data_filesystem": "ext4",
}


def a_round(
    number: int, target: Name, calls: int, cpu_seconds: float, *, own: float = 0.2
) -> Round:
    report = Report(
        calls=calls,
        errors=0,
        seconds=1.0,
        p50_ms=number * 1.0,
        p99_ms=number * 2.0,
        sent=calls,
        target_cpu_seconds=cpu_seconds,
        own_cpu_seconds=own,
        others_cpu_share=0.0,
        reasons=[],
    )
    return Round.of(number, target, report)


def results(*rounds: Round, **machine: str | float) -> Results:
    return Results.of(rounds, {**MACHINE, **machine}, {})


def test_each_figure_is_the_median_over_the_rounds_of_its_target() -> None:
    counts = [(1, 9000), (2, 11000), (3, 10000)]
    measured = results(
        *(a_round(number, Name.GOVERNED, calls, 0.9) for number, calls in counts),
        *(a_round(number, Name.BARE, 4 * calls, 0.8) for number, calls in counts),
    )
    governed = measured.figures[Name.GOVERNED]
    assert governed.calls_per_s == 10000
    assert governed.cpu_us_per_call == 90.0
    assert (governed.p50_ms, governed.p99_ms) == (2.0, 4.0)
    assert measured.ratio() == {"calls_per_s": 0.25, "cpu_us_per_call": 4.5}


def test_the_check_holds_exactly_at_its_bounds() -> None:
    assert results(a_round(1, Name.GOVERNED, 8000, 8000 * 99.9e-6)).complaints() == []
    assert len(results(a_round(1, Name.GOVERNED, 7999, 0.5)).complaints()) == 1
    assert len(results(a_round(1, Name.GOVERNED, 8000, 8000 * 100e-6)).complaints()) == 1
    assert results(a_round(1, Name.BARE, 50_000, 0.5)).complaints() == ["governed was not measured"]


def test_the_table_is_plain_and_warns_of_what_spoils_the_figures() -> None:
    calm = results(a_round(1, Name.BARE, 40_000, 0.6))
    assert not any("caution" in line for line in table(calm))
    assert any(line.startswith("bare ") and "40,000" in line for line in table(calm))
    assert "\x1b" not in "".join(table(calm))
    busy = results(a_round(1, Name.BARE, 40_000, 0.6, own=0.97), data_filesystem="tmpfs")
    assert sum("caution" in line for line in table(busy)) == 2


def test_the_file_holds_a_member_per_target_beside_machine_and_rounds(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "latest.json"
    save(results(a_round(1, Name.UPSTREAM, 90_000, 0.6)), path)
    document = msgspec.json.decode(path.read_bytes())
    assert set(document["upstream"]) == {"calls_per_s", "cpu_us_per_call", "p50_ms", "p99_ms"}
    assert document["machine"]["cores"] == 2
    assert document["rounds"][0]["report"]["calls"] == 90_000
    assert [one.name for one in path.parent.iterdir()] == ["latest.json"]


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_has_at_least_its_share_of_values_at_or_below(
    values: list[float], rank: int
) -> None:
    found = percentile(sorted(values), rank)
    assert sum(value <= found for value in values) * 100 >= rank * len(values)
    assert sum(value < found for value in values) * 100 < rank * len(values)


def test_what_rules_may_cost_is_held_against_the_governed_calls_of_the_same_run() -> None:
    governed = a_round(1, Name.GOVERNED, 10_000, 0.5)
    for name, most in ((Name.RULES, 0.525), (Name.REGO, 0.55)):
        assert results(governed, a_round(1, name, 10_000, most)).complaints() == []
        (complaint,) = results(governed, a_round(1, name, 10_000, most + 0.01)).complaints()
        assert "times that of governed" in complaint
